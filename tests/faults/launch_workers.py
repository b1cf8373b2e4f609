"""Processes that run the tasks of launches, beside the stack whose tables, keys and chain they use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from local.paths import ROOT
from local.ports import free_ports
from tests.faults.conftest import STATE, FaultyStack

_PROCESSES = 2


def place(stack: FaultyStack) -> str:
    """Place a launch that no state machine takes up."""
    deployment_id = stack.place(start=False)
    stack.change(deployment_id, open_until="2099-01-01T00:00:00.000Z")
    return deployment_id


class Workers:
    """Processes that work on launches, and the way to their database; all of it can be killed."""

    def __init__(self, stack: FaultyStack, *more: str) -> None:
        self._more = more
        self._upstream = urlsplit(stack.described["aws_endpoint"]).netloc
        (self._port,) = free_ports(1)
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, launches: list[str]) -> None:
        """Start the database's server and, with these launches, the workers."""
        self._run("local.faults.tcp", "--port", str(self._port), "--upstream", self._upstream)
        endpoint = f"http://127.0.0.1:{self._port}"
        for position in range(_PROCESSES):
            worker = self._run(
                "bench.launch_tasks", "--stack", str(STATE / "stack.json"),
                "--endpoint", endpoint, *self._more,
            )  # fmt: skip
            assert worker.stdin
            worker.stdin.write("\n".join(launches[position::_PROCESSES]).encode())
            worker.stdin.close()

    def _run(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        with Path(STATE / "workers.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", module, *arguments],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log,
                env={**os.environ, "PYTHONPATH": f"{ROOT / 'layers' / 'slipway'}{os.pathsep}{ROOT}"},
            )  # fmt: skip
        self._processes.append(process)
        return process

    @property
    def work(self) -> bool:
        """Whether any of the workers still works."""
        return any(worker.poll() is None for worker in self._processes[-_PROCESSES:])

    def wait(self, seconds: float) -> None:
        """Wait until the workers have ended all their launches, or time is over."""
        ends_at = time.monotonic() + seconds
        with suppress(subprocess.TimeoutExpired):
            for worker in self._processes[-_PROCESSES:]:
                worker.wait(max(0.0, ends_at - time.monotonic()))

    def kill(self) -> None:
        """Let all of them die at once."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
        for process in self._processes:
            process.wait()
        self._processes.clear()
