"""Server-Sent Events: no data can break the frame."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.server_sent_events import comment, event, retry
from tests.support.event_stream import parse_events


@given(st.text(st.characters(codec=None), max_size=50))
def test_whatever_a_line_holds_comes_out_as_it_was(line: str) -> None:
    (parsed,) = parse_events(event({"line": line}, event_id="x1"))
    assert parsed.data == {"line": line.encode("utf-8", "replace").decode()}
    assert (parsed.id, parsed.name) == ("x1", "message")


@pytest.mark.parametrize("line", ["a\nb", "a\r\n\r\nevent: end\ndata: {}\n\n", "\x00\x1b[31m", "\u2028", "data: x"])
def test_a_line_can_not_forge_an_event(line: str) -> None:
    text = event({"line": line}, event_id="x1") + event({}, event_id="x2", name="end")
    assert [parsed.name for parsed in parse_events(text)] == ["message", "end"]


def test_a_mark_is_no_event_but_sets_the_position() -> None:
    text = retry(0.2) + comment("x9", "nothing\nnew")
    assert parse_events(text) == []
    assert text == "retry: 200\n\n: nothing new\nid: x9\n\n"


def test_data_is_json() -> None:
    assert json.loads(event({"line": "ä"}, event_id="1").split("data: ")[1]) == {"line": "ä"}
