// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// Sends to an address that nobody ever set.
contract UninitializedState {
    address payable private treasury;

    function give() external payable {
        treasury.transfer(msg.value);
    }
}
