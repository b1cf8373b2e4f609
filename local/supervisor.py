"""The one process that every process of a stack descends from: it starts them, watches them and ends them.

`python -m local.supervisor SPECIFICATION` reads a JSON file `{"processes": [{"name", "command", "environment", "log"}],
"state": "<file>"}`. Its standard input is a pipe from the launcher: when that closes, the launcher is gone, however it
ended, and so is the stack. `make start` writes `detach` to it, which makes the stack stay until `make stop`.

It ends everything on SIGTERM and SIGINT, when the launcher is gone, or when one of the processes ends by
itself, because a stack with a part missing only looks like one. If it is killed itself, the kernel ends its children,
and the engine's functions end with the connection to the engine.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from local.paths import ROOT
from local.processes import adopt_orphans, descendants, end_with_parent, first_ended_child, start_time

_GRACE_SECONDS = 5.0
_LOOK_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Specification:
    """One process to keep.

    Attributes:
        name: What messages call it.
        command: The program and its arguments.
        environment: Its whole environment.
        log: Where its output goes; overwritten.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    log: str


class _Told(Exception):  # noqa: N818 (not an error)
    """A signal asked for the end."""


def main(arguments: list[str]) -> int:
    """Run until the end; the status is 1 if a process ended by itself."""
    plan = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    state = Path(plan["state"])
    adopt_orphans()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _tell)
    running: list[tuple[Specification, subprocess.Popen[bytes]]] = []
    code = 0
    try:
        me = {"pid": os.getpid(), "started": start_time(os.getpid())}
        state.write_text(json.dumps(me), encoding="utf-8")
        for entry in plan["processes"]:
            specification = Specification(**entry)
            running.append((specification, _start(specification)))
        code = _watch(running)
    except _Told:
        pass
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        _end_all(running)
        for leftover in plan.get("remove", []):
            Path(leftover).unlink(missing_ok=True)
        state.unlink(missing_ok=True)
    return code


def _tell(_number: int, _frame: FrameType | None) -> None:
    raise _Told


def _start(specification: Specification) -> subprocess.Popen[bytes]:
    with Path(specification.log).open("wb") as output:
        return subprocess.Popen(
            specification.command, env=specification.environment, cwd=ROOT,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            preexec_fn=end_with_parent(),  # this process has no threads
        )  # fmt: skip


def _watch(running: list[tuple[Specification, subprocess.Popen[bytes]]]) -> int:
    attached = True
    while True:
        if not attached:
            time.sleep(_LOOK_EVERY_SECONDS)
        elif select.select([0], [], [], _LOOK_EVERY_SECONDS)[0]:
            # Without a newline `detach` could come in two reads, so the launcher writes it at once, and it is short.
            if os.read(0, 64).strip() != b"detach":
                return 0
            attached = False
        # Functions whose own parent ended come to this process; only such children can be waited for by anybody.
        while ended := first_ended_child():
            for specification, process in running:
                if process.pid == ended:
                    print(f"{specification.name} ended by itself with status {process.wait()}", file=sys.stderr)
                    return 1
            os.waitpid(ended, 0)


def _end_all(running: list[tuple[Specification, subprocess.Popen[bytes]]]) -> None:
    # Last started, first ended: nothing asks the engine for more while it ends.
    for _, process in reversed(running):
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    for _, process in running:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
    # What is left: those that did not listen, and functions that the engine left behind, which are ours by adoption.
    while remaining := descendants(os.getpid()):
        for pid in remaining:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _collect()
        time.sleep(0.02)
    _collect()


def _collect() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
