"""What scheduled runs have in common: steps are done while there is time, and one that fails stops no other."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.sweep import do_steps, find_and_do
from slipway.tasks import State
from tests.support.clock import ManualClock


def _steps(count: int) -> list[dict[str, Any]]:
    return [{"state": "Double", "number": number} for number in range(count)]


def _fail(_: dict[str, Any]) -> None:
    raise KeyError("a surprise")


STATES: dict[str, State] = {
    "Double": lambda event: {"doubled": 2 * event["number"]},
    "Silent": lambda _: None,
    "Unfinished": lambda event: {"again": True},
    "Until": lambda event: {"seen": event["until"]},
    "Fail": _fail,
    "FindTwo": lambda _: {"steps": _steps(2)},
    "FindNone": lambda _: {"steps": []},
}


def test_every_step_is_done_and_answered() -> None:
    done, rest = do_steps([*_steps(2), {"state": "Silent"}], STATES, until=2000, clock=ManualClock())
    assert done == [
        {"state": "Double", "number": 0, "doubled": 0},
        {"state": "Double", "number": 1, "doubled": 2},
        {"state": "Silent"},
    ]
    assert rest == []


def test_what_there_is_no_time_for_is_left() -> None:
    clock = ManualClock()
    slow = [{**step, "state": "Slow"} for step in _steps(5)]
    states: dict[str, State] = {"Slow": lambda _: clock.sleep(1)}
    assert do_steps(slow, states, until=clock.seconds + 2, clock=clock) == (slow[:2], slow[2:])
    assert do_steps(_steps(2), STATES, until=-float("inf")) == ([], _steps(2))


def test_a_step_that_fails_is_left_and_counted_and_stops_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    done, rest = do_steps([{"state": "Fail"}, *_steps(1)], STATES, until=2000, clock=ManualClock())
    assert [step["state"] for step in done] == ["Double"]
    assert rest == [{"state": "Fail"}]
    told = capsys.readouterr().out
    assert '"state":"Fail","StepsFailed":[1.0]' in told


def test_a_step_that_is_not_finished_is_done_and_left() -> None:
    unfinished = {"state": "Unfinished"}
    assert do_steps([unfinished], STATES, until=2000, clock=ManualClock()) == (
        [{**unfinished, "again": True}],
        [unfinished],
    )


def test_a_step_learns_how_long_it_has_and_does_not_pass_it_on() -> None:
    (done,), rest = do_steps([{"state": "Until"}], STATES, until=2000, clock=ManualClock())
    assert (done, rest) == ({"state": "Until", "seen": 2000}, [])


def test_a_finder_that_fails_stops_no_other() -> None:
    found = find_and_do(["Fail", "FindNone", "FindTwo"], STATES, until=2000, clock=ManualClock())
    assert [step["doubled"] for step in found["done"]] == [0, 2]
    assert (found["rest"], found["failed"]) == ([], ["Fail"])
    assert find_and_do(["FindTwo"], STATES, until=0, clock=ManualClock())["rest"] == _steps(2)
