"""Several view calls at once: an ``eth_call`` of the creation code of ``contracts/Reads.sol``, which is never deployed.

So it works on every chain, with whatever contracts are there. Source: the Ethereum JSON-RPC specification (``eth_call``
without ``to``) and Solidity's Contract ABI Specification.
"""

from collections.abc import Sequence

from slipway.chain.abi import encode
from slipway.chain.contracts import load
from slipway.chain.json_rpc import JsonRpc

_WORD = 32
# What creation code may return (EIP-170); each answer takes four words besides what it holds.
_MAX_RETURNED = 24_576
_OVERHEAD_WORDS = 4

# What is called, and the call's data.
type Read = tuple[str, bytes]


def read_together(rpc: JsonRpc, reads: Sequence[Read], answer_words: int = 1) -> list[bytes | None]:
    """Return what each call returns at the latest block; None for one that reverts.

    All are of one block if their answers have room in one: 153 of one word each.

    Args:
        rpc: The chain's nodes.
        reads: The calls.
        answer_words: The most words that a call returns.

    Raises:
        UpstreamUnavailableError: No node answered.
        RpcError: A node refused the whole, such as for using too much gas.
    """
    most = (_MAX_RETURNED // _WORD - 2) // (_OVERHEAD_WORDS + answer_words)
    parts = [reads[start : start + most] for start in range(0, len(reads), most)]
    return [answer for part in parts for answer in _read(rpc, part)]


def _read(rpc: JsonRpc, reads: Sequence[Read]) -> list[bytes | None]:
    code = load("Reads").bytecode + _encoded(reads).hex()
    return rpc.create_call(code, lambda answer: _answers(answer, len(reads)))


def _encoded(reads: Sequence[Read]) -> bytes:
    entries = [
        encode(("address", "uint256", "uint256"), (target, 2 * _WORD, len(data))) + data + bytes(-len(data) % _WORD)
        for target, data in reads
    ]
    return encode(("uint256", "uint256"), (_WORD, len(entries))) + _offsets(entries) + b"".join(entries)


def _offsets(entries: Sequence[bytes]) -> bytes:
    offset, found = _WORD * len(entries), b""
    for entry in entries:
        found += encode(("uint256",), (offset,))
        offset += len(entry)
    return found


def _answers(answer: bytes, count: int) -> list[bytes | None]:
    """Decode ``(bool success, bytes data)[]`` of so many entries; raise ValueError for anything else."""

    def number(place: int) -> int:
        if place + _WORD > len(answer):
            raise ValueError("the answer ends too early")
        return int.from_bytes(answer[place : place + _WORD], "big")

    begin = number(0) + _WORD
    if number(begin - _WORD) != count:
        raise ValueError("the answer has another number of entries")
    found: list[bytes | None] = []
    for position in range(count):
        entry = begin + number(begin + position * _WORD)
        data = entry + number(entry + _WORD)
        length = number(data)
        if data + _WORD + length > len(answer):
            raise ValueError("the answer ends too early")
        found.append(answer[data + _WORD : data + _WORD + length] if number(entry) else None)
    return found
