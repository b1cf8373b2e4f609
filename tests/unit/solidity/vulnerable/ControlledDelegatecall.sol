// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// Runs anybody's code on its own storage.
contract ControlledDelegatecall {
    address public owner = msg.sender;

    function run(address target, bytes calldata data) external {
        (bool done, ) = target.delegatecall(data);
        require(done, "failed");
    }
}
