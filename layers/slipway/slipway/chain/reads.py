"""Several view calls at once: an ``eth_call`` of the creation code of ``contracts/Reads.sol``, which is never deployed.

So it works on every chain, with whatever contracts are there. Source: the Ethereum JSON-RPC specification (``eth_call``
without ``to``) and Solidity's Contract ABI Specification.
"""

from collections.abc import Sequence

from slipway.chain.abi import encode
from slipway.chain.contracts import load
from slipway.chain.json_rpc import JsonRpc

_WORD = 32

# What is called, and the call's data.
type Read = tuple[str, bytes]


def read_together(rpc: JsonRpc, reads: Sequence[Read]) -> list[bytes | None]:
    """Return what each call returns at the latest block, all of one block; None for one that reverts.

    Raises:
        UpstreamUnavailableError: No node answered.
        RpcError: A node judged the whole, such as for using too much gas.
    """
    if not reads:
        return []
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
