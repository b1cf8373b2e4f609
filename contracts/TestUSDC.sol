// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title TestUSDC
/// @notice Stands in for USDC on development chains: six decimals, permits, and a faucet that gives to everybody. It can't
///         be deployed anywhere else, since its tokens are worth nothing.
contract TestUSDC is ERC20, ERC20Permit {
    /// @notice This is no development chain.
    /// @param chainId The chain.
    error NotADevelopmentChain(uint256 chainId);

    constructor() ERC20("Test USD Coin", "USDC") ERC20Permit("Test USD Coin") {
        // The ids that anvil and Hardhat give their chains, and Ganache its own.
        if (block.chainid != 31337 && block.chainid != 1337) revert NotADevelopmentChain(block.chainid);
    }

    /// @notice As USDC has.
    /// @return Digits after the point.
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// @notice Gives tokens to anybody.
    /// @param to Who receives them. Not zero.
    /// @param amount How many, in base units.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
