// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

abstract contract Base {
    address private owner;

    function baseOwner() public view returns (address) {
        return owner;
    }
}

/// Has an owner beside that of its base.
contract ShadowingAbstract is Base {
    uint256 private owner;

    function set(uint256 value) external {
        owner = value;
    }
}
