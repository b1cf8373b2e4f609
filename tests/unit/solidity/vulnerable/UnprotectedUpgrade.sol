// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";

/// Whoever initializes the implementation first may destroy it.
contract UnprotectedUpgrade is Initializable {
    address payable public owner;

    function initialize() external initializer {
        owner = payable(msg.sender);
    }

    function end() external {
        require(msg.sender == owner, "not the owner");
        selfdestruct(owner);
    }
}
