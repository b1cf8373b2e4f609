// SPDX-License-Identifier: MIT
pragma solidity ^0.8.27;

/// @title Reads
/// @notice Several view calls in one `eth_call`. It is never deployed: its creation code is called without an address,
///         and what the constructor returns in the place of code is the answers.
contract Reads {
    /// @notice One call.
    struct Read {
        address target;
        bytes data;
    }

    /// @notice What one call returned, or why it reverted.
    struct Answer {
        bool success;
        bytes data;
    }

    /// @param reads What to call, in order. A call that reverts stops no other.
    constructor(Read[] memory reads) {
        Answer[] memory answers = new Answer[](reads.length);
        for (uint256 i = 0; i < reads.length; ++i) {
            // The caller chooses the targets, pays for nothing, and nothing is kept.
            // slither-disable-next-line low-level-calls,calls-loop
            (bool success, bytes memory data) = reads[i].target.staticcall(reads[i].data);
            answers[i] = Answer(success, data);
        }
        bytes memory encoded = abi.encode(answers);
        // Only assembly returns something else than this contract's code.
        // slither-disable-next-line assembly
        assembly {
            return(add(encoded, 32), mload(encoded))
        }
    }
}
