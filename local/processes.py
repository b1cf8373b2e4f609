"""Starting, finding and ending processes, so that none is ever left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from local.failures import LaunchError

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# Loaded before any fork: a forked child of a process with threads may not load libraries.
_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    """Ask Linux's kernel; other systems have no such call, and there the supervisor alone ends what it started."""
    if sys.platform == "linux":
        _libc.prctl(option, value, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that it can still be found and ended."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(signal_number: int = signal.SIGKILL) -> Callable[[], None]:
    """Return a `preexec_fn`: the kernel sends this signal to the child when the thread that started it ends.

    Start such children from the main thread only.
    """
    parent = os.getpid()

    def arrange() -> None:
        _prctl(_PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:  # It ended before the request was in place.
            os.kill(os.getpid(), signal_number)

    return arrange


def follow_parent() -> None:
    """Ask the kernel for SIGTERM when this process's own parent ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def descendants(pid: int) -> list[int]:
    """Return every process under one that has not ended, parents before children."""
    try:
        found = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [child.pid for child in found if start_time(child.pid) is not None]


def first_ended_child() -> int | None:
    """Return a child of this process that has ended and that it has not waited for; None if there is none."""
    with suppress(ChildProcessError):
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return ended.si_pid if ended else None
    return None


def start_time(pid: int) -> int | None:
    """Return a number for when a process started; with the id it names one process for good. None if it ended."""
    try:
        process = psutil.Process(pid)
        return None if _ended(process) else _started(process)
    except (psutil.NoSuchProcess, OSError):
        return None


def _started(process: psutil.Process) -> int:
    if sys.platform != "linux":
        return round(process.create_time() * 1000)
    # The kernel's ticks since it started: a clock that is set changes when a process seems to have started.
    # The name in parentheses may hold anything, so fields are counted from its end.
    text = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8", errors="replace")
    return int(text[text.rindex(")") + 2 :].split()[19])


def _ended(process: psutil.Process) -> bool:
    try:
        return process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(pid: int, started: int, seconds: float) -> bool:
    """Wait for a process that need not be a child of this one."""
    deadline = time.monotonic() + seconds
    while start_time(pid) == started:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def run(command: list[str], log: Path, *, cwd: Path, environment: dict[str, str], doing: str) -> None:
    """Run a program to its end with its output in a log.

    Args:
        command: The program and its arguments.
        log: Overwritten.
        cwd: Where it runs.
        environment: Its whole environment.
        doing: For the message, such as "Building".

    Raises:
        LaunchError: It failed; names the log and shows its last lines.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        code = _run(command, output, cwd, environment)
    if code != 0:
        raise LaunchError(f"{doing} failed with status {code}; the log is {log}. It ends:\n{tail(log)}")


def _run(command: list[str], output: IO[bytes], cwd: Path, environment: dict[str, str]) -> int:
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd, env=environment,
        preexec_fn=end_with_parent(),  # from the main thread
    )  # fmt: skip
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log, indented."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "  (no log)"
    return "\n".join(f"  {line}" for line in text.rstrip().splitlines()[-lines:])
