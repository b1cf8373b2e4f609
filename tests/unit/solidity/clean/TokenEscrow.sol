// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

/// Holds deposits until the arbiter gives them to the seller.
contract TokenEscrow is ReentrancyGuard {
    using SafeERC20 for IERC20;

    IERC20 public immutable token;
    address public immutable seller;
    address public immutable arbiter;
    mapping(address buyer => uint256 amount) public deposits;

    event Deposited(address indexed buyer, uint256 amount);
    event Released(address indexed buyer, uint256 amount);

    error NotArbiter();
    error ZeroAddress();

    constructor(IERC20 token_, address seller_, address arbiter_) {
        if (seller_ == address(0) || arbiter_ == address(0)) revert ZeroAddress();
        token = token_;
        seller = seller_;
        arbiter = arbiter_;
    }

    function deposit(uint256 amount) external nonReentrant {
        deposits[msg.sender] += amount;
        emit Deposited(msg.sender, amount);
        token.safeTransferFrom(msg.sender, address(this), amount);
    }

    function release(address buyer) external nonReentrant {
        if (msg.sender != arbiter) revert NotArbiter();
        uint256 amount = deposits[buyer];
        deposits[buyer] = 0;
        emit Released(buyer, amount);
        token.safeTransfer(seller, amount);
    }
}
