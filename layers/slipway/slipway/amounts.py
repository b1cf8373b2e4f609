"""Amounts of tokens: whole tokens as decimal text, and base units as integers."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from slipway.errors import ValidationFailedError

MAX_UINT256 = 2**256 - 1
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")


def _decimal(text: str) -> str:
    if not _DECIMAL.fullmatch(text):
        raise ValueError("must be a decimal number as text, such as 10.5, without sign, spaces or leading zeros")
    return text


DecimalText = Annotated[str, Field(min_length=1, max_length=100, examples=["10.5"]), AfterValidator(_decimal)]


def base_units(text: str, decimals: int, *, least: int = 0) -> int:
    """Return an amount in base units.

    Args:
        text: Whole tokens, of the shape of ``DecimalText``.
        decimals: The token's.
        least: The least that is an amount here, in base units.

    Raises:
        ValueError: It is less, has more digits after the point than the token, or is over 2^256 - 1.
    """
    whole, _, fraction = text.partition(".")
    if len(fraction) > decimals:
        raise ValueError(f"has more than the token's {decimals} decimals")
    amount = int(whole + fraction.ljust(decimals, "0"))
    if not least <= amount <= MAX_UINT256:
        bound = "must be more than zero, and at most" if least else "must be at most"
        raise ValueError(f"{bound} 2^256 - 1 base units")
    return amount


def parse_amount(text: str, decimals: int, field: str = "amount") -> int:
    """Return an amount of more than zero in base units; raises ValidationFailedError, naming ``field``."""
    try:
        return base_units(text, decimals, least=1)
    except ValueError as error:
        raise ValidationFailedError.of_field(field, str(error)) from None


def format_amount(amount: int, decimals: int) -> str:
    """Return base units in whole tokens, with all of the token's decimals; the inverse of ``parse_amount``."""
    digits = str(amount).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


def without_zeros(text: str) -> str:
    """Return a decimal text without the zeros at its end, and without a point that nothing follows."""
    return text.rstrip("0").rstrip(".") if "." in text else text
