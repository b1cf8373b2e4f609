// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

contract Token is ERC20 {
    constructor(address owner) ERC20("Token", "TKN") {
        _mint(owner, 1_000_000 ether);
    }
}
