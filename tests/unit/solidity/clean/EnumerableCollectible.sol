// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721Enumerable} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721Enumerable.sol";
import {Ownable2Step, Ownable} from "@openzeppelin/contracts/access/Ownable2Step.sol";

contract EnumerableCollectible is ERC721Enumerable, Ownable2Step {
    constructor(address owner) ERC721("Enumerable", "ENUM") Ownable(owner) {}

    function mint(address to, uint256 id) external onlyOwner {
        _mint(to, id);
    }
}
