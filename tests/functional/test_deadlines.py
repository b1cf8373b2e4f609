"""Answers without an end: every client of what is not trusted has a deadline, and a most that it reads."""

from __future__ import annotations

import gzip
import itertools
import socket
import time
from collections.abc import Callable
from fractions import Fraction

import httpx
import pytest

from slipway.chain.json_rpc import JsonRpc
from slipway.chains import Chain
from slipway.deadline_client import request_within
from slipway.errors import UpstreamUnavailableError
from slipway.identity.jwks import JwksClient
from slipway.request_budget import limited
from slipway.tokens.mlflow import MlflowModels
from tests.functional.test_node_rpc import answering
from tests.support.clock import patient_seconds

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"


def forever(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    while True:
        connection.sendall(b" " * 65536)


def drip(connection: socket.socket) -> None:
    for byte in itertools.chain(HEAD, itertools.repeat(32)):
        connection.sendall(bytes([byte]))
        time.sleep(0.05)  # noqa: TID251 (the drip itself)


def packed(connection: socket.socket) -> None:
    body = gzip.compress(bytes(50_000_000))
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)


def nested(connection: socket.socket) -> None:
    body = b"[" * 200_000
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)


def _rpc(url: str) -> None:
    chain = Chain(
        chain_id=1, name="one", rpc_urls=(url,), explorer_url=None, confirmations=1, block_seconds=1,
        max_fee_per_gas=1, priority_fee_per_gas=1, base_fee_multiplier=Fraction(2),
    )  # fmt: skip
    JsonRpc(chain, httpx.Client(), deadline=0.5).block_number()


def _jwks(url: str) -> None:
    JwksClient(url, httpx.Client()).key("one")


def _mlflow(url: str) -> None:
    MlflowModels(url, httpx.Client(), None).find("model")


@pytest.mark.parametrize("manner", [forever, drip, packed, nested])
@pytest.mark.parametrize("ask", [_rpc, _jwks, _mlflow])
def test_an_answer_that_never_ends_ends_at_the_requests_budget(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[[str], None], manner: Callable[[socket.socket], None]
) -> None:
    monkeypatch.setenv("ALLOW_PRIVATE_NETWORK", "true")
    began = patient_seconds()
    with answering(manner) as port, limited(1.0), pytest.raises(UpstreamUnavailableError):
        ask(f"http://127.0.0.1:{port}")
    assert patient_seconds() - began < 2.5


def test_what_is_longer_than_wanted_is_an_error() -> None:
    with answering(forever) as port, pytest.raises(httpx.ReadError):
        request_within(httpx.Client(), "GET", f"http://127.0.0.1:{port}/", 5, most_bytes=1000)
