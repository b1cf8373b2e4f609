// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {HokusaiToken} from "./HokusaiToken.sol";

/// @title FirstSupply
/// @notice Creates a token and mints its first supply, as a launch does in several transactions. It is never deployed:
///         nodes are asked what gas its creation would use, for before a launch there is no token to mint.
contract FirstSupply {
    mapping(address token => bool) private _distributed;

    /// @param name The token's name.
    /// @param symbol The token's symbol.
    /// @param recipients Who receives tokens.
    /// @param amounts How many each receives, in base units, in the order of `recipients`.
    constructor(string memory name, string memory symbol, address[] memory recipients, uint256[] memory amounts) {
        HokusaiToken token = new HokusaiToken(name, symbol, address(this));
        // What TokenManager writes besides.
        _distributed[address(token)] = true;
        // slither-disable-next-line calls-loop
        for (uint256 i = 0; i < recipients.length; ++i) token.mint(recipients[i], amounts[i]);
    }
}
