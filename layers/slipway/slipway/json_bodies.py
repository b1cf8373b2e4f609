"""Reading a JSON body that anyone may have written."""

import json
import math
from typing import Any

from slipway.errors import ValidationFailedError

_MAX_DEPTH = 32


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is given twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


def _depth(value: Any) -> int:
    deepest, layer = 0, [value]
    while layer:
        deepest += 1
        layer = [
            child
            for parent in layer
            for child in (parent.values() if isinstance(parent, dict) else parent if isinstance(parent, list) else ())
        ]
        if deepest > _MAX_DEPTH:
            break
    return deepest


def parse_json(raw: bytes) -> Any:
    """Read a JSON body: UTF-8, no field twice, finite numbers, whole characters, not nested deeper than 32 levels.

    Raises:
        ValidationFailedError: It is none of that.
    """
    try:
        # Decoded here, because json.loads would take UTF-16, UTF-32 and a byte order mark from bytes.
        text = raw.decode()
        value = json.loads(
            text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite_float
        )
        if "\\ud" in text.lower():
            # Half a surrogate pair can be escaped into JSON, but never be answered or stored.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "not valid JSON"
        if str(error) == "a field is given twice":
            reason = str(error)
        raise ValidationFailedError.of_field("body", reason) from error
    if _depth(value) > _MAX_DEPTH:
        raise ValidationFailedError.of_field("body", "nested too deeply")
    return value
