// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";

/// @dev A wallet that a passkey signs for: P-256 over what an authenticator and a browser say of the challenge.
contract SignedByPasskey {
    bytes32 private immutable X;
    bytes32 private immutable Y;

    constructor(bytes32 x, bytes32 y) {
        (X, Y) = (x, y);
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (bool readable, WebAuthn.WebAuthnAuth calldata auth) = WebAuthn.tryDecodeAuth(signature);
        bool taken = readable && WebAuthn.verify(abi.encodePacked(digest), auth, X, Y);
        return taken ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
