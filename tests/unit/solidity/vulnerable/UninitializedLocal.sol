// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// Pays out a variable that nobody set.
contract UninitializedLocal {
    mapping(address account => uint256 amount) public shares;

    function record(uint256 amount) external {
        uint256 share;
        if (share < amount) {
            shares[msg.sender] = share;
        }
    }
}
