"""The tests' own way to wait, by a given clock."""

from __future__ import annotations

import pytest

from tests.support.clock import ManualClock
from tests.support.waiting import attempts, eventually, unchanged


def test_what_is_there_is_not_waited_for() -> None:
    clock = ManualClock()
    assert eventually(lambda: "there", clock=clock) == "there"
    assert clock.pauses == []


def test_it_is_read_again_after_each_pause_until_it_is_there() -> None:
    clock, values = ManualClock(), iter([0, None, "", 4, 5])
    assert eventually(lambda: next(values), every=0.5, clock=clock) == 4
    assert clock.pauses == [0.5] * 3


def test_what_is_there_may_be_as_wanted_and_not_only_true() -> None:
    values = iter([3, 2, 1, 0])
    assert eventually(lambda: next(values), lambda value: value == 0, clock=ManualClock()) == 0


def test_a_pause_can_be_as_long_as_what_was_read_says() -> None:
    clock, values = ManualClock(), iter([3, 2, 0])
    assert eventually(lambda: next(values), lambda value: not value, every=float, clock=clock) == 0
    assert clock.pauses == [3, 2]


def test_something_can_be_done_whenever_it_is_not_there_yet() -> None:
    done: list[int] = []
    assert eventually(lambda: list(done), lambda found: len(found) == 2, meanwhile=lambda: done.append(1),
                      clock=ManualClock()) == [1, 1]  # fmt: skip


def test_after_the_deadline_it_is_read_once_more_and_fails_with_what_was_read() -> None:
    clock, read = ManualClock(), []

    def found() -> int:
        read.append(clock.seconds)
        return len(read)

    with pytest.raises(AssertionError, match=r"^not within 2 s: ten reads; last read: 4$"):
        eventually(found, lambda value: value == 10, within=2, every=0.75, what="ten reads", clock=clock)
    assert read == [1000.0, 1000.75, 1001.5, 1002.25]


def test_what_comes_with_the_last_read_is_there() -> None:
    clock = ManualClock()
    assert eventually(lambda: clock.seconds >= 1002, within=2, every=1.5, clock=clock) is True


def test_what_is_missing_can_be_found_out_when_it_is() -> None:
    asked: list[str] = []
    eventually(lambda: True, what=lambda: asked.append("too early"), clock=ManualClock())
    with pytest.raises(AssertionError, match="not within 1 s: its history; last read: None"):
        eventually(lambda: None, within=1, what=lambda: "its history", clock=ManualClock())
    assert asked == []


def test_what_a_read_raises_is_raised() -> None:
    def broken() -> None:
        raise KeyError("broken")

    with pytest.raises(KeyError):
        eventually(broken, clock=ManualClock())


def test_attempts_end_with_their_time() -> None:
    clock = ManualClock()
    assert [clock.seconds for _ in attempts(1, 0.4, clock)] == [1000.0, 1000.4, 1000.8, pytest.approx(1001.2)]


def test_what_stays_the_same_is_returned_after_its_time() -> None:
    clock = ManualClock()
    assert unchanged(lambda: [1], 2, 0.5, clock) == [1]
    assert clock.seconds == 1002


@pytest.mark.parametrize("after", [0.5, 1.9, 2.0])
def test_a_change_fails_at_any_time(after: float) -> None:
    clock = ManualClock()
    with pytest.raises(AssertionError, match="changed from False to True"):
        unchanged(lambda: clock.seconds >= 1000 + after, 2, 0.25, clock)
