"""Contract ABI encoding of the few types that contracts take which Slipway deploys, and reading of what they answer.

The request path needs it and must stay light, so it is not the general library (eth-abi imports in tens of
milliseconds); a property test holds it to that library. Source: Solidity's Contract ABI Specification.
"""

from collections.abc import Sequence

from slipway.addresses import keccak256

Value = str | int | bytes | Sequence[str] | Sequence[int]
_WORD = 32
_ADDRESS = 20


def _word(number: int) -> bytes:
    return number.to_bytes(_WORD, "big")


def _is_dynamic(kind: str) -> bool:
    return kind in ("string", "bytes", "address[]", "uint256[]")


def _address(text: str) -> bytes:
    data = bytes.fromhex(text.removeprefix("0x"))
    if len(data) != _ADDRESS:
        raise ValueError(f"{text!r} is not an address")
    return data.rjust(_WORD, b"\0")


def _counted(data: bytes) -> bytes:
    return _word(len(data)) + data + bytes(-len(data) % _WORD)


def _encode_one(kind: str, value: Value) -> bytes:
    match kind, value:
        case "uint256", int():
            return _word(value)
        case "uint8", int():
            return value.to_bytes(1, "big").rjust(_WORD, b"\0")
        case "bytes32", bytes() if len(value) == _WORD:
            return value
        case "address", str():
            return _address(value)
        case "address[]", list() | tuple() if all(isinstance(entry, str) for entry in value):
            return _word(len(value)) + b"".join(_address(str(entry)) for entry in value)
        case "uint256[]", list() | tuple() if all(isinstance(entry, int) for entry in value):
            return _word(len(value)) + b"".join(_word(int(entry)) for entry in value)
        case "string", str():
            return _counted(value.encode())
        case "bytes", bytes():
            return _counted(value)
    raise TypeError(f"cannot encode {value!r} as {kind}")


def encode(kinds: Sequence[str], values: Sequence[Value]) -> bytes:
    """Encode arguments of the types that ``_encode_one`` names.

    Raises:
        TypeError: A type that is not among these, or a value of another type.
        ValueError: Not as many values as types, or an address that is none.
        OverflowError: A number that its type can't hold.
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
    """Return the data of a call: the selector of ``signature`` (``register(string,address)``) and its arguments."""
    kinds = signature[signature.index("(") + 1 : -1]
    return keccak256(signature.encode())[:4] + encode(kinds.split(",") if kinds else [], values)


def words(answer: bytes) -> list[int]:
    """Return the 32-byte words of an answer without dynamic parts, as numbers; ValueError when it has other bytes."""
    if len(answer) % _WORD:
        raise ValueError("an answer is made of words of 32 bytes")
    return [int.from_bytes(answer[start : start + _WORD], "big") for start in range(0, len(answer), _WORD)]


def address_of(word: int) -> str:
    """Return the address in a word, in lower case; raises ValueError when the word is none."""
    if word >> 160:
        raise ValueError("an address has 20 bytes")
    return f"0x{word:040x}"


def string_at(answer: bytes, position: int) -> str:
    """Return the string whose offset is the word at a position of an answer; raises ValueError when there is none."""
    head = answer[position * _WORD : (position + 1) * _WORD]
    offset = int.from_bytes(head, "big")
    length = int.from_bytes(answer[offset : offset + _WORD], "big")
    data = answer[offset + _WORD : offset + _WORD + length]
    if len(head) < _WORD or offset + _WORD > len(answer) or len(data) < length:
        raise ValueError("the answer has no such string")
    return data.decode()
