"""Cursors of lists."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import ValidationFailedError
from slipway.pagination import decode_cursor, encode_cursor

POSITIONS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=4)


@given(POSITIONS)
def test_a_cursor_is_read_back(position: list[str]) -> None:
    cursor = encode_cursor(position)
    assert decode_cursor(cursor, len(position)) == position
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?# ")


def _made(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "ü",
        "%%%",
        "\ud800",
        _made(5),
        _made(None),
        _made("abc"),
        _made({"a": 1, "b": 2, "c": 3}),
        _made(["a", "b"]),
        _made(["a", "b", "c", "d"]),
        _made(["a", "b", 3]),
        _made(["a", "b", ""]),
        _made(["a", "b", None]),
        base64.urlsafe_b64encode(b"[" * 100_000).decode().rstrip("="),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ValidationFailedError) as caught:
        decode_cursor(cursor, 3)
    assert caught.value.details is not None
    assert caught.value.details["fields"][0]["field"] == "cursor"
