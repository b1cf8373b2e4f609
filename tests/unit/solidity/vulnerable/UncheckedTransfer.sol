// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// Takes no notice of a token that returns false.
contract UncheckedTransfer {
    IERC20 public immutable token;
    mapping(address account => uint256 amount) public deposits;

    constructor(IERC20 token_) {
        token = token_;
    }

    function deposit(uint256 amount) external {
        deposits[msg.sender] += amount;
        token.transferFrom(msg.sender, address(this), amount);
    }
}
