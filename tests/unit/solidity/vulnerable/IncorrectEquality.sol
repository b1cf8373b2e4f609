// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// One wei sent by force stops it for ever.
contract IncorrectEquality {
    bool public open;

    receive() external payable {}

    function start() external {
        require(address(this).balance == 10 ether, "not full");
        open = true;
    }

    function leave() external {
        require(open, "closed");
        payable(msg.sender).transfer(1 ether);
    }
}
