"""Cursors of log streams: they survive the way to the client and back, and whatever else comes is refused."""

from __future__ import annotations

import base64
import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.akash.logs.cursors import MAX_TEXT, Cursor, CursorError, decode_cursor, encode_cursor, pod_key
from slipway.akash.logs.positions import MAX_RUNS, Position

RUNS = st.lists(st.tuples(st.binary(min_size=3, max_size=3), st.integers(1, 10**9)), max_size=MAX_RUNS).map(tuple)
POSITIONS = st.builds(Position, count=st.integers(0, 2**50), exact=st.booleans(), runs=RUNS)
PODS = st.dictionaries(st.binary(min_size=4, max_size=4), POSITIONS, max_size=3)
CURSORS = st.builds(Cursor, services=st.dictionaries(st.text(max_size=20), PODS, max_size=4), ended=st.booleans())


@given(CURSORS)
def test_a_cursor_comes_back_as_it_was(cursor: Cursor) -> None:
    text = encode_cursor(cursor)
    assert decode_cursor(text) == cursor
    assert text.isascii()
    assert text.isprintable()
    assert " " not in text


@pytest.mark.parametrize("text", ["", "0", "abc", "a b", "é", "==", "A" * MAX_TEXT, "A" * (MAX_TEXT + 1), "\n"])
def test_anything_else_is_no_cursor(text: str) -> None:
    with pytest.raises(CursorError):
        decode_cursor(text)


@given(CURSORS, st.integers(0, 10**6))
def test_a_damaged_cursor_is_no_cursor(cursor: Cursor, where: int) -> None:
    text = encode_cursor(cursor)
    where %= len(text)
    other = "A" if text[where] != "A" else "B"
    damaged = text[:where] + other + text[where + 1 :]
    try:
        # The last letter has bits that mean nothing.
        assert decode_cursor(damaged) == cursor
        assert where == len(text) - 1
    except CursorError:
        pass


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_in_another_way(raw: bytes) -> None:
    body = b"\x01\x00" + raw
    signed = hashlib.blake2b(body, digest_size=3).digest() + body
    with contextlib.suppress(CursorError):
        decode_cursor(base64.urlsafe_b64encode(signed).decode().rstrip("="))


def test_many_pods_make_it_no_longer_than_a_header_may_be() -> None:
    position = Position(10**6, True, tuple((bytes((number, 1, 2)), 3) for number in range(MAX_RUNS)))
    services = {
        f"service-{service:02}": {pod_key(f"{service}-{pod}"): position for pod in range(8)} for service in range(20)
    }
    assert len(encode_cursor(Cursor(services))) < MAX_TEXT
