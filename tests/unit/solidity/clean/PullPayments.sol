// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// Everybody takes out what is theirs, after it was forgotten.
contract PullPayments is Ownable {
    mapping(address account => uint256 amount) public balances;

    constructor(address owner) Ownable(owner) {}

    function deposit() external payable {
        balances[msg.sender] += msg.value;
    }

    function withdraw() external {
        uint256 amount = balances[msg.sender];
        balances[msg.sender] = 0;
        Address.sendValue(payable(msg.sender), amount);
    }
}
