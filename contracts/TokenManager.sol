// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {HokusaiToken} from "./HokusaiToken.sol";
import {ModelRegistry} from "./ModelRegistry.sol";

/// @title TokenManager
/// @notice Owner and controller of the models' tokens. It mints in two ways only: a token's first supply, once, to whom
///         its registration committed it; and what its steward asks for, up to the token's maximum. It burns nothing,
///         and can't give a token to another owner or controller. There are no roles here: not even who deployed this
///         contract has any right.
/// @dev Registered tokens are HokusaiTokens: they call nobody back. Each function still writes and announces what it
///      does before it calls a token, and a call that fails undoes everything.
contract TokenManager {
    /// @notice Where tokens, their terms and their stewards are looked up.
    ModelRegistry public immutable registry;

    /// @notice What there is to know of a token, as of one block. Amounts are in base units.
    /// @param steward Who may have tokens minted. Zero for nobody.
    /// @param pendingSteward To whom the stewardship is offered. Zero for nobody.
    /// @param maxSupply How many tokens there may be.
    /// @param totalSupply How many there are.
    /// @param distributed Whether the first supply was minted.
    struct Status {
        address steward;
        address pendingSteward;
        uint256 maxSupply;
        uint256 totalSupply;
        bool distributed;
    }

    /// @notice Whether a token's first supply was minted.
    mapping(address token => bool) public distributed;

    /// @notice To whom a token's stewardship is offered. Zero for nobody.
    mapping(address token => address) public pendingSteward;

    /// @notice A token's first supply was minted.
    /// @param token The token.
    /// @param recipients How many addresses received it.
    /// @param total How much they received together, in base units.
    event Distributed(address indexed token, uint256 recipients, uint256 total);

    /// @notice A steward had tokens minted.
    /// @param token The token.
    /// @param steward Who asked.
    /// @param to Who received them.
    /// @param amount How many, in base units.
    event Minted(address indexed token, address indexed steward, address indexed to, uint256 amount);

    /// @notice A steward offered the stewardship, or took the offer back.
    /// @param token The token.
    /// @param steward Who offers it.
    /// @param to Who may accept it from now on. Zero for nobody.
    event StewardshipOffered(address indexed token, address indexed steward, address indexed to);

    /// @notice The registry may not be the zero address.
    error ZeroRegistry();

    /// @notice The token has no first supply, or is not registered.
    /// @param token The token.
    error NothingToDistribute(address token);

    /// @notice A first supply is minted once.
    /// @param token The token.
    error AlreadyDistributed(address token);

    /// @notice This is not the first supply that the token's registration committed it to.
    /// @param token The token.
    error OtherDistribution(address token);

    /// @notice The steward mints only after the first supply.
    /// @param token The token.
    error NotDistributed(address token);

    /// @notice Only the token's steward may do this.
    /// @param account Who tried.
    error NotSteward(address account);

    /// @notice Only to whom the stewardship is offered may accept it.
    /// @param account Who tried.
    error NotPendingSteward(address account);

    /// @notice There would be more tokens than the token's maximum.
    /// @param wanted How many there would be, in base units.
    /// @param maximum How many there may be.
    error MaxSupplyExceeded(uint256 wanted, uint256 maximum);

    modifier onlySteward(address token) {
        if (msg.sender != registry.termsOf(token).steward) revert NotSteward(msg.sender);
        _;
    }

    /// @param registry_ Where tokens are looked up. Not zero.
    constructor(ModelRegistry registry_) {
        if (address(registry_) == address(0)) revert ZeroRegistry();
        registry = registry_;
    }

    /// @notice Mints a token's first supply, all of it and once. Anybody may ask: the registration committed the token
    ///         to it.
    /// @param token The token.
    /// @param recipients Who receives it.
    /// @param amounts How much each receives, in base units, in the order of `recipients`.
    function distribute(address token, address[] calldata recipients, uint256[] calldata amounts) external {
        ModelRegistry.Terms memory terms = registry.termsOf(token);
        if (terms.distribution == 0) revert NothingToDistribute(token);
        if (distributed[token]) revert AlreadyDistributed(token);
        if (keccak256(abi.encode(recipients, amounts)) != terms.distribution) revert OtherDistribution(token);

        uint256 total = 0;
        for (uint256 i = 0; i < amounts.length; ++i) total += amounts[i];
        if (total > terms.maxSupply) revert MaxSupplyExceeded(total, terms.maxSupply);
        distributed[token] = true;
        emit Distributed(token, recipients.length, total);

        // The registration bounds the number of calls, and they all go to one registered token.
        // slither-disable-next-line calls-loop
        for (uint256 i = 0; i < recipients.length; ++i) HokusaiToken(token).mint(recipients[i], amounts[i]);
    }

    /// @notice Mints tokens, up to the token's maximum. Only its steward may, once the first supply is there.
    /// @param token The token.
    /// @param to Who receives them. Not zero.
    /// @param amount How many, in base units.
    function mint(address token, address to, uint256 amount) external onlySteward(token) {
        ModelRegistry.Terms memory terms = registry.termsOf(token);
        if (terms.distribution != 0 && !distributed[token]) revert NotDistributed(token);
        uint256 wanted = HokusaiToken(token).totalSupply() + amount;
        if (wanted > terms.maxSupply) revert MaxSupplyExceeded(wanted, terms.maxSupply);
        emit Minted(token, msg.sender, to, amount);
        HokusaiToken(token).mint(to, amount);
    }

    /// @notice Offers the stewardship, which passes on when it is accepted. Only the steward may.
    /// @param token The token.
    /// @param to To whom. Zero takes an offer back.
    function offerStewardship(address token, address to) external onlySteward(token) {
        pendingSteward[token] = to;
        emit StewardshipOffered(token, msg.sender, to);
    }

    /// @notice Accepts the stewardship. Only to whom it is offered may.
    /// @param token The token.
    function acceptStewardship(address token) external {
        if (msg.sender != pendingSteward[token]) revert NotPendingSteward(msg.sender);
        delete pendingSteward[token];
        registry.setSteward(token, msg.sender);
    }

    /// @notice Gives the stewardship up for good: nobody mints this token any more. Only the steward may.
    /// @param token The token.
    function renounceStewardship(address token) external onlySteward(token) {
        delete pendingSteward[token];
        registry.setSteward(token, address(0));
    }

    /// @notice What there is to know of a token.
    /// @param token The token. Registered.
    /// @return Its status.
    function statusOf(address token) external view returns (Status memory) {
        ModelRegistry.Terms memory terms = registry.termsOf(token);
        uint256 supply = HokusaiToken(token).totalSupply();
        return Status(terms.steward, pendingSteward[token], terms.maxSupply, supply, distributed[token]);
    }
}
