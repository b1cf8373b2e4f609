// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title SignatureValidator
/// @notice Judges a contract wallet's signature (ERC-1271), of a wallet that is not deployed yet too (ERC-6492).
/// @dev Never deployed: `eth_call` runs its creation code, which returns one byte instead of a contract's code, 1 for a
///      signature that the wallet takes. What a wallet's factory does is undone with the call.
contract SignatureValidator {
    /// @dev Where a signature ends with this, a factory's call that deploys the wallet comes before it (ERC-6492).
    bytes32 private constant UNDEPLOYED = 0x6492649264926492649264926492649264926492649264926492649264926492;

    constructor(address wallet, bytes32 digest, bytes memory signature) {
        bool valid = _judge(wallet, digest, signature);
        assembly ("memory-safe") {
            mstore8(0, valid)
            return(0, 1)
        }
    }

    function _judge(address wallet, bytes32 digest, bytes memory signature) private returns (bool) {
        if (!_isOfUndeployed(signature)) return _takes(wallet, digest, signature);
        (address factory, bytes memory call, bytes memory inner) =
            abi.decode(_withoutEnd(signature), (address, bytes, bytes));
        if (_takes(wallet, digest, inner)) return true;
        // Not deployed, or deployed and not ready: the same call prepares it.
        (bool called,) = factory.call(call);
        return called && _takes(wallet, digest, inner);
    }

    function _isOfUndeployed(bytes memory signature) private pure returns (bool) {
        uint256 length = signature.length;
        if (length < 32) return false;
        bytes32 end;
        assembly ("memory-safe") {
            end := mload(add(signature, length))
        }
        return end == UNDEPLOYED;
    }

    function _withoutEnd(bytes memory signature) private pure returns (bytes memory start) {
        start = new bytes(signature.length - 32);
        for (uint256 at = 0; at < start.length; ++at) {
            start[at] = signature[at];
        }
    }

    function _takes(address wallet, bytes32 digest, bytes memory signature) private view returns (bool) {
        if (wallet.code.length == 0) return false;
        (bool answered, bytes memory answer) =
            wallet.staticcall(abi.encodeCall(IERC1271.isValidSignature, (digest, signature)));
        return answered && answer.length >= 32
            && abi.decode(answer, (bytes32)) == bytes32(IERC1271.isValidSignature.selector);
    }
}
