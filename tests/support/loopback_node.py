"""Serves a fake node over HTTP on loopback, for code that makes its own client."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

import httpx

from tests.support.flaky_node import FlakyNode
from tests.support.loopback_handler import LoopbackHandler
from tests.support.nodes import FakeNode


@contextmanager
def served(node: FakeNode | FlakyNode) -> Iterator[str]:
    """Yield the node's address while the context is open."""

    class Handler(LoopbackHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            answer = node.handle(httpx.Request("POST", "http://node/", content=content))
            body = answer.read()
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v3/canary-rpc-key"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
