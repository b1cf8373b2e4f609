"""Contract ABI encoding of the few types that Slipway's own contracts take.

The request path needs it and must stay light, so it is not the general library (eth-abi imports in tens of
milliseconds); a property test holds it to that library. Source: Solidity's Contract ABI Specification.
"""

from collections.abc import Sequence

from slipway.addresses import keccak256

Value = str | int
_WORD = 32


def _word(number: int) -> bytes:
    return number.to_bytes(_WORD, "big")


def _is_dynamic(kind: str) -> bool:
    return kind == "string"


def _encode_one(kind: str, value: Value) -> bytes:
    match kind, value:
        case "uint256", int():
            return _word(value)
        case "address", str():
            return _word(int(value, 16))
        case "string", str():
            data = value.encode()
            return _word(len(data)) + data + bytes(-len(data) % _WORD)
    raise TypeError(f"cannot encode {value!r} as {kind}")


def encode(kinds: Sequence[str], values: Sequence[Value]) -> bytes:
    """Encode arguments of the types ``string``, ``address`` and ``uint256``.

    Raises:
        TypeError: A type that is not among these, or a value of another type.
        ValueError: Not as many values as types.
    """
    encoded = [(_is_dynamic(kind), _encode_one(kind, value)) for kind, value in zip(kinds, values, strict=True)]
    offset = _WORD * len(encoded)
    head, tail = b"", b""
    for dynamic, data in encoded:
        if dynamic:
            head += _word(offset + len(tail))
            tail += data
        else:
            head += data
    return head + tail


def call_data(signature: str, values: Sequence[Value]) -> bytes:
    """The data of a call: the selector of ``signature``, such as ``register(string,address)``, and its arguments."""
    kinds = signature[signature.index("(") + 1 : -1]
    return keccak256(signature.encode())[:4] + encode(kinds.split(",") if kinds else [], values)
