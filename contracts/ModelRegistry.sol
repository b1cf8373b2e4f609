// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// @title ModelRegistry
/// @notice Says which token belongs to which model, one token a model, one model a token, forever; and under which
///         terms it was launched, which nobody can change. Of an entry only the steward changes, by the token's owner.
/// @dev Registrars are the addresses that deploy tokens; several may hold the role. They can only add entries. Model
///      ids are compared byte by byte: no case folding, no trimming. A token's creation and its registration may be sent
///      together: if the creation reverts, there is no code at the token's address, and the registration reverts as well.
contract ModelRegistry is AccessControl {
    /// @notice Under which terms a token was launched.
    /// @param steward The wallet that may have tokens minted. Zero when there is none, or no longer one.
    /// @param maxSupply How many tokens there may be, in base units.
    /// @param distribution keccak256 of the first supply, as TokenManager takes it. Zero when there is none.
    struct Terms {
        address steward;
        uint256 maxSupply;
        bytes32 distribution;
    }

    /// @notice Holders of this role may register tokens.
    bytes32 public constant REGISTRAR_ROLE = keccak256("REGISTRAR_ROLE");

    /// @notice The registry that this one follows, of any version: its models and tokens are taken here too. Zero when
    ///         there is none.
    ModelRegistry public immutable predecessor;

    mapping(bytes32 modelKey => address token) private _tokens;
    mapping(address token => string modelId) private _models;
    mapping(address token => Terms) private _terms;

    /// @notice A token became the token of a model.
    /// @param modelKey keccak256 of the model id's bytes, for filtering.
    /// @param token The model's token.
    /// @param registrar Who registered it.
    /// @param modelId The model id, readable.
    /// @param terms Under which terms.
    event TokenRegistered(
        bytes32 indexed modelKey,
        address indexed token,
        address indexed registrar,
        string modelId,
        Terms terms
    );

    /// @notice A token has another steward, or none any more.
    /// @param token The token.
    /// @param former Who was its steward.
    /// @param steward Who is from now on. Zero for nobody.
    event StewardSet(address indexed token, address indexed former, address indexed steward);

    /// @notice The administrator may not be the zero address.
    error ZeroAdministrator();

    /// @notice A model id has at least one character.
    error EmptyModelId();

    /// @notice A token may not be the zero address.
    error ZeroToken();

    /// @notice A token is a contract.
    /// @param token The address, which has no code.
    error TokenWithoutCode(address token);

    /// @notice The model has a token already.
    /// @param modelId The model.
    /// @param token The token it has.
    error ModelAlreadyRegistered(string modelId, address token);

    /// @notice The token belongs to a model already.
    /// @param token The token.
    /// @param modelId The model it belongs to.
    error TokenAlreadyRegistered(address token, string modelId);

    /// @notice The token belongs to no model of this registry.
    /// @param token The token.
    error TokenNotRegistered(address token);

    /// @notice Only the token's owner, a contract such as TokenManager, names its steward.
    /// @param account Who tried.
    error NotOwner(address account);

    /// @param administrator Who grants and revokes the registrar's role. Not zero.
    /// @param predecessor_ The registry that this one follows, or zero.
    constructor(address administrator, ModelRegistry predecessor_) {
        if (administrator == address(0)) revert ZeroAdministrator();
        predecessor = predecessor_;
        _grantRole(DEFAULT_ADMIN_ROLE, administrator);
    }

    /// @notice Makes `token` the token of the model. Only a registrar may, and only once for each of the two.
    /// @param modelId The model. Not empty, and without a token.
    /// @param token Its token. A contract, and without a model.
    /// @param steward The wallet that may have tokens minted, or zero.
    /// @param maxSupply How many tokens there may ever be, in base units.
    /// @param distribution keccak256 of the first supply, as TokenManager takes it, or zero.
    function register(
        string calldata modelId,
        address token,
        address steward,
        uint256 maxSupply,
        bytes32 distribution
    ) external onlyRole(REGISTRAR_ROLE) {
        if (bytes(modelId).length == 0) revert EmptyModelId();
        if (token == address(0)) revert ZeroToken();
        if (token.code.length == 0) revert TokenWithoutCode(token);
        address registered = tokenOf(modelId);
        if (registered != address(0)) revert ModelAlreadyRegistered(modelId, registered);
        string memory model = modelOf(token);
        if (bytes(model).length != 0) revert TokenAlreadyRegistered(token, model);

        bytes32 modelKey = keccak256(bytes(modelId));
        _tokens[modelKey] = token;
        _models[token] = modelId;
        Terms memory terms = Terms(steward, maxSupply, distribution);
        _terms[token] = terms;
        emit TokenRegistered(modelKey, token, _msgSender(), modelId, terms);
    }

    /// @notice Names another steward. Only the token's owner may.
    /// @param token The token. Registered here.
    /// @param steward Who is its steward from now on. Zero for nobody.
    function setSteward(address token, address steward) external {
        if (bytes(_models[token]).length == 0) revert TokenNotRegistered(token);
        if (Ownable(token).owner() != _msgSender()) revert NotOwner(_msgSender());
        emit StewardSet(token, _terms[token].steward, steward);
        _terms[token].steward = steward;
    }

    /// @notice Whether a model has a token.
    /// @param modelId The model.
    /// @return True once a token is registered.
    function isRegistered(string calldata modelId) external view returns (bool) {
        return tokenOf(modelId) != address(0);
    }

    /// @notice Under which terms a token was launched, and who is its steward now.
    /// @param token The token.
    /// @return Its terms. All zero for a token that is not registered here.
    function termsOf(address token) external view returns (Terms memory) {
        return _terms[token];
    }

    /// @notice The token of a model.
    /// @param modelId The model.
    /// @return The token, or the zero address if the model has none.
    function tokenOf(string calldata modelId) public view returns (address) {
        address token = _tokens[keccak256(bytes(modelId))];
        if (token != address(0) || address(predecessor) == address(0)) return token;
        return predecessor.tokenOf(modelId);
    }

    /// @notice The model of a token.
    /// @param token The token.
    /// @return The model's id, or the empty string if the token belongs to none.
    function modelOf(address token) public view returns (string memory) {
        string memory modelId = _models[token];
        if (bytes(modelId).length != 0 || address(predecessor) == address(0)) return modelId;
        return predecessor.modelOf(token);
    }

    /// @notice What ERC-165 announces of this contract.
    /// @param interfaceId The interface. The selector of `register` tells this version, which keeps terms, from those
    ///        before it, which did not.
    /// @return True if the interface is supported.
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == ModelRegistry.register.selector || super.supportsInterface(interfaceId);
    }
}
