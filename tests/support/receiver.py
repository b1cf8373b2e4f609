"""A receiver of webhooks that fails and hangs when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

_MAX_SECONDS = 60


def verified(secret: str, request: tuple[dict[str, str], bytes]) -> dict[str, Any]:
    """Check a request by the package of Standard Webhooks, as receivers do, and give its body."""
    headers, given = request
    return dict(Webhook(secret).verify(given, headers))


class Receiver:
    """Takes webhooks. As long as ``manners`` has entries, each request gets the next: a status, or None for none."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.manners: list[int | None] = []
        self.arrived = threading.Condition()
        self.over = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                given = self.rfile.read(int(self.headers["content-length"]))
                with receiver.arrived:
                    receiver.requests.append(({name.lower(): text for name, text in self.headers.items()}, given))
                    status = receiver.manners.pop(0) if receiver.manners else 204
                    receiver.arrived.notify_all()
                if status is None:
                    receiver.over.wait()
                    return
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def wait_for(self, count: int, seconds: float = _MAX_SECONDS) -> None:
        """Wait until so many requests have come."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, seconds), self.requests


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Give a receiver that is there until the block ends."""
    found = Receiver()
    try:
        yield found
    finally:
        found.over.set()
        found.server.shutdown()
