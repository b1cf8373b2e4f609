// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// Counts one payment once for every receiver.
contract ValueInLoop {
    mapping(address account => uint256 amount) public balances;

    function credit(address[] calldata receivers) external payable {
        for (uint256 i = 0; i < receivers.length; ++i) {
            balances[receivers[i]] += msg.value;
        }
    }

    function withdraw() external {
        uint256 amount = balances[msg.sender];
        balances[msg.sender] = 0;
        payable(msg.sender).transfer(amount);
    }
}
