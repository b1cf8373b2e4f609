// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// Asks the auditor to look away, in both ways that it knows.
contract Suppressed {
    /// @custom:security non-reentrant
    mapping(address account => uint256 amount) public balances;

    function deposit() external payable {
        balances[msg.sender] += msg.value;
    }

    // slither-disable-start all
    function withdraw() external {
        uint256 amount = balances[msg.sender];
        // slither-disable-next-line reentrancy-eth
        (bool sent, ) = msg.sender.call{value: amount}("");
        require(sent, "not sent");
        balances[msg.sender] = 0;
    }
    // slither-disable-end all
}
