"""What `make test` makes of its suites."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from local import every_test
from local.every_test import Suite, main, run


@pytest.fixture(autouse=True)
def _logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(every_test, "LOGS", tmp_path)


def _suite(name: str, code: str) -> Suite:
    return Suite(name, (sys.executable, "-c", code))


def test_all_have_to_pass(capfd: pytest.CaptureFixture[str]) -> None:
    assert run([_suite("one", "print('all is well')"), _suite("two", "")])
    shown = capfd.readouterr().out
    assert "all is well" not in shown
    assert shown.count("passed") == 2


def test_one_that_fails_is_shown_whole_and_fails_all(capfd: pytest.CaptureFixture[str]) -> None:
    bad = _suite("bad", "import sys; print('what went wrong'); print('and why', file=sys.stderr); sys.exit(3)")
    assert not run([_suite("good", ""), bad])
    shown = capfd.readouterr().out
    assert "what went wrong" in shown
    assert "and why" in shown
    assert "FAILED with status 3" in shown


def test_one_that_is_killed_fails_all() -> None:
    assert not run([_suite("killed", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")])


def test_suites_run_beside_each_other(tmp_path: Path) -> None:
    meet = """
import pathlib, sys, time
mine, other = (pathlib.Path({folder!r}, name) for name in {names!r})
mine.touch()
ends_at = time.monotonic() + 60
while not other.exists():
    assert time.monotonic() < ends_at
    time.sleep(0.01)
"""
    folder = str(tmp_path)
    assert run(
        [
            _suite("a", meet.format(folder=folder, names=("a", "b"))),
            _suite("b", meet.format(folder=folder, names=("b", "a"))),
        ]
    )


def test_the_whole_suite_is_what_lies_in_tests() -> None:
    named = {part for suite in every_test.suites() for part in suite.command if part.startswith("tests/")}
    folders = {f"tests/{path.name}" for path in Path("tests").iterdir() if any(path.glob("**/test_*.py"))}
    # Contracts with what is not ours have a command of their own.
    assert named == folders - {"tests/contract"}


def test_a_suite_that_does_not_exist_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsense"]) == 2
    assert "nonsense" in capfd.readouterr().out
