// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// Anybody ends it.
contract UnprotectedSelfdestruct {
    function end() external {
        selfdestruct(payable(msg.sender));
    }
}
