// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// Anybody sends its ether anywhere.
contract ArbitrarySend {
    receive() external payable {}

    function pay(address payable to, uint256 amount) external {
        to.transfer(amount);
    }
}
