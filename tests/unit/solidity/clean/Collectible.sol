// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721Royalty} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721Royalty.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

contract Collectible is ERC721Royalty, Ownable {
    uint256 private _next;

    constructor(address owner) ERC721("Collectible", "CLT") Ownable(owner) {
        _setDefaultRoyalty(owner, 250);
    }

    function mint(address to) external onlyOwner returns (uint256 id) {
        id = _next++;
        _mint(to, id);
    }
}
