// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {HokusaiToken} from "./HokusaiToken.sol";
import {ModelRegistry} from "./ModelRegistry.sol";

/// @title TokenManager
/// @notice The controller of the models' tokens: the one place that mints to contributors and burns. It knows
///         tokens by model id and finds them in the ModelRegistry, so it can only move what is registered.
/// @dev Registered tokens are HokusaiTokens: they call nobody back. Each function still announces what it does
///      before it calls a token, and a call that fails undoes everything.
contract TokenManager is AccessControl {
    /// @notice Holders of this role may mint and burn.
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");

    /// @notice How many contributors one call may mint to, so that it stays well within a block's gas.
    uint256 public constant MAX_CONTRIBUTORS = 200;

    /// @notice Where tokens are looked up.
    ModelRegistry public immutable registry;

    /// @notice Tokens were minted to a model's contributors.
    /// @param modelKey keccak256 of the model id's bytes, for filtering.
    /// @param token The model's token.
    /// @param modelId The model id, readable.
    /// @param contributors How many contributors received tokens.
    /// @param total How many tokens they received together, in base units.
    event TokensMinted(
        bytes32 indexed modelKey,
        address indexed token,
        string modelId,
        uint256 contributors,
        uint256 total
    );

    /// @notice Tokens of a model were burned.
    /// @param modelKey keccak256 of the model id's bytes, for filtering.
    /// @param token The model's token.
    /// @param from Whose tokens they were.
    /// @param modelId The model id, readable.
    /// @param amount How many, in base units.
    event TokensBurned(
        bytes32 indexed modelKey,
        address indexed token,
        address indexed from,
        string modelId,
        uint256 amount
    );

    /// @notice The registry may not be the zero address.
    error ZeroRegistry();

    /// @notice The administrator may not be the zero address.
    error ZeroAdministrator();

    /// @notice The registry knows no token of this model.
    /// @param modelId The model.
    error ModelNotRegistered(string modelId);

    /// @notice Minting needs at least one contributor.
    error NoContributors();

    /// @notice One call mints to so many contributors at most.
    /// @param contributors How many were given.
    /// @param maximum How many are allowed.
    error TooManyContributors(uint256 contributors, uint256 maximum);

    /// @notice Every contributor needs one amount.
    /// @param contributors How many contributors were given.
    /// @param amounts How many amounts were given.
    error LengthMismatch(uint256 contributors, uint256 amounts);

    /// @param registry_ Where tokens are looked up. Not zero.
    /// @param administrator Who grants and revokes the minter's role. Not zero.
    constructor(ModelRegistry registry_, address administrator) {
        if (address(registry_) == address(0)) revert ZeroRegistry();
        if (administrator == address(0)) revert ZeroAdministrator();
        registry = registry_;
        _grantRole(DEFAULT_ADMIN_ROLE, administrator);
    }

    /// @notice Mints a model's tokens to its contributors: all of them or, if one fails, none. Only a minter may.
    /// @param modelId The model. Registered.
    /// @param contributors Who receives tokens, between 1 and `MAX_CONTRIBUTORS`. An address may occur twice.
    /// @param amounts How many each receives, in base units, in the order of `contributors`.
    function mint(
        string calldata modelId,
        address[] calldata contributors,
        uint256[] calldata amounts
    ) external onlyRole(MINTER_ROLE) {
        uint256 count = contributors.length;
        if (count == 0) revert NoContributors();
        if (count > MAX_CONTRIBUTORS) revert TooManyContributors(count, MAX_CONTRIBUTORS);
        if (count != amounts.length) revert LengthMismatch(count, amounts.length);
        HokusaiToken token = _tokenOf(modelId);

        uint256 total = 0;
        for (uint256 i = 0; i < count; ++i) total += amounts[i];
        emit TokensMinted(keccak256(bytes(modelId)), address(token), modelId, count, total);

        // The number of calls is bounded, and they all go to one registered token.
        // slither-disable-next-line calls-loop
        for (uint256 i = 0; i < count; ++i) token.mint(contributors[i], amounts[i]);
    }

    /// @notice Burns a holder's tokens of a model. Only a minter may.
    /// @param modelId The model. Registered.
    /// @param from Whose tokens are burned. Holding at least `amount`.
    /// @param amount How many, in base units.
    function burn(string calldata modelId, address from, uint256 amount) external onlyRole(MINTER_ROLE) {
        HokusaiToken token = _tokenOf(modelId);
        emit TokensBurned(keccak256(bytes(modelId)), address(token), from, modelId, amount);
        token.burn(from, amount);
    }

    function _tokenOf(string calldata modelId) private view returns (HokusaiToken) {
        address token = registry.tokenOf(modelId);
        if (token == address(0)) revert ModelNotRegistered(modelId);
        return HokusaiToken(token);
    }
}
