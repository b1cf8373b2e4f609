"""The write-ahead protocol as a model: Spin looks at every order in which things can happen.

``exactly_once.pml`` says what is checked; docs/exactly-once.md maps its steps to functions. A guard that is dropped has
to be found, which shows that the checker can fail.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from local.debian import install

MODEL = Path(__file__).with_name("exactly_once.pml")
ENDS_BADLY = "invalid end state"
# The parts of the model's world: with a stranger who has the key, or with another launch; with a first supply, which is
# a third transaction, or without. All of it at once has too many states for a minute.
WORLDS = [
    ("ALONE",),
    ("STRANGERS=0",),
    ("STRANGERS=0", "SUPPLY"),
    ("ALONE", "SUPPLY", "REORGANISATIONS=0"),
    ("ALONE", "SUPPLY", "ONE_EXECUTION"),
]
# Each guard of the protocol, what is seen without it, and the part of the model's world that it takes.
GUARDS = [
    ("DROP_PURPOSE_CONDITION", "assertion violated (registers<=1)", ("ALONE",)),
    ("DROP_PURPOSE_CONDITION", "assertion violated (supplies<=1)", ("ALONE", "SUPPLY")),
    ("DROP_NONCE_CONDITION", "assertion violated (holds", ("STRANGERS=0",)),
    ("DROP_CONFIRMATIONS", "assertion violated (registers<=1)", ("ALONE",)),
    ("DROP_FINAL_DISTRIBUTION", "assertion violated (supplies<=1)", ("ALONE", "SUPPLY")),
    ("DROP_SUPERSEDED", ENDS_BADLY, ("ALONE",)),
    ("DROP_SUPERSEDED", ENDS_BADLY, ("ALONE", "SUPPLY")),
]


@pytest.fixture(scope="module", autouse=True)
def spin() -> None:
    if not shutil.which("spin") or not shutil.which("gcc"):
        install("Installing the model checker Spin", "spin", "gcc", "libc6-dev")
    if not shutil.which("spin") or not shutil.which("gcc"):
        assert not os.environ.get("CI"), "Spin and gcc are needed here"
        pytest.skip("The model checker Spin or gcc is not installed (Debian: apt-get install spin gcc)")


def check(directory: Path, *definitions: str) -> str:
    """Return what Spin reports of the whole state space under these definitions."""
    options = [f"-D{definition}" for definition in definitions]
    run = {"cwd": directory, "check": True, "capture_output": True, "text": True, "timeout": 300}
    subprocess.run(["spin", *options, "-a", str(MODEL)], **run)  # type: ignore[call-overload]
    subprocess.run(["gcc", "-O2", "-w", "-DSAFETY", "-o", "check", "pan.c"], **run)  # type: ignore[call-overload]
    return str(subprocess.run(["./check", "-m1000000"], **run).stdout)  # type: ignore[call-overload]


@pytest.mark.parametrize("world", WORLDS, ids=" ".join)
def test_every_order_of_events_has_one_effect_a_purpose_and_an_end(tmp_path: Path, world: tuple[str, ...]) -> None:
    report = check(tmp_path, *world)
    assert "errors: 0" in report, report
    assert "Search not completed" not in report
    states = re.search(r"(\d+) states, stored", report)
    assert states
    assert int(states[1]) > 10_000


@pytest.mark.parametrize(("guard", "seen", "world"), GUARDS)
def test_a_guard_that_is_dropped_is_missed(tmp_path: Path, guard: str, seen: str, world: tuple[str, ...]) -> None:
    report = check(tmp_path, guard, *world)
    assert "errors: 1" in report, report
    assert seen in report
