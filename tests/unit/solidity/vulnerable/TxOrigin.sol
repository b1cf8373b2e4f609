// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// Believes whoever started the transaction.
contract TxOrigin {
    address public immutable owner;

    constructor() {
        owner = msg.sender;
    }

    receive() external payable {}

    function sweep(address payable to) external {
        require(tx.origin == owner, "not the owner");
        to.transfer(address(this).balance);
    }
}
