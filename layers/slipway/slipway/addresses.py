"""Ethereum addresses as text (EIP-55)."""

import re

from Crypto.Hash import keccak

from slipway.errors import ValidationFailedError

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def keccak256(data: bytes) -> bytes:
    """The 32-byte Keccak-256 digest that Ethereum uses."""
    return keccak.new(data=data, digest_bits=256).digest()


def to_checksum(address: str) -> str:
    """The EIP-55 form of 20 bytes in hexadecimal, with or without letters in the right case."""
    digits = address[2:].lower()
    digest = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(nibble, 16) >= 8 else digit for digit, nibble in zip(digits, digest, strict=False)
    )


def parse_address(text: str, field: str) -> str:
    """Read an address that a caller gave.

    All lower-case and all upper-case digits carry no checksum and are accepted; mixed case must be right.

    Returns:
        The EIP-55 form.

    Raises:
        ValidationFailedError: Not 20 bytes in hexadecimal, or a wrong checksum; names ``field``.
    """
    if not _ADDRESS.fullmatch(text):
        raise ValidationFailedError.of_field(field, "must be an Ethereum address: 0x and 40 hexadecimal digits")
    checksummed = to_checksum(text)
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and text != checksummed:
        raise ValidationFailedError.of_field(field, "has a wrong EIP-55 checksum")
    return checksummed
