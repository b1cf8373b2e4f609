"""The table of texts by calls is of the present code, and holds what was promised of it."""

from __future__ import annotations

import pytest

from bench import refusals
from bench.refusals import CALLS, TRANSPORT, Text, outcome, texts

FINAL = "fails"


@pytest.fixture(scope="module")
def rows() -> list[tuple[Text, list[str]]]:
    return refusals.rows()


def test_the_documents_are_current(rows: list[tuple[Text, list[str]]]) -> None:
    assert refusals.stale(rows) == {}, "run local/python -m bench.refusals"


def test_no_read_fails_for_good_but_by_a_revert(rows: list[tuple[Text, list[str]]]) -> None:
    """Of a call only a revert counts, of an estimate that and rules of the protocol, of the others nothing."""
    columns = list(CALLS)
    for text, outcomes in rows:
        by_call = dict(zip(columns, outcomes, strict=True))
        assert FINAL not in [by_call[call] for call in columns[3:]], text
        if by_call["call"] == FINAL:
            assert "revert" in text.words.lower(), text
        if by_call["estimate"] == FINAL:
            assert FINAL in (by_call["call"], by_call["send"]), text
    assert len(rows) > 700


@pytest.mark.parametrize("call", CALLS)
def test_what_is_not_final_makes_the_next_address_answer(call: str, rows: list[tuple[Text, list[str]]]) -> None:
    column = list(CALLS).index(call)
    sample = rows[::9] + rows[-len(TRANSPORT) :]
    asked = [text for text, outcomes in sample if outcomes[column] not in (FINAL, "answered")]
    assert len(asked) > 60
    assert {outcome(text, call, addresses=2) for text in asked} == {"next address answers"}


def test_each_text_is_there_once() -> None:
    found = [(text.client, text.words) for text in texts()]
    assert len(found) == len(set(found))
