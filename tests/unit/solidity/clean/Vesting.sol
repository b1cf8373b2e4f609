// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {VestingWallet} from "@openzeppelin/contracts/finance/VestingWallet.sol";

contract Vesting is VestingWallet {
    constructor(address beneficiary) VestingWallet(beneficiary, 1_800_000_000, 365 days) {}
}
