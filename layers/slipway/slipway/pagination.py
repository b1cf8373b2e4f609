"""Cursors: where a list goes on, as text that a client hands back."""

import base64
import json
from typing import Any

from slipway.errors import ValidationFailedError


def encode_cursor(position: list[str]) -> str:
    """Encode a position as URL-safe text."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, parts: int) -> list[str]:
    """Decode a cursor; it comes from the client and must not widen what it may see.

    Raises:
        ValidationFailedError: It was not made by ``encode_cursor``, or not with that many parts.
    """
    try:
        position: Any = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError) as error:
        raise ValidationFailedError.of_field("cursor", "was not given by this list") from error
    if (
        not isinstance(position, list)
        or len(position) != parts
        or not all(isinstance(part, str) and part for part in position)
    ):
        raise ValidationFailedError.of_field("cursor", "was not given by this list")
    return position
