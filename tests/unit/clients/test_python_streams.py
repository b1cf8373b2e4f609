"""The Python client's logs, streams of builds, webhooks and wallet."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpx
import pytest
from eth_account import Account
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.http11 import Response

from slipway_client import (
    AsyncSlipway,
    PrivateKey,
    SlipwayError,
    TransactionError,
    Wallet,
    WebhookError,
    verify_webhook,
)
from slipway_client.events import EventParser
from tests.unit.clients.api import BEGAN, KEY, Api, answered, refused

LOGS = "GET /api/deployments/d-1/logs"
BUILD = "GET /api/v1/builds/b-1"


# ── Logs ─────────────────────────────────────────────────────────────────────────────────────────────
def _lines(*numbers: int) -> httpx.Response:
    events = "".join(f'id: c{n}\ndata: {{"service":"web","pod":"p","line":"line {n}"}}\n\n' for n in numbers)
    return httpx.Response(200, text=f"retry: 200\n\n{events}", headers={"content-type": "text/event-stream"})


def _end(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text='retry: 200\n\nevent: end\nid: e\ndata: {"message":"The workload is closed"}\n\n')


def test_logs_resume_after_the_last_event_whatever_happens() -> None:
    # Cut in the middle of an event, which comes whole with the next answer.
    cut = httpx.Response(200, content=_lines(2).content + b'id: c3\ndata: {"service":"web","li')
    api = Api().on(
        LOGS, _lines(0, 1), httpx.ReadTimeout("late"), cut, refused("UPSTREAM_UNAVAILABLE", 502), _lines(3), _end
    )
    with api.sync() as client:
        events = list(client.logs("d-1", service="web", tail=5))
    assert [event.line or event.message for event in events] == [
        "line 0", "line 1", "line 2", "line 3", "The workload is closed",
    ]  # fmt: skip
    assert [event.event for event in events] == ["line"] * 4 + ["end"]
    after = [request.headers.get("last-event-id") for request in api.asked(LOGS)]
    assert after == [None, "c1", "c1", "c2", "c2", "c3"]
    assert all(dict(request.url.params) == {"service": "web", "tail": "5"} for request in api.asked(LOGS))


def test_logs_end_at_204_and_resume_from_a_known_event() -> None:
    api = Api().on(LOGS, httpx.Response(204))
    with api.sync() as client:
        assert list(client.logs("d-1", after="c7")) == []
    assert [request.headers.get("last-event-id") for request in api.asked(LOGS)] == ["c7"]


def test_logs_without_following_are_what_is_there() -> None:
    long = httpx.Response(200, text=f"retry: 200\n\n: {'x' * 300_000}\n\n" + _lines(0).text)
    api = Api().on(LOGS, httpx.ReadTimeout("late"), long, _lines(1), _lines(2))

    async def read(client: AsyncSlipway) -> Any:
        return [event.line async for event in client.logs("d-1", follow=False)]

    assert api.asynchronous(read) == ["line 0", "line 1"]


def test_logs_that_are_refused_are_an_error_at_once_and_a_dead_api_after_five_minutes() -> None:
    api = Api().on(LOGS, refused("CONFLICT", 409))
    with api.sync() as client, pytest.raises(SlipwayError, match="CONFLICT"):
        list(client.logs("d-1"))
    api = Api().on(LOGS, httpx.ConnectError("down"))
    with api.sync() as client, pytest.raises(SlipwayError, match="NETWORK"):
        list(client.logs("d-1"))
    assert 300 <= sum(api.waited) < 330


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_pieces_of_a_stream_may_end_anywhere(size: int) -> None:
    text = "retry: 1500\r\n\r\n: comment\r\nid: 1\ndata: a\ndata: b\n\nevent: gap\nid:2\ndata:x\n\ndata\n\n"
    parser = EventParser()
    events = [event for start in range(0, len(text), size) for event in parser.push(text[start : start + size])]
    assert [(event.name, event.data, event.id) for event in events] == [
        ("message", "a\nb", "1"), ("gap", "x", "2"), ("message", "", "2"),
    ]  # fmt: skip
    assert parser.retry == 1.5


# ── Streams of builds ────────────────────────────────────────────────────────────────────────────────
class Streams:
    """What each connection sends before it ends, and how each ends."""

    def __init__(self, *connections: list[int] | Exception, last: int) -> None:
        self.connections, self.last, self.opened = list(connections), last, [""]

    def messages(self, url: str, headers: dict[str, str], timeout: float) -> Iterator[str]:
        self.opened.append(f"{url} {headers['authorization']}")
        sent = self.connections.pop(0)
        if isinstance(sent, Exception):
            raise sent
        for sequence in sent:
            yield json.dumps({"sequence": sequence, "status": "complete" if sequence == self.last else "auditing"})
        if sent[-1:] != [self.last]:
            raise ConnectionClosedError(None, None)


@contextmanager
def _streamed(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr("slipway_client._sync.driver.messages", streams.messages)

    def detail(request: httpx.Request) -> httpx.Response:
        over = not streams.connections
        url = "wss://ws.example.com/v1?build_id=b-1"
        return answered({"stream_url": url, "sequence": 9, "status": "complete" if over else "auditing"})

    with Api().on(BUILD, detail).sync() as client:
        yield client


def test_a_builds_events_are_contiguous_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = Streams([1, 2, 3], OSError("down"), TimeoutError("late"), [3, 4, 5], [6, 7, 8, 9], last=9)
    with _streamed(streams, monkeypatch) as client:
        assert [event["sequence"] for event in client.builds.events("b-1")] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert streams.opened[1] == "wss://ws.example.com/v1?build_id=b-1&after=0 Bearer access-1"
    assert [url.partition("after=")[2][0] for url in streams.opened[1:]] == ["0", "3", "3", "3", "5"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_stream_that_is_refused_is_an_error(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    refusal = InvalidStatus(Response(status, "", Headers()))
    with _streamed(Streams(refusal, [9], last=9), monkeypatch) as client, pytest.raises(SlipwayError) as error:
        list(client.builds.events("b-1"))
    assert error.value.status == status


# ── Webhooks ─────────────────────────────────────────────────────────────────────────────────────────
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
BODY = b'{"type":"worker.down","timestamp":"2026-11-29T04:20:00.000Z","data":{"wallet":"0x1"}}'


def _signed(body: bytes = BODY, at: int = 1000, secret: str = SECRET) -> dict[str, str]:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, f"m-1.{at}.".encode() + body, hashlib.sha256)).decode()
    return {"Webhook-Id": "m-1", "Webhook-Timestamp": str(at), "Webhook-Signature": f"v1,other v1,{signature}"}


def test_a_signed_message_is_returned() -> None:
    assert verify_webhook(BODY, _signed(), SECRET, now=1100)["type"] == "worker.down"
    assert verify_webhook(BODY.decode(), _signed(), SECRET, now=701)["data"] == {"wallet": "0x1"}


@pytest.mark.parametrize(
    ("body", "headers", "secret", "now"),
    [
        (BODY + b" ", _signed(), SECRET, 1000),
        (BODY, _signed(), "whsec_" + base64.b64encode(b"other").decode(), 1000),
        (BODY, _signed(), "whsec_not base64", 1000),
        (BODY, _signed(), SECRET, 1301),
        (BODY, _signed(), SECRET, 699),
        (BODY, {**_signed(), "Webhook-Id": "m-2"}, SECRET, 1000),
        (BODY, {**_signed(), "Webhook-Timestamp": "1001"}, SECRET, 1000),
        (BODY, {**_signed(), "Webhook-Signature": ""}, SECRET, 1000),
        (BODY, {}, SECRET, 1000),
        (b"no json", _signed(b"no json"), SECRET, 1000),
    ],
)
def test_every_other_message_is_refused(body: bytes, headers: dict[str, str], secret: str, now: float) -> None:
    with pytest.raises(WebhookError) as error:
        verify_webhook(body, headers, secret, now=now)
    assert secret not in str(error.value)


# ── A wallet ─────────────────────────────────────────────────────────────────────────────────────────
class Node:
    """A chain's node that takes one transaction, with what goes wrong on the way."""

    def __init__(self, *, london: bool = True, loses_answer: bool = False, refuses: str = "", status: int = 1) -> None:
        self.london, self.loses_answer, self.refuses, self.status = london, loses_answer, refuses, status
        self.sent: list[str] = []
        self.answers_nothing = 0

    def handle(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        if self.answers_nothing:
            self.answers_nothing -= 1
            raise httpx.ConnectError("down")
        answer = getattr(self, asked["method"])(*asked["params"])
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": asked["id"], **answer})

    def eth_chainId(self) -> Any:  # noqa: N802
        return {"result": hex(31337)}

    def eth_getTransactionCount(self, address: str, block: str) -> Any:  # noqa: N802
        return {"result": "0x7"}

    def eth_getBlockByNumber(self, block: str, whole: bool) -> Any:  # noqa: N802
        return {"result": {"baseFeePerGas": "0x64"} if self.london else {}}

    def eth_gasPrice(self) -> Any:  # noqa: N802
        return {"result": "0x5"}

    def eth_maxPriorityFeePerGas(self) -> Any:  # noqa: N802
        return {"result": "0x2"}

    def eth_sendRawTransaction(self, raw: str) -> Any:  # noqa: N802
        if self.refuses:
            return {"error": {"code": -32000, "message": self.refuses}}
        if raw in self.sent:
            return {"error": {"code": -32000, "message": "already known"}}
        self.sent.append(raw)
        if self.loses_answer:
            raise httpx.ReadTimeout("late")
        return {"result": "0x0"}

    def eth_getTransactionByHash(self, transaction_hash: str) -> Any:  # noqa: N802
        return {"result": {"hash": transaction_hash} if self.sent else None}

    def eth_getTransactionReceipt(self, transaction_hash: str) -> Any:  # noqa: N802
        return {"result": {"status": hex(self.status), "transactionHash": transaction_hash} if self.sent else None}


TRANSACTION: Any = {"to": "0x" + "22" * 20, "data": "0x", "value": "0x1", "gas": 21000, "chainId": 31337}


def _send(node: Node, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[dict[str, Any]]:
    waited: list[float] = []
    monkeypatch.setattr("slipway_client._sync.driver.sleep", waited.append)
    monkeypatch.setattr("slipway_client._sync.driver.now", lambda: BEGAN + sum(waited))
    http = httpx.Client(transport=httpx.MockTransport(node.handle))
    return Wallet(PrivateKey(KEY), "http://node.example.com/secret", http=http).send(
        [cast(Any, {**TRANSACTION, **changes})]
    )


def test_a_transaction_is_sent_once_though_its_answer_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(loses_answer=True)
    node.answers_nothing = 2
    (receipt,) = _send(node, monkeypatch)
    assert receipt["status"] == "0x1"
    (raw,) = node.sent
    assert Account.recover_transaction(raw) == Account.from_key(KEY).address


def test_a_chain_without_eip_1559_gets_a_gas_price(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(london=False)
    _send(node, monkeypatch)
    assert not node.sent[0].startswith("0x02")


def test_what_the_chain_refuses_or_reverts_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TransactionError, match="insufficient funds") as refusal:
        _send(Node(refuses="insufficient funds for gas"), monkeypatch)
    assert refusal.value.details["transaction_hash"].startswith("0x")
    with pytest.raises(TransactionError, match="reverted"):
        _send(Node(status=0), monkeypatch)
    with pytest.raises(TransactionError, match="chain 31337, the transaction for chain 1"):
        _send(Node(), monkeypatch, chainId=1)


def test_a_dead_node_is_an_error_that_does_not_name_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node()
    node.answers_nothing = 100
    with pytest.raises(SlipwayError, match="NODE_UNAVAILABLE") as error:
        _send(node, monkeypatch)
    assert "secret" not in str(error.value)
