"""A function under AWS's own runtime client, invoked as often as wanted, with the CPU time that its process used."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.performance.cold_start import RUNTIME_PYTHON, Start, environment
from tests.support.loopback_handler import LoopbackHandler

_ANSWER_SECONDS = 60


class RunningFunction:
    """A started function; see ``running``."""

    def __init__(self, events: "queue.Queue[str]", answers: "queue.Queue[str]") -> None:
        self._events = events
        self._answers = answers
        self.process: subprocess.Popen[bytes] | None = None

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """One invocation's answer."""
        self._events.put(json.dumps(event))
        answer: dict[str, Any] = json.loads(self._answers.get(timeout=_ANSWER_SECONDS))
        return answer

    @property
    def cpu_seconds(self) -> float:
        """CPU time of the process so far, to the nanosecond: /proc's clock ticks are too coarse."""
        assert self.process is not None
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


@contextmanager
def running(start: Start, variables: dict[str, str]) -> Iterator[RunningFunction]:
    """Start a function with further environment variables; ends it afterwards."""
    events: queue.Queue[str] = queue.Queue()
    answers: queue.Queue[str] = queue.Queue()

    class Handler(LoopbackHandler):
        def do_GET(self) -> None:
            self._answer(events.get(), {"Lambda-Runtime-Deadline-Ms": str(2**42)})

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"])).decode()
            if "error" in self.path:
                sys.stderr.write(content)
            answers.put(content)
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

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing: a function that is ended leaves its connection."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    function = RunningFunction(events, answers)
    address = f"127.0.0.1:{server.server_port}"
    try:
        function.process = subprocess.Popen(
            [str(RUNTIME_PYTHON), "-m", "awslambdaric", "app.handler"],
            cwd=start.folder,
            env={**environment(start), **variables, "AWS_LAMBDA_RUNTIME_API": address},
            stdout=subprocess.DEVNULL,
        )
        yield function
    finally:
        if function.process:
            function.process.kill()
            function.process.wait()
        server.shutdown()
        server.server_close()
