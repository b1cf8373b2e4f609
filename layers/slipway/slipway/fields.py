"""Field types that request and answer models of several capabilities share."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from slipway.addresses import parse_address
from slipway.errors import ValidationFailedError


def printable(text: str) -> str:
    """Return the text if it has one look. Raise ValueError for control, format and surrogate characters, and for text
    that is not in Unicode's NFC form or has spaces around it."""
    if not text.isprintable() or unicodedata.normalize("NFC", text) != text or text != text.strip():
        raise ValueError("must be printable text in Unicode's NFC form, without spaces around it")
    return text


def _address(text: str) -> str:
    try:
        return parse_address(text, "address")
    except ValidationFailedError as error:
        raise ValueError(error.message.removeprefix("address: ")) from None


Address = Annotated[
    str, Field(max_length=42, examples=["0x70997970C51812dc3A010C7d01b50e0d17dc79C8"]), AfterValidator(_address)
]
