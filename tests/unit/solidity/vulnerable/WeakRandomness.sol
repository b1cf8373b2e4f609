// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// The block's proposer knows who wins.
contract WeakRandomness {
    address[] public players;
    address public winner;

    function enter() external {
        players.push(msg.sender);
    }

    function draw() external {
        winner = players[uint256(keccak256(abi.encode(block.timestamp))) % players.length];
    }
}
