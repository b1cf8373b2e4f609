// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// Loses what the division cuts off.
contract DivideBeforeMultiply {
    function fee(uint256 amount, uint256 rate) external pure returns (uint256) {
        return (amount / 10000) * rate;
    }
}
