// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// Sends before it forgets the balance.
contract Reentrancy {
    mapping(address account => uint256 amount) public balances;

    function deposit() external payable {
        balances[msg.sender] += msg.value;
    }

    function withdraw() external {
        uint256 amount = balances[msg.sender];
        (bool sent, ) = msg.sender.call{value: amount}("");
        require(sent, "not sent");
        balances[msg.sender] = 0;
    }
}
