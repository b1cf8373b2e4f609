"""Starts functions cold under AWS's own runtime client and takes the CPU time that it costs.

The runtime client comes from `.local/venv/runtime`, whose packages are the client's only, so that what a function
imports comes from its layers as on AWS. Where that is not set up, the developer's environment only imports the app.
"""

from __future__ import annotations

import atexit
import compileall
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.loopback_handler import LoopbackHandler
from tests.support.template import ROOT, TABLE_VARIABLES, functions

RUNTIME_PYTHON = ROOT / ".local" / "venv" / "runtime" / "bin" / "python"
BUILT = ROOT / ".aws-sam" / "build"
LAYERS = {name: BUILT / name / "python" for name in ("DependenciesLayer", "ChainLayer", "SolidityLayer")}
FLOOR = 'import boto3\n\nclient = boto3.client("dynamodb")\n\n\ndef handler(event, context):\n    return {}\n'
# What a function of ours can't do without; heartbeats are held to it.
LOGGER_FLOOR = "from aws_lambda_powertools import Logger\n\nlogger = Logger()\n" + FLOOR
_MAX_SECONDS = 60


@dataclass(frozen=True)
class Start:
    """How a function is started: its folder and its layers, the function's own code first as on AWS."""

    folder: Path
    layers: tuple[Path, ...]


def under_runtime_client() -> bool:
    """Whether the real client and built layers are there."""
    return RUNTIME_PYTHON.exists() and all(path.is_dir() for path in LAYERS.values())


@cache
def library() -> Path:
    """Return the library as its layer ships it: today's code, compiled."""
    copy = Path(tempfile.mkdtemp(prefix="slipway-layer-"))
    atexit.register(shutil.rmtree, copy)
    shutil.copytree(ROOT / "layers" / "slipway" / "slipway", copy / "slipway")
    compileall.compile_dir(copy, quiet=1)
    return copy


def function_start(logical_id: str) -> Start:
    """How the template starts one of its functions."""
    entry = functions()[logical_id]
    named = [layer["Ref"] for layer in entry.get("Layers", [])]
    layers = [library()]
    if under_runtime_client():
        layers += [LAYERS["DependenciesLayer"], *(LAYERS[name] for name in named)]
    return Start((ROOT / entry["CodeUri"]).resolve(), tuple(layers))


def floor_start(folder: Path, code: str = FLOOR) -> Start:
    """Return a function that only makes a DynamoDB client, or a Logger as well (LOGGER_FLOOR)."""
    (folder / "app.py").write_text(code)
    return Start(folder, (LAYERS["DependenciesLayer"],) if under_runtime_client() else ())


@contextmanager
def _runtime_api(first: dict[str, Any] | None) -> Iterator[tuple[str, threading.Event]]:
    """Lambda's Runtime API, and a DynamoDB that takes everything.

    Without a first event the function is ready when it asks for work; with one, when it has answered that.
    """
    ready, over = threading.Event(), threading.Event()
    events = [first] if first is not None else []

    class Handler(LoopbackHandler):
        def do_GET(self) -> None:
            if events:
                self._answer(json.dumps(events.pop()), {"Lambda-Runtime-Deadline-Ms": str(2**42)})
                return
            ready.set()
            over.wait(_MAX_SECONDS)

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            if "error" in self.path:
                sys.stderr.write(content.decode())
            elif self.path.endswith("/response"):
                ready.set()
            self._answer("{}", {})

        def _answer(self, body: str, headers: dict[str, str]) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body.encode())))
            self.send_header("Lambda-Runtime-Aws-Request-Id", "11111111-2222-4333-8444-555555555555")
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:f")
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", ready
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def environment(start: Start) -> dict[str, str]:
    """Return what Lambda and the template give a function, and nothing of the developer's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    ours = (
        *("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", *TABLE_VARIABLES),
        *("TOKEN_ISSUER", "TOKEN_AUDIENCE", "CHAINS", "TOKEN_CHAIN_ID", "POWERTOOLS_METRICS_NAMESPACE"),
    )
    return {
        **kept,
        **{name: os.environ[name] for name in ours},
        "PYTHONPATH": os.pathsep.join([str(start.folder), *map(str, start.layers)]),
        "LAMBDA_TASK_ROOT": str(start.folder),
        "TOKEN_DEPLOY_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:TokenDeploy",
        # Code lies on a read-only disk there: what is not shipped compiled is compiled at each cold start.
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_FUNCTION_NAME": "cold",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "POWERTOOLS_SERVICE_NAME": "slipway",
    }


def cpu_seconds(start: Start, first: dict[str, Any] | None = None) -> float:
    """User and system time of one cold start, until the function is ready, or has answered a first event."""
    if not under_runtime_client():
        process = subprocess.Popen([sys.executable, "-c", "import app"], cwd=start.folder, env=environment(start))
        return _wait(process.pid, expected=0)
    with _runtime_api(first) as (address, ready):
        process = subprocess.Popen(
            [str(RUNTIME_PYTHON), "-m", "awslambdaric", "app.handler"],
            cwd=start.folder,
            env={**environment(start), "AWS_LAMBDA_RUNTIME_API": address, "AWS_ENDPOINT_URL": f"http://{address}"},
        )
        ends_at = time.monotonic() + _MAX_SECONDS
        while not ready.wait(0.01):
            ended, _ = os.waitpid(process.pid, os.WNOHANG)
            if ended or time.monotonic() > ends_at:
                process.returncode = 1
                raise AssertionError(f"{start.folder} did not start")
        os.kill(process.pid, signal.SIGKILL)
        return _wait(process.pid, expected=-signal.SIGKILL)


def _wait(process_id: int, expected: int) -> float:
    _, status, usage = os.wait4(process_id, 0)
    assert os.waitstatus_to_exitcode(status) == expected
    return usage.ru_utime + usage.ru_stime


def imported_modules(start: Start) -> set[str]:
    """Top-level packages, and all modules, that a function has imported when it is ready."""
    python = str(RUNTIME_PYTHON) if under_runtime_client() else sys.executable
    code = "import sys; before = set(sys.modules); import app; print('\\n'.join(set(sys.modules) - before))"
    done = subprocess.run(
        [python, "-c", code], cwd=start.folder, env=environment(start), capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())
