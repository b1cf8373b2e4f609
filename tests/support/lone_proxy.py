"""A network without a route, whose only way out is an HTTP proxy."""

from __future__ import annotations

import os
import shutil
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

PORT = 3128
# In the network: its loopback is brought up, and a port of it leads to the proxy's Unix socket, which networks share.
_INSIDE = f"""
import fcntl, socket, struct, sys, threading
flags = struct.pack("16sh", b"lo", 0x41)
fcntl.ioctl(socket.socket(), 0x8914, flags)
server = socket.create_server(("127.0.0.1", {PORT}))
print("ready", flush=True)
def pump(source, target):
    while part := source.recv(65536):
        target.sendall(part)
    target.shutdown(socket.SHUT_WR)
while True:
    near, _ = server.accept()
    far = socket.socket(socket.AF_UNIX)
    far.connect(sys.argv[1])
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""


@dataclass
class Network:
    """Where to be inside: ``inside`` goes before a command. ``asked`` is what the proxy was asked for."""

    inside: tuple[str, ...]
    url: str = f"http://127.0.0.1:{PORT}"
    asked: list[str] = field(default_factory=list)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextmanager
def lone_proxy(directory: Path) -> Iterator[Network]:
    """Give a network of its own; skip the test where that is not allowed."""
    tools = {name: shutil.which(name) for name in ("unshare", "nsenter")}
    allowed = all(tools.values()) and not subprocess.run(["unshare", "--net", "true"], check=False).returncode
    if os.geteuid() or not allowed:
        reason = "networks of their own need root, unshare and nsenter"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    found = Network(())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._forward(self.rfile.read(int(self.headers["content-length"])))

        def do_GET(self) -> None:
            self._forward(b"")

        def _forward(self, content: bytes) -> None:
            found.asked.append(self.path)
            kept = {name: self.headers[name] for name in ("content-type", "authorization") if self.headers[name]}
            answer = httpx.request(self.command, self.path, content=content, headers=kept, timeout=30)
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def address_string(self) -> str:
            """Name nobody: a Unix socket has no address."""
            return ""

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    path = str(directory / "proxy")
    with _Server(path, Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        command = [str(tools["unshare"]), "--net", sys.executable, "-c", _INSIDE, path]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"ready\n"
            found.inside = (str(tools["nsenter"]), f"--net=/proc/{holder.pid}/ns/net", "--")
            try:
                yield found
            finally:
                holder.kill()
                server.shutdown()
