"""Starting, finding and ending processes on Linux, so that none is ever left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from local.failures import LaunchError

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# Loaded before any fork: a forked child of a process with threads may not load libraries.
_libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that it can still be found and ended."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with_parent(signal_number: int = signal.SIGKILL) -> Callable[[], None]:
    """Return a `preexec_fn`: the kernel sends this signal to the child when the thread that started it ends.

    Start such children from the main thread only.
    """
    parent = os.getpid()

    def arrange() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent:  # It ended before the request was in place.
            os.kill(os.getpid(), signal_number)

    return arrange


def follow_parent() -> None:
    """Ask the kernel for SIGTERM when this process's own parent ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def descendants(pid: int) -> list[int]:
    """Return every process under one, parents before children."""
    children: dict[int, list[int]] = {}
    for child, status in _processes():
        if not status.ended:
            children.setdefault(status.parent, []).append(child)
    found: list[int] = []
    queue = list(children.get(pid, []))
    while queue:
        child = queue.pop(0)
        found.append(child)
        queue += children.get(child, [])
    return found


def ended_children(pid: int) -> list[int]:
    """Return the children of a process that have ended and that it has not waited for."""
    return [child for child, status in _processes() if status.ended and status.parent == pid]


def start_time(pid: int) -> int | None:
    """Return when a process started, in the kernel's ticks; with the id it names one process for good. None if it
    ended."""
    status = _status(pid)
    return None if status is None or status.ended else status.started


@dataclass(frozen=True)
class _Status:
    parent: int
    started: int
    ended: bool


def _processes() -> Iterator[tuple[int, _Status]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (status := _status(int(entry.name))):
            yield int(entry.name), status


def _status(pid: int) -> _Status | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in parentheses may hold anything, so fields are counted from its end.
    fields = text[text.rindex(")") + 2 :].split()
    return _Status(parent=int(fields[1]), started=int(fields[19]), ended=fields[0] in "ZX")


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
        preexec_fn=end_with_parent(),  # Linux, from the main thread
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
