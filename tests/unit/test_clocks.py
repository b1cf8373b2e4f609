"""Tests run as on another day: the clock that they see, and what comes of a failure."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from local import clocks
from tests.support.clock import PatientClock, effort, taking


def test_all_processes_see_the_day_and_measure_as_ever() -> None:
    code = "import subprocess, time; print(time.time(), time.monotonic(), flush=True); subprocess.run(['date', '+%s'])"
    before, started = time.time(), time.monotonic()
    environment = {**os.environ, **clocks.variables(30)}
    shown = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout
    here, measured, of_a_child = (float(text) for text in shown.split())
    for seen in (here, of_a_child):
        assert -2 < seen - 30 * 24 * 3600 - before < time.time() - before + 2
    assert started <= measured <= time.monotonic()


def test_every_time_is_tried_and_what_failed_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried: list[tuple[int, bool]] = []

    def run(days: int, paths: list[str], *, half_speed: bool = False) -> bool:
        assert paths == ["tests/some"]
        tried.append((days, half_speed))
        return days != 30

    monkeypatch.setattr(clocks, "run", run)
    assert clocks.main(["tests/some"]) == 1
    assert tried == [(1, False), (30, False), (365, False), (0, True)]
    assert "Failed 30 days ahead." in capsys.readouterr().out


def test_a_patient_clock_counts_what_was_waited_for_and_computed_and_not_what_the_machine_took() -> None:
    now, computed = [100.0], [7.0]
    patient = PatientClock(lambda: now[0], lambda: computed[0])
    for _ in range(100):
        now[0] += 0.01
        patient.monotonic()
    assert patient.monotonic() == pytest.approx(1)
    now[0] += 5
    assert patient.monotonic() == pytest.approx(1.02)
    now[0], computed[0] = now[0] + 3, computed[0] + 3
    assert patient.monotonic() == pytest.approx(4.02)


def test_what_takes_too_long_or_not_long_enough_is_found() -> None:
    with pytest.raises(AssertionError), taking(less_than=60, at_least=0.5):
        pass
    with pytest.raises(AssertionError), taking(less_than=0):
        sum(range(1_000_000))
    with taking(less_than=60):
        pass


def test_effort_is_counted_in_a_fixed_sum() -> None:
    assert 3 < effort(lambda: sum(range(1_000_000))) < 40
