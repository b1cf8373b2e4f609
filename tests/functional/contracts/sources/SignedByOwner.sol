// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @dev A wallet whose owner's key signs for it, and what deploys one at an address that is known before.
contract SignedByOwner {
    address private immutable OWNER;

    constructor(address owner) {
        OWNER = owner;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (address signer, ECDSA.RecoverError error,) = ECDSA.tryRecover(digest, signature);
        bool taken = error == ECDSA.RecoverError.NoError && signer == OWNER;
        return taken ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

contract WalletFactory {
    function make(address owner) external returns (address) {
        return address(new SignedByOwner{salt: 0}(owner));
    }
}

/// @dev A contract that answers, reverts or burns gas where a wallet would judge.
contract Hostile {
    uint256 private immutable KIND;

    constructor(uint256 kind) {
        KIND = kind;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        if (KIND == 0) return hex"1626ba7e";
        if (KIND == 1) return abi.encode(uint256(1));
        if (KIND == 2) revert("no");
        while (true) {}
        return "";
    }
}
