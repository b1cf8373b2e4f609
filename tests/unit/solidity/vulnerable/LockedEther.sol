// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// Takes ether and never gives it back.
contract LockedEther {
    mapping(address account => bool member) public members;

    function join() external payable {
        members[msg.sender] = true;
    }
}
