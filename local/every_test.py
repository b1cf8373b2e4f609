"""Run every test: suites that mostly wait run beside those that compute, each with a log of its own.

What failed is printed whole when its suite ends, the coverage of all suites together at the end. A few tests that
failed beside the others run once more when the machine is quiet. They are named, whatever becomes of them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.paths import ROOT
from local.processes import end_with_parent

LOGS = ROOT / ".local" / "tests"
MIN_COVERAGE_PERCENT = 90
MAX_REPEATED = 6
"""Files of one suite whose failed tests may run once more; where more fail, it is not the load."""
_STOP_SECONDS = 60
# Each worker has a stack, of which each has some 2 GB.
_STACKS = ("--numprocesses", "2", "--dist", "loadfile")
_PROCESSES = ("--numprocesses", "2")
_CLIENT = "clients/typescript"
_NPM_TEST = f"npm --prefix {_CLIENT} test --silent"
_PYTEST = ("-m", "pytest")
# Its settings are in pyproject.toml. It warns that it marks no branches in the tests themselves, as nobody asks it to.
_COVERAGE = (sys.executable, "-W", "ignore::RuntimeWarning:slipcover.importer", "-m", "slipcover")


@dataclass
class Suite:
    """One command, and what it took."""

    name: str
    command: tuple[str, ...]
    directory: Path = ROOT
    status: int | None = None
    seconds: float = 0
    cpu_seconds: float = 0
    repeat: tuple[str, ...] = ()
    """The command that runs what failed once more, by itself."""

    @property
    def log(self) -> Path:
        """Where it writes."""
        return LOGS / f"{self.name}.log"

    def start(self) -> subprocess.Popen[bytes]:
        """Start it in a process group of its own, so that Ctrl-C reaches it once."""
        with self.log.open("wb") as output:
            return subprocess.Popen(
                self.command,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=end_with_parent(signal.SIGTERM),
            )

    @property
    def failed(self) -> list[str]:
        """The tests that failed, as pytest remembers them."""
        remembered = LOGS / self.name / "v" / "cache" / "lastfailed"
        return sorted(json.loads(remembered.read_text())) if remembered.exists() else []

    def line(self) -> str:
        """Return how it ended, with the time that it took and the CPU time of all its processes."""
        verdict = "passed" if self.status == 0 else f"FAILED with status {self.status}, see {self.log}"
        return f"{self.name:<12}{self.seconds:6.0f} s {self.cpu_seconds:6.0f} s CPU  {verdict}"


def _tests(
    name: str,
    *arguments: str,
    beside: tuple[str, ...] = (),
    priority: tuple[str, ...] = (),
    covers: bool = True,
) -> Suite:
    """Return a suite of pytest, which remembers what failed, so that this can run once more."""

    def command(file: str) -> tuple[str, ...]:
        runs = (*_COVERAGE, "--out", str(LOGS / file)) if covers else (sys.executable,)
        return (*runs, *_PYTEST, "--durations=40", "-o", f"cache_dir={LOGS / name}", *arguments)

    repeat = (*command(f"{name}-again.json"), "--last-failed", "--last-failed-no-failures=none")
    return Suite(name, (*priority, *command(f"{name}.json"), *beside), repeat=repeat)


def contract() -> Suite:
    """Return the suite that holds Slipway against other people's engines, which runs by itself."""
    return _tests("contract", "tests/contract", covers=False)


def suites() -> list[Suite]:
    """Return the suites, those that take longest first."""
    return [
        _tests("faults", "tests/faults", "-m", "not long"),
        # Whole modules, as some have things that they share; in their order, as the longest are not at the end.
        _tests("stack", "tests/performance", "tests/stack", beside=(*_STACKS, "--no-loadscope-reorder")),
        # It computes and has no deadlines, so those that have some get the processors first.
        _tests("functional", "tests/unit", "tests/functional", beside=_PROCESSES, priority=("nice", "-n", "10")),
        # What of the clients needs no stack; the rest is in tests/unit/clients and tests/stack/clients.
        Suite("typescript", ("sh", "-c", f"{sys.executable} -m local.web --install {_CLIENT} && {_NPM_TEST}")),
        Suite("dashboard", ("sh", "-c", "npm run --silent types && npm test --silent"), ROOT / "web"),
    ]


def run(wanted: list[Suite]) -> bool:
    """Run suites beside each other, then what failed once more; print how each ended, and the log of what failed.

    Returns:
        Whether all passed, the second time at the latest.
    """
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    _run_beside(wanted)
    passed = [suite.status == 0 or _passes_alone(suite) for suite in wanted]
    return all(passed)


def _passes_alone(suite: Suite) -> bool:
    """Run the tests of a suite that failed once more, with nothing beside them; return whether they pass."""
    failed = suite.failed
    # What several tests of a file share fails for all of them at once.
    files = {test.partition("::")[0] for test in failed}
    if suite.status != pytest.ExitCode.TESTS_FAILED or not suite.repeat or not 0 < len(files) <= MAX_REPEATED:
        return False
    again = Suite(f"{suite.name}-again", suite.repeat, suite.directory)
    _run_beside([again])
    print(
        f"{'PASSED ONLY' if again.status == 0 else 'FAILED ALSO'} BY THEMSELVES, after they had failed beside others:"
    )
    print("".join(f"  {test}\n" for test in failed), end="", flush=True)
    return again.status == 0


def _run_beside(wanted: list[Suite]) -> None:
    """Run suites beside each other until all have ended; print how each did, and the whole log of one that failed."""
    began = time.monotonic()
    processes = [suite.start() for suite in wanted]
    printing = threading.Lock()

    def wait(suite: Suite, process: subprocess.Popen[bytes]) -> None:
        _, status, used = os.wait4(process.pid, 0)
        suite.cpu_seconds = used.ru_utime + used.ru_stime
        suite.status = process.returncode = os.waitstatus_to_exitcode(status)
        suite.seconds = time.monotonic() - began
        with printing:
            if suite.status != 0:
                print(suite.log.read_text(encoding="utf-8", errors="replace"))
            print(suite.line(), flush=True)

    threads = [threading.Thread(target=wait, args=pair) for pair in zip(wanted, processes, strict=True)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        for suite, process in zip(wanted, processes, strict=True):
            if suite.status is None:
                process.send_signal(signal.SIGINT)
        for thread in threads:
            thread.join(_STOP_SECONDS)
        raise


def _covered() -> bool:
    """Print the coverage of all suites together; return whether it is enough."""
    found = sorted(map(str, LOGS.glob("*.json")))
    merge = ("--merge", *found, "--out", str(LOGS / "coverage.json"), "--fail-under", str(MIN_COVERAGE_PERCENT))
    return subprocess.run([*_COVERAGE, *merge], cwd=ROOT, check=False).returncode == 0


def main(names: list[str]) -> int:
    """Run the suites of these names, or all; return the exit status."""
    known = [*suites(), contract()] if names else suites()
    if strangers := set(names) - {suite.name for suite in known}:
        print(f"No suite is called {', '.join(sorted(strangers))}: there are {', '.join(s.name for s in known)}.")
        return 2
    print(f"Running beside each other, with logs in {LOGS}: {', '.join(names or [suite.name for suite in known])}")
    passed = run([suite for suite in known if not names or suite.name in names])
    covered = bool(names) or _covered()
    return 0 if passed and covered else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
