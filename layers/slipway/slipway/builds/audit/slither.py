"""Slither, spoken to in a process of its own.

Slither is Python, and nothing stops Python code in the own process: a limit of time is certain only for a process that
can be killed. `slipway.builds.audit.slither_worker` is that process. It is kept between audits, because importing
Slither takes longer than an audit. It knows no credentials, and can't read those of this process.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from slipway.builds.audit.models import Compilation
from slipway.errors import AuditUnavailableError
from slipway.observability import logger
from slipway.privileges import hide_from_others
from slipway.settings import library_path

AUDIT_SECONDS = 60.0
"""How long one audit may take by the clock, the start of the process included; its processor time has a limit too."""

MAX_ANSWER_BYTES = 16 * 1024 * 1024

_WORKER = (sys.executable, "-m", "slipway.builds.audit.slither_worker")
_HEAD = 4
_MAX_STDERR = 4096


class SlitherAnswer(BaseModel):
    """What the process answered: results in Slither's own JSON, and which detectors ran: all, or there is no answer."""

    model_config = ConfigDict(extra="forbid")

    results: list[dict[str, Any]]
    detectors: list[str] = Field(min_length=1)
    slither_version: str = Field(min_length=1)


class Slither:
    """One Slither process, started by its first use or by `start`, and again after it was lost. Threads take turns."""

    def __init__(self, *, timeout_seconds: float = AUDIT_SECONDS, command: Sequence[str] = _WORKER) -> None:
        """Remember the settings; start nothing."""
        self._timeout_seconds = timeout_seconds
        self._command = tuple(command)
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._home: str | None = None
        self._errors: IO[bytes] = io.BytesIO()

    def __enter__(self) -> Slither:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def process_id(self) -> int | None:
        """The process, if there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process unless it runs, without waiting: it can import while the compiler compiles."""
        with self._turn:
            self._running()

    def close(self) -> None:
        """End the process. The next use starts another."""
        with self._turn:
            self._end()

    def analyse(self, compilation: Compilation) -> SlitherAnswer:
        """Run every detector over a compilation.

        Raises:
            AuditUnavailableError: It took too long, crashed, or its answer is none.
        """
        with self._turn, tempfile.TemporaryDirectory(prefix="slipway-audit-") as directory:
            deadline = time.monotonic() + self._timeout_seconds
            try:
                process = self._running()
                answer = _exchange(process, _frame(_request(compilation, directory)), deadline)
                if "error" in answer:
                    raise AuditUnavailableError(f"Slither failed: {answer['error']}"[:600])
                return SlitherAnswer.model_validate(answer)
            except AuditUnavailableError:
                self._end()
                raise
            except TimeoutError as error:
                self._end()
                raise AuditUnavailableError(
                    f"Slither did not finish within {self._timeout_seconds:g} seconds", details={"limit": "clock"}
                ) from error
            except (OSError, EOFError, ValueError, ValidationError) as error:
                self._end()
                raise AuditUnavailableError("Slither ended without an answer that can be read") from error
            except BaseException:
                # Its answer would be taken for the next one's.
                self._end()
                raise

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        self._home = tempfile.mkdtemp(prefix="slipway-slither-")
        environment = {
            "PATH": os.defpath,
            "HOME": self._home,
            "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
            "PYTHONDONTWRITEBYTECODE": "1",
            **library_path(),
        }
        hide_from_others()
        self._errors = tempfile.TemporaryFile(dir=self._home)  # noqa: SIM115 (as long as the process)
        self._process = subprocess.Popen(  # noqa: S603 (our own interpreter)
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            cwd=self._home,
            # With its forks it is one group, which is killed as one.
            start_new_session=True,
        )
        return self._process

    def _log_errors(self, status: int) -> None:
        """Log what the process wrote to its standard error, the end of it."""
        with self._errors as errors, contextlib.suppress(OSError):
            size = errors.seek(0, os.SEEK_END)
            errors.seek(max(0, size - _MAX_STDERR))
            if text := errors.read().decode(errors="replace").strip():
                logger.warning("Slither's process ended", status=status, stderr=text)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
            process.wait()
            self._log_errors(process.returncode)
        home, self._home = self._home, None
        if home is not None:
            shutil.rmtree(home, ignore_errors=True)


def _request(compilation: Compilation, directory: str) -> dict[str, Any]:
    standard_json_input, output = compilation.standard_json_input, compilation.standard_json_output
    own = list(compilation.sources)
    settings = {
        "compiler_version": compilation.compiler_version,
        "optimizer_runs": standard_json_input["settings"]["optimizer"]["runs"],
    }
    library = [name for name in standard_json_input["sources"] if name not in own]
    # Sources that the compiler did not parse last can't be analysed last.
    apart = bool(library) and max(library) < min(own)
    return {
        "directory": str(Path(directory).resolve()),
        "own": own,
        "settings": settings,
        "library": json.dumps({"settings": settings, **_sources(compilation, library)}) if apart else None,
        **_sources(compilation, own if apart else list(output["sources"])),
    }


def _sources(compilation: Compilation, names: Sequence[str]) -> dict[str, Any]:
    """Return source texts, and what the compiler gave for them."""
    output = compilation.standard_json_output
    contracts = {
        unit: {name: _without_bytecode(contract) for name, contract in output["contracts"][unit].items()}
        for unit in names
        if unit in output.get("contracts", {})
    }
    return {
        "sources": {name: compilation.standard_json_input["sources"][name]["content"] for name in names},
        "output": {"sources": {name: output["sources"][name] for name in names}, "contracts": contracts},
    }


def _without_bytecode(contract: dict[str, Any]) -> dict[str, Any]:
    """Leave the bytecode out, which no detector reads."""
    empty = {"object": "", "sourceMap": ""}
    return {"abi": contract.get("abi", []), "evm": {"bytecode": empty, "deployedBytecode": empty}}


def _frame(content: dict[str, Any]) -> bytes:
    body = json.dumps(content).encode()
    return len(body).to_bytes(_HEAD) + body


def _exchange(process: subprocess.Popen[bytes], request: bytes, deadline: float) -> dict[str, Any]:
    """Write a request and read the answer.

    Raises:
        TimeoutError: The deadline passed.
        EOFError: The process ended.
        ValueError: The answer is too long or no JSON object.
    """
    if process.stdin is None or process.stdout is None:
        raise EOFError
    _write(process.stdin.fileno(), request, deadline)
    output = process.stdout.fileno()
    size = int.from_bytes(_read(output, _HEAD, deadline))
    if size > MAX_ANSWER_BYTES:
        raise ValueError("The answer is too long")
    answer = json.loads(_read(output, size, deadline))
    if not isinstance(answer, dict):
        raise ValueError("The answer is no object")
    return answer


def _write(descriptor: int, content: bytes, deadline: float) -> None:
    os.set_blocking(descriptor, False)
    rest = memoryview(content)
    while rest:
        _wait(descriptor, selectors.EVENT_WRITE, deadline)
        rest = rest[os.write(descriptor, rest) :]


def _read(descriptor: int, size: int, deadline: float) -> bytes:
    content = bytearray()
    while len(content) < size:
        _wait(descriptor, selectors.EVENT_READ, deadline)
        part = os.read(descriptor, min(size - len(content), 1024 * 1024))
        if not part:
            raise EOFError
        content += part
    return bytes(content)


def _wait(descriptor: int, event: int, deadline: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, event)
        if not selector.select(max(0.0, deadline - time.monotonic())):
            raise TimeoutError
