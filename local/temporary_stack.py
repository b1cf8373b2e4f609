"""A stack beside others: on free ports, in a directory of its own, and gone with the process that asked for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path

from local.failures import LaunchError
from local.paths import ROOT
from local.ports import Ports, free_ports, variable

_START_SECONDS = 900
_STOP_SECONDS = 40
# Nothing else of the caller's environment, which may be set for the library itself.
_INHERITED = ("PATH", "HOME", "LANG", "SLIPWAY_UV", "SLIPWAY_ENGINE_CONCURRENCY")


@contextmanager
def temporary_stack(directory: Path, settings: Mapping[str, str], ports: Ports | None = None) -> Iterator[Path]:
    """Start what `make run` starts, without its first token; ends it when the block ends.

    Args:
        directory: Of its data and its log, ``launch.log``.
        settings: Environment variables, such as SLIPWAY_PARAMETERS.
        ports: Where it listens; free ones when they need not be known before.

    Yields:
        The path of its stack.json.

    Raises:
        LaunchError: It did not start within a quarter of an hour, which only hangs take; the message has its log.
    """
    ports = ports or Ports(*free_ports(len(fields(Ports))))
    environment = {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        "PYTHONPATH": f"{ROOT / 'layers' / 'slipway'}{os.pathsep}{ROOT}",
        **{variable(name): str(port) for name, port in asdict(ports).items()},
        "SLIPWAY_LOCAL_DIRECTORY": str(directory),
        **settings,
    }
    directory.mkdir(parents=True, exist_ok=True)
    stack_file, log = directory / "stack.json", directory / "launch.log"
    stack_file.unlink(missing_ok=True)
    with log.open("wb") as output:
        # It ends with this process, however this process ends.
        process = subprocess.Popen(
            [sys.executable, "-m", "local.launch", "run", "--with-parent", "--without-token"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not stack_file.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise LaunchError(f"The stack did not start:\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.1)
        yield stack_file
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)
