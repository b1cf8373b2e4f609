// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// ("ab", "c") and ("a", "bc") have one hash.
contract PackedCollision {
    mapping(bytes32 key => address owner) public owners;

    function claim(string calldata first, string calldata second) external {
        owners[keccak256(abi.encodePacked(first, second))] = msg.sender;
    }
}
