// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

/// @title SecondModelRegistry
/// @notice Says which token belongs to which model: one token a model, one model a token, forever.
/// @dev Registrars are the addresses that deploy tokens; several may hold the role. Model ids are compared byte
///      by byte: no case folding, no trimming. A token's creation and its registration may be sent together: if the
///      creation reverts, there is no code at the token's address, and the registration reverts as well.
contract SecondModelRegistry is AccessControl {
    /// @notice Holders of this role may register tokens.
    bytes32 public constant REGISTRAR_ROLE = keccak256("REGISTRAR_ROLE");

    mapping(bytes32 modelKey => address token) private _tokens;
    mapping(address token => string modelId) private _models;

    /// @notice A token became the token of a model.
    /// @param modelKey keccak256 of the model id's bytes, for filtering.
    /// @param token The model's token.
    /// @param registrar Who registered it.
    /// @param modelId The model id, readable.
    event TokenRegistered(bytes32 indexed modelKey, address indexed token, address indexed registrar, string modelId);

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

    /// @param administrator Who grants and revokes the registrar's role. Not zero.
    constructor(address administrator) {
        if (administrator == address(0)) revert ZeroAdministrator();
        _grantRole(DEFAULT_ADMIN_ROLE, administrator);
    }

    /// @notice Makes `token` the token of the model. Only a registrar may, and only once for each of the two.
    /// @param modelId The model. Not empty, and without a token.
    /// @param token Its token. A contract, and without a model.
    function register(string calldata modelId, address token) external onlyRole(REGISTRAR_ROLE) {
        if (bytes(modelId).length == 0) revert EmptyModelId();
        if (token == address(0)) revert ZeroToken();
        if (token.code.length == 0) revert TokenWithoutCode(token);

        bytes32 modelKey = keccak256(bytes(modelId));
        address registered = _tokens[modelKey];
        if (registered != address(0)) revert ModelAlreadyRegistered(modelId, registered);
        if (bytes(_models[token]).length != 0) revert TokenAlreadyRegistered(token, _models[token]);

        _tokens[modelKey] = token;
        _models[token] = modelId;
        emit TokenRegistered(modelKey, token, _msgSender(), modelId);
    }

    /// @notice The token of a model.
    /// @param modelId The model.
    /// @return The token, or the zero address if the model has none.
    function tokenOf(string calldata modelId) external view returns (address) {
        return _tokens[keccak256(bytes(modelId))];
    }

    /// @notice Whether a model has a token.
    /// @param modelId The model.
    /// @return True once a token is registered.
    function isRegistered(string calldata modelId) external view returns (bool) {
        return _tokens[keccak256(bytes(modelId))] != address(0);
    }

    /// @notice The model of a token.
    /// @param token The token.
    /// @return The model's id, or the empty string if the token belongs to none.
    function modelOf(address token) external view returns (string memory) {
        return _models[token];
    }

    /// @notice What ERC-165 announces of this contract.
    /// @param interfaceId The interface. The selector of `register` says that tokens without code are refused, as the
    ///        first version of this registry did not.
    /// @return True if the interface is supported.
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == SecondModelRegistry.register.selector || super.supportsInterface(interfaceId);
    }
}
