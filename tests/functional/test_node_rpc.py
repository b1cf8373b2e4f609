"""The probe of a node, against servers that nobody vouches for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from slipway.errors import ProbeNonsenseError, ProbeRefusedError
from slipway.stacks.node_rpc import NodeRpc
from slipway.stacks.rules import Endpoint
from tests.support.clock import patient_seconds
from tests.support.console_simulator import _TLS

NODE = b'{"rpc_version": "1", "node_vendor": "Banano V26.1"}'
RPC = NodeRpc(httpx.AsyncClient(trust_env=False, verify=_TLS))


@contextmanager
def answering(answer: Callable[[socket.socket], None], asked: list[bytes] | None = None) -> Iterator[int]:
    """Yield a server that reads a request and lets ``answer`` write whatever it likes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    got = b""
                    # Head and body may come apart.
                    while not got.endswith(b"\r\n\r\n" if got.startswith(b"GET ") else b"}"):
                        if not (part := connection.recv(65536)):
                            break
                        got += part
                    if asked is not None:
                        asked.append(got)
                    try:
                        answer(connection)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def _said(status: str, body: bytes, *headers: str) -> Callable[[socket.socket], None]:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]).encode()
    return lambda connection: connection.sendall(head + body)


def _ask(port: int, addresses: list[str] | None = None, seconds: float = 2.0) -> object:
    return RPC.ask(
        "version", Endpoint("node.example", port), ["127.0.0.1"] if addresses is None else addresses, seconds
    )


def test_a_node_is_asked_by_its_name_at_the_address_that_was_judged() -> None:
    asked: list[bytes] = []
    with answering(_said("200 OK", NODE), asked) as port:
        assert _ask(port) == {"rpc_version": "1", "node_vendor": "Banano V26.1"}
    (request,) = asked
    assert request.startswith(b"POST / HTTP/1.1")
    assert f"host: node.example:{port}".encode() in request.lower()
    assert request.endswith(b'{"action":"version"}')


def test_the_next_address_is_tried() -> None:
    with answering(_said("200 OK", NODE)) as port:
        assert _ask(port, ["::1", "127.0.0.1"])


@pytest.mark.parametrize(
    "answer",
    [
        _said("200 OK", b"<html>It works!</html>", "content-type: text/html"),
        _said("302 Found", b"", "location: http://127.0.0.1:1/"),
        _said("500 Oops", NODE),
        _said("200 OK", b"[" * 60000),
        _said("200 OK", b"\x1f\x8b" + b"\0" * 100, "content-encoding: gzip"),
    ],
)
def test_nonsense(answer: Callable[[socket.socket], None]) -> None:
    with answering(answer) as port, pytest.raises(ProbeNonsenseError):
        _ask(port)


def test_an_answer_without_end_is_cut() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with answering(endless) as port, pytest.raises(ProbeNonsenseError):
        _ask(port, seconds=10)


def test_an_answer_that_drips_ends_at_the_deadline() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.1)  # noqa: TID251 (the drip itself)

    began = patient_seconds()
    with answering(drip) as port, pytest.raises(ProbeRefusedError):
        _ask(port, seconds=0.5)
    assert patient_seconds() - began < 3


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ProbeRefusedError):
        _ask(port)
    with pytest.raises(ProbeRefusedError):
        _ask(port, [])
