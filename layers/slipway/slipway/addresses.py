"""Ethereum addresses as text (EIP-55)."""

import re

from slipway.errors import ValidationFailedError

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def keccak256(data: bytes) -> bytes:
    """Return the 32-byte Keccak-256 digest that Ethereum uses."""
    # Here, because it costs a cold start more than any module of ours, and a heartbeat seldom needs it.
    from Crypto.Hash import keccak

    return keccak.new(data=data, digest_bits=256).digest()


def to_checksum(address: str) -> str:
    """Return the EIP-55 form of 20 bytes in hexadecimal, with or without letters in the right case."""
    digits = address[2:].lower()
    digest = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(nibble, 16) >= 8 else digit for digit, nibble in zip(digits, digest, strict=False)
    )


def possible_address(text: str, field: str) -> str:
    """Read an address without judging its checksum: for what is then looked up, where a wrong one is not found.

    Returns:
        The EIP-55 form; digits in mixed case as they are, for they are in that form or wrong.

    Raises:
        ValidationFailedError: Not 20 bytes in hexadecimal; names ``field``.
    """
    if not _ADDRESS.fullmatch(text):
        raise ValidationFailedError.of_field(field, "must be an Ethereum address: 0x and 40 hexadecimal digits")
    digits = text[2:]
    return to_checksum(text) if digits in (digits.lower(), digits.upper()) else text


def parse_address(text: str, field: str) -> str:
    """Read an address that a caller gave.

    All lower-case and all upper-case digits carry no checksum and are accepted; mixed case must be right.

    Returns:
        The EIP-55 form.

    Raises:
        ValidationFailedError: Not 20 bytes in hexadecimal, or a wrong checksum; names ``field``.
    """
    address = possible_address(text, field)
    if address != to_checksum(address):
        raise ValidationFailedError.of_field(field, "has a wrong EIP-55 checksum")
    return address
