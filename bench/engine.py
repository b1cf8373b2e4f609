"""The local engine alone, without anything deployed, for benches of what one function does with its table."""

import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.engine import server
from local.ports import free_ports
from local.processes import end_with_parent

_START_SECONDS = 60


@contextmanager
def engine(more: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start an engine on a free port; gives its address, and ends it afterwards.

    Args:
        more: Settings of the engine beside those that Slipway always gives it.
    """
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as scratch:
        with (Path(scratch) / "engine.log").open("wb") as log:
            settings = {**server.environment(port, Path(scratch)), **(more or {})}
            process = subprocess.Popen(
                server.command(), env=settings, stdout=log, stderr=log,
                preexec_fn=end_with_parent(signal.SIGTERM),
            )  # fmt: skip
        try:
            _wait(f"{server.endpoint(port)}/_ministack/health")
            yield server.endpoint(port)
        finally:
            process.terminate()
            process.wait(20)


def _wait(url: str) -> None:
    ends_at = time.monotonic() + _START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 (our own address)
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > ends_at:
                raise
            time.sleep(0.1)
