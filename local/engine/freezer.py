"""Freezes a function's processes between its invocations, as Lambda does: it stands between them and the engine.

The runtime client asks it for the next event, instead of the engine. From then until there is one, every process that
the function has started is stopped, so nothing that a function leaves to the background happens.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from local.processes import adopt_orphans, descendants, end_with_parent

_ENGINE = "AWS_LAMBDA_RUNTIME_API"
_OF_THE_CONNECTION = {"connection", "content-length", "date", "host", "server", "transfer-encoding"}


def _signal(processes: list[int], number: int) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)


class Freezer(ThreadingHTTPServer):
    """The engine's runtime API, once more, on a port of its own.

    Args:
        engine: Host and port of the engine's.
    """

    daemon_threads = True

    def __init__(self, engine: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.engine = engine
        # What keeps the function's output was there before the function, and is not frozen with it.
        self._others = set(descendants(os.getpid()))

    def processes(self) -> list[int]:
        """Return the processes of the function, parents before children."""
        return [pid for pid in descendants(os.getpid()) if pid not in self._others]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a function that has ended while it waited."""


class _Passing(BaseHTTPRequestHandler):
    """Passes one of the runtime client's requests on."""

    protocol_version = "HTTP/1.1"
    server: Freezer

    def do_GET(self) -> None:
        """Wait for the next event; meanwhile the function is frozen."""
        frozen = self.server.processes()
        _signal(frozen, signal.SIGSTOP)
        try:
            answer = self._ask(None)
        finally:
            _signal(frozen, signal.SIGCONT)
        self._pass_on(*answer)

    def do_POST(self) -> None:
        """Report what became of an event."""
        self._pass_on(*self._ask(self.rfile.read(int(self.headers.get("content-length", 0)))))

    def _ask(self, body: bytes | None) -> tuple[int, list[tuple[str, str]], bytes]:
        # An event may be hours away: the engine ends this process when it gives the function up.
        with contextlib.closing(http.client.HTTPConnection(self.server.engine, timeout=None)) as connection:
            connection.request(self.command, self.path, body, _passed(self.headers.items()))
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()

    def _pass_on(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in _passed(headers).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: what this process prints is the function's log."""


def _passed(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _OF_THE_CONNECTION}


def main(command: list[str]) -> int:
    """Run a function's command to its end, and return its status; SIGTERM ends all that it has started."""
    adopt_orphans()
    with Freezer(os.environ[_ENGINE]) as freezer:
        threading.Thread(target=freezer.serve_forever, daemon=True).start()
        variables = {**os.environ, _ENGINE: f"127.0.0.1:{freezer.server_port}"}

        def end(*_: object) -> None:
            _signal(freezer.processes(), signal.SIGKILL)

        signal.signal(signal.SIGTERM, end)
        process = subprocess.Popen(command, env=variables, preexec_fn=end_with_parent())
        status = process.wait()
        end()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
