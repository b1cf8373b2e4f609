// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

contract Timelock is TimelockController {
    constructor(
        address[] memory proposers,
        address[] memory executors
    ) TimelockController(2 days, proposers, executors, address(0)) {}
}
