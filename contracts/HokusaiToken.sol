// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title HokusaiToken
/// @notice The ERC-20 token of one validated model. Its supply is moved by one controller only, normally the
///         TokenManager, which owns the token from its construction on: whoever deployed it has no right over it.
/// @dev No tokens exist when the token is deployed. An owner that can't call `setController`, as the TokenManager can't,
///      makes the controller permanent.
contract HokusaiToken is ERC20, Ownable {
    /// @notice The only address that may mint and burn. Never the zero address.
    address public controller;

    /// @notice A controller was appointed, by the constructor or by the owner.
    /// @param controller The controller from now on.
    event ControllerSet(address indexed controller);

    /// @notice The controller may not be the zero address.
    error ZeroController();

    /// @notice Only the controller may mint and burn.
    /// @param account Who tried.
    error NotController(address account);

    modifier onlyController() {
        if (_msgSender() != controller) revert NotController(_msgSender());
        _;
    }

    /// @param name_ The token's name, shown by wallets.
    /// @param symbol_ The token's symbol, shown by wallets.
    /// @param controller_ Who may mint and burn, and owns the token. Not zero.
    constructor(
        string memory name_,
        string memory symbol_,
        address controller_
    ) ERC20(name_, symbol_) Ownable(_notZero(controller_)) {
        _setController(controller_);
    }

    /// @notice Appoints another controller. The former one loses its right at once. Only the owner may.
    /// @param controller_ Who may mint and burn from now on. Not zero.
    function setController(address controller_) external onlyOwner {
        _setController(controller_);
    }

    /// @notice Creates tokens. Only the controller may.
    /// @param to Who receives them. Not zero.
    /// @param amount How many, in base units (18 decimals).
    function mint(address to, uint256 amount) external onlyController {
        _mint(to, amount);
    }

    /// @notice Destroys tokens of any holder, without an allowance. Only the controller may.
    /// @param from Whose tokens are destroyed. Not zero, and holding at least `amount`.
    /// @param amount How many, in base units (18 decimals).
    function burn(address from, uint256 amount) external onlyController {
        _burn(from, amount);
    }

    function _setController(address controller_) private {
        controller = _notZero(controller_);
        emit ControllerSet(controller_);
    }

    function _notZero(address controller_) private pure returns (address) {
        if (controller_ == address(0)) revert ZeroController();
        return controller_;
    }
}
