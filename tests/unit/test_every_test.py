"""What `make test` makes of its suites."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from local import every_test
from local.every_test import MAX_REPEATED, Suite, main, run


@pytest.fixture(autouse=True)
def _logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(every_test, "LOGS", tmp_path / "logs")
    # What these suites run needs no plugin, and all of them take a second or two to import.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


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


def _pytest(tmp_path: Path, code: str) -> Suite:
    """Return a suite like those of `make test`, with tests of its own."""
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_it.py").write_text(code)
    command = (sys.executable, "-m", "pytest", "-o", f"cache_dir={tmp_path / 'logs' / 'it'}", str(folder))
    return Suite("it", command, folder, repeat=(*command, "--last-failed", "--last-failed-no-failures=none"))


ONCE = """
import pathlib
seen = pathlib.Path(__file__).with_name("seen")

def test_good():
    pass

def test_once():
    if not seen.exists():
        seen.touch()
        raise TimeoutError
"""


def test_what_fails_beside_others_runs_once_more_and_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([_pytest(tmp_path, ONCE)])
    shown = capfd.readouterr().out
    assert "PASSED ONLY BY THEMSELVES" in shown
    assert "test_it.py::test_once\n" in shown
    assert "TimeoutError" in shown
    assert "FAILED with status 1" in shown
    again = (tmp_path / "logs" / "it-again.log").read_text()
    assert "1 passed" in again


def test_what_fails_twice_fails_all(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert not run([_pytest(tmp_path, ONCE.replace("not seen.exists()", "True"))])
    assert "FAILED ALSO BY THEMSELVES" in capfd.readouterr().out


def test_many_that_fail_are_not_the_load(tmp_path: Path) -> None:
    suite = _pytest(tmp_path, ONCE)
    for number in range(MAX_REPEATED):
        (suite.directory / f"test_{number}.py").write_text("def test_it():\n    assert False\n")
    assert not run([suite])
    assert not (tmp_path / "logs" / "it-again.log").exists()


def test_a_run_that_breaks_is_not_repeated(tmp_path: Path) -> None:
    assert not run([_pytest(tmp_path, "import nothing_of_that_name")])
    assert not (tmp_path / "logs" / "it-again.log").exists()


def test_the_whole_suite_is_what_lies_in_tests() -> None:
    named = {part for suite in every_test.suites() for part in suite.command if part.startswith("tests/")}
    folders = {f"tests/{path.name}" for path in Path("tests").iterdir() if any(path.glob("**/test_*.py"))}
    # Contracts with what is not ours have a command of their own.
    assert named == folders - {"tests/contract"}
    assert "tests/contract" in every_test.contract().command


def test_a_suite_that_does_not_exist_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsense"]) == 2
    assert "nonsense" in capfd.readouterr().out
