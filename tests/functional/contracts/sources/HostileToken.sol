// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A token that does what an escrow must survive: it keeps a fee, says that a transfer failed, or calls back while it
/// moves. It is a depositor itself, so that its calls back come from one.
contract HostileToken is ERC20 {
    uint256 public fee;
    bool public failing;
    address public target;
    bytes public callback;
    bool public succeeded;
    bytes public answer;

    constructor() ERC20("Hostile", "HOST") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setFee(uint256 fee_) external {
        fee = fee_;
    }

    function setFailing(bool failing_) external {
        failing = failing_;
    }

    /// Call `target_` with `callback_` during the next transfer.
    function arm(address target_, bytes calldata callback_) external {
        target = target_;
        callback = callback_;
    }

    /// Call anything in this contract's name.
    function call(address to, bytes calldata data) external {
        (bool success, bytes memory returned) = to.call(data);
        if (!success) {
            assembly {
                revert(add(returned, 32), mload(returned))
            }
        }
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        if (failing) return false;
        return super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        if (failing) return false;
        return super.transferFrom(from, to, value);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (from == address(0)) return super._update(from, to, value);
        super._update(from, to, value - fee);
        if (target == address(0)) return;
        address called = target;
        target = address(0);
        (succeeded, answer) = called.call(callback);
    }
}
