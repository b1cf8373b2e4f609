// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// Goes on when the call failed.
contract UncheckedCall {
    address public immutable owner = msg.sender;

    receive() external payable {}

    function forward(uint256 amount) external {
        require(msg.sender == owner, "not the owner");
        owner.call{value: amount}("");
    }
}
