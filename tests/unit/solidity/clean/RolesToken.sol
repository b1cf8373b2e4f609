// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

contract RolesToken is ERC20, AccessControl {
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");
    error AdminMissing();

    constructor(address admin, address minter) ERC20("Roles", "ROLE") {
        if (!_grantRole(DEFAULT_ADMIN_ROLE, admin) || !_grantRole(MINTER_ROLE, minter)) revert AdminMissing();
    }

    function mint(address to, uint256 amount) external onlyRole(MINTER_ROLE) {
        _mint(to, amount);
    }
}
