"""Going on in logs without numbers or times: nothing lost, nothing twice, or told."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slipway.akash.logs.positions import MAX_RUNS, Gap, Match, Position, find, fingerprint, position_in


def _prints(lines: list[str]) -> list[bytes]:
    return [fingerprint(line) for line in lines]


def _read(lines: list[str]) -> Position:
    """Return a reader who saw the pod's log from its first line."""
    return position_in(_prints(lines), len(lines), whole=True)


REPETITIVE = st.lists(st.sampled_from(["tick", "tock", "GET / 200"]), max_size=60)


@given(before=REPETITIVE, news=REPETITIVE)
def test_a_whole_log_is_resumed_exactly_however_it_repeats_itself(before: list[str], news: list[str]) -> None:
    assert find(_read(before), _prints(before + news), whole=True) == Match(len(before))


@given(before=st.integers(1, 400), news=st.integers(0, 400), room=st.integers(0, 100))
def test_the_end_of_a_log_of_different_lines_is_resumed_exactly(before: int, news: int, room: int) -> None:
    log = [f"line {number}" for number in range(before + news)]
    window = log[-(news + MAX_RUNS + room) :]
    whole = len(window) == len(log)
    found = find(_read(log[:before]), _prints(window), whole=whole)
    assert log[-len(window) :][found.start :] == log[before:]
    assert found.gap is None


@given(before=REPETITIVE, news=REPETITIVE, cut=st.integers(0, 60), known=st.booleans())
@example(before=["tick"] * 5, news=["tick"] * 3, cut=2, known=False)
@example(before=["tick", "tock"] * 20, news=["tick", "tock"], cut=3, known=True)
def test_the_end_of_a_log_that_repeats_itself_is_resumed_exactly_or_the_doubt_is_reported(
    before: list[str], news: list[str], cut: int, known: bool
) -> None:
    log = before + news
    position = _read(before)
    position = Position(position.count, known, position.runs)
    window = log[min(cut, len(log)) :]
    truth = len(before) - (len(log) - len(window))
    found = find(position, _prints(window), whole=False)
    if position.runs and position.overlap <= truth:
        assert found.start == truth or found.gap is Gap.AMBIGUOUS
        assert found.start >= truth
    if found.gap is Gap.AMBIGUOUS:
        assert not found.settled


def test_repetitions_after_something_else_are_counted() -> None:
    before = [*(f"boot {number}" for number in range(30)), *["tick"] * 700]
    window = [*before[20:], *["tick"] * 55]
    assert find(Position(0, False, _read(before).runs), _prints(window), whole=False) == Match(710)


def test_repetitions_without_anything_else_are_a_doubt() -> None:
    position = Position(5000, False, ((fingerprint("tick"), 5000),))
    found = find(position, _prints(["tick"] * 1000), whole=False)
    assert found == Match(1000, Gap.AMBIGUOUS, settled=False)


def test_a_restarted_pod_is_a_gap_and_all_it_wrote_is_new() -> None:
    position = _read([f"old {number}" for number in range(50)])
    assert find(position, _prints(["new 1", "new 2"]), whole=True) == Match(0, Gap.RESTARTED)


def test_lines_that_are_gone_are_a_gap_that_a_longer_window_may_close() -> None:
    log = [f"line {number}" for number in range(5000)]
    position = _read(log[:100])
    assert find(position, _prints(log[-1000:]), whole=False) == Match(0, Gap.OVERWRITTEN, settled=False)
    assert find(position, _prints(log), whole=True) == Match(100)


def test_a_window_that_begins_within_what_was_read_is_enough() -> None:
    log = [f"line {number}" for number in range(200)]
    assert find(_read(log[:100]), _prints(log[95:]), whole=False) == Match(5)


def test_a_log_that_was_cut_at_its_beginning_is_recognized() -> None:
    log = [f"line {number}" for number in range(200)]
    assert find(_read(log[:100]), _prints(log[50:120]), whole=True) == Match(50)


def test_nothing_read_yet_begins_at_the_first_line() -> None:
    assert find(Position(), _prints(["a"]), whole=True) == Match(0)
    assert find(Position(), _prints(["a"] * 10), whole=False).gap is Gap.OVERWRITTEN


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_a_position_counts_every_line_and_keeps_few(lines: list[str]) -> None:
    position = _read(lines)
    assert position.count == len(lines)
    assert len(position.runs) <= MAX_RUNS
    assert position.last(10**6) == b"".join(_prints(lines)[len(lines) - position.overlap :])


@pytest.mark.parametrize("line", ["", "\ud800", "\x00", "🚀", "x" * 10**6])
def test_every_line_has_a_fingerprint(line: str) -> None:
    assert len(fingerprint(line)) == 3
