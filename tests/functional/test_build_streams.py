"""Streams of builds: who may connect, what is told, what is left behind, and what each function may touch."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from slipway.builds.api import tickets
from slipway.errors import UpstreamUnavailableError
from slipway.streams import publisher, service, store
from slipway.streams.models import Connection, Lease
from slipway.times import epoch_milliseconds
from tests.support.build_log import USUAL, WrittenBuild
from tests.support.clock import ManualClock
from tests.support.functions import event
from tests.support.installation import Installation
from tests.support.wallets import ALICE, BOB


@pytest.fixture
def build(slipway: Installation) -> WrittenBuild:
    """Return a build of Alice's that has begun."""
    written = WrittenBuild(boto3.client("dynamodb"), "jobs", ALICE.address)
    written.tell(*USUAL[:2])
    return written


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "delivery", partial(publisher.delivery, ManualClock()))


def _connect(
    slipway: Installation,
    build_id: str,
    token: str | None = None,
    *,
    connection_id: str = "c1",
    **query: str,
) -> dict[str, Any]:
    given = event("stream_connect")
    given["requestContext"]["connectionId"] = connection_id
    given["queryStringParameters"] = {"build_id": build_id, **query}
    del given["headers"]["Sec-WebSocket-Protocol"]
    if token:
        given["headers"]["Sec-WebSocket-Protocol"] = f"bearer, {token}"
    answer: dict[str, Any] = slipway.invoke("StreamConnectionsFunction", given)
    return answer


def _connected(slipway: Installation, build: WrittenBuild, connection_id: str = "c1", **query: str) -> list[Any]:
    """Connect as API Gateway does: the connection is open once $connect has answered. What is sent to it."""
    answer = _connect(slipway, build.build_id, slipway.token(), connection_id=connection_id, **query)
    assert answer["statusCode"] == 200
    return slipway.sockets.open(connection_id)


def _replay(slipway: Installation) -> None:
    """Do what Lambda was asked for asynchronously."""
    asked, slipway.invoked[:] = list(slipway.invoked), []
    for payload in asked:
        slipway.invoke("BuildReplayFunction", payload)


def _streamed(slipway: Installation, build: WrittenBuild) -> None:
    given = event("stream_builds")
    (record,) = given["Records"]
    record["dynamodb"]["Keys"]["pk"]["S"] = f"BUILD#{build.build_id}"
    slipway.invoke("BuildStreamFunction", given)


def _left(slipway: Installation) -> list[str]:
    kept = ("STREAM#", "CONNECTION#")
    return [item["pk"] for item in slipway.items("control") if item["pk"].startswith(kept)]


def _held(slipway: Installation) -> set[str]:
    (item,) = [item for item in slipway.items("control") if item["pk"] == f"HELD#build_streams#{ALICE.address}"]
    return set(item.get("leases", ()))


# ── $connect ────────────────────────────────────────────────────────────────────────────────────


def test_the_owner_connects_and_the_subprotocol_is_chosen(slipway: Installation, build: WrittenBuild) -> None:
    answer = _connect(slipway, build.build_id, slipway.token())
    assert answer == {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "bearer"}}
    assert slipway.invoked == [{"build_id": build.build_id, "connection_id": "c1"}]
    assert sorted(_left(slipway)) == ["CONNECTION#c1", f"STREAM#{build.build_id}"]


def test_a_ticket_opens_the_stream_once_and_needs_no_subprotocol(slipway: Installation, build: WrittenBuild) -> None:
    ticket = tickets.issue(build.build_id, ALICE.address)
    assert _connect(slipway, build.build_id, ticket=ticket) == {"statusCode": 200}
    again = _connect(slipway, build.build_id, connection_id="c2", ticket=ticket)
    assert (again["statusCode"], json.loads(again["body"])["error"]["code"]) == (401, "AUTH_FAILED")
    assert ticket not in str(slipway.items("jobs"))


def test_an_authorization_header_does_as_well_as_the_subprotocol(slipway: Installation, build: WrittenBuild) -> None:
    given = event("stream_connect")
    given["queryStringParameters"] = {"build_id": build.build_id}
    del given["headers"]["Sec-WebSocket-Protocol"]
    given["headers"]["Authorization"] = f"Bearer {slipway.token()}"
    assert slipway.invoke("StreamConnectionsFunction", given) == {"statusCode": 200}


@pytest.mark.parametrize(
    "case", ["nobody", "forged", "no wallet", "stranger", "no build", "bad id", "ahead", "bad after"]
)
def test_nobody_else_gets_in_and_nothing_is_left_of_them(slipway: Installation, build: WrittenBuild, case: str) -> None:
    token = slipway.token()
    attempts: dict[str, tuple[str, str | None, dict[str, str], int]] = {
        "nobody": (build.build_id, None, {}, 401),
        "forged": (build.build_id, f"{token[:-6]}AAAAAA", {}, 401),
        "no wallet": (build.build_id, slipway.token(wallet=None), {}, 401),
        "stranger": (build.build_id, slipway.token(BOB), {}, 404),
        "no build": ("0b1f4c58-1f2e-4f6a-9a57-5d8a4de0a4b2", token, {}, 404),
        "bad id": ("../../etc", token, {}, 400),
        "ahead": (build.build_id, token, {"after": "3"}, 400),
        "bad after": (build.build_id, token, {"after": "one"}, 400),
    }
    build_id, given, query, status = attempts[case]
    answer = _connect(slipway, build_id, given, **query)
    assert answer["statusCode"] in (status, 403)
    assert json.loads(answer["body"])["success"] is False
    assert _left(slipway) == []
    assert slipway.invoked == []
    assert slipway.audit()[-1]["outcome"] == json.loads(answer["body"])["error"]["code"]


def test_an_owner_follows_only_so_many_streams(
    slipway: Installation, build: WrittenBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FOLLOWED", replace(store.FOLLOWED, most=2))
    _connected(slipway, build, "c1")
    _connected(slipway, build, "c2")
    assert _connect(slipway, build.build_id, slipway.token(), connection_id="c3")["statusCode"] == 429
    slipway.invoke("StreamConnectionsFunction", _of_connection("stream_disconnect", "c1"))
    _connected(slipway, build, "c3")
    assert {permit.partition("#")[2] for permit in _held(slipway)} == {"c2", "c3"}


def test_a_stream_that_cannot_be_begun_is_refused_and_leaves_nothing(
    slipway: Installation, build: WrittenBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(connection: Connection) -> None:
        raise UpstreamUnavailableError("Lambda does not answer", retry_after=2)

    monkeypatch.setattr(service, "request_replay", refuse)
    assert _connect(slipway, build.build_id, slipway.token())["statusCode"] == 502
    assert _left(slipway) == []
    assert _held(slipway) == set()


# ── Replay and live ─────────────────────────────────────────────────────────────────────────────


def test_a_build_is_replayed_then_reported_live_and_closed_at_its_end(
    slipway: Installation, build: WrittenBuild
) -> None:
    told = _connected(slipway, build)
    _replay(slipway)
    assert told == build.told
    build.tell(*USUAL[2:4])
    _streamed(slipway, build)
    assert told == build.told
    _streamed(slipway, build)
    build.tell(*USUAL[4:])
    _streamed(slipway, build)
    assert told == build.told
    assert slipway.sockets.closed == ["c1"]
    assert _left(slipway) == []
    assert _held(slipway) == set()
    assert slipway.invoked == []


def test_a_client_begins_where_it_wants(slipway: Installation, build: WrittenBuild) -> None:
    told = _connected(slipway, build, after="1")
    _replay(slipway)
    assert told == build.told[1:]


def test_the_tables_stream_comes_before_the_connection_is_open(slipway: Installation, build: WrittenBuild) -> None:
    _connect(slipway, build.build_id, slipway.token())
    slipway.invoked.clear()
    _streamed(slipway, build)
    assert slipway.invoked == [{"build_id": build.build_id, "connection_id": "c1"}]
    told = slipway.sockets.open("c1")
    _replay(slipway)
    assert told == build.told


def test_a_replay_waits_until_the_connection_is_open(slipway: Installation, build: WrittenBuild) -> None:
    _connect(slipway, build.build_id, slipway.token())
    with pytest.raises(UpstreamUnavailableError):
        slipway.invoke("BuildReplayFunction", slipway.invoked[0])
    assert _left(slipway)
    told = slipway.sockets.open("c1")
    _replay(slipway)
    assert told == build.told


def test_a_lease_that_is_taken_is_waited_for(slipway: Installation, build: WrittenBuild) -> None:
    told = _connected(slipway, build)
    connection = Connection(build.build_id, "c1")
    lease = store.acquire_lease(connection)
    assert isinstance(lease, Lease)
    slipway.invoked.clear()
    _streamed(slipway, build)
    assert slipway.invoked == [{"build_id": build.build_id, "connection_id": "c1"}]
    assert told == []
    assert store.release_lease(connection, lease, 1)
    _replay(slipway)
    assert told == build.told[1:]


def test_a_lease_that_expired_closes_the_connection(
    slipway: Installation, build: WrittenBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = _connected(slipway, build)
    monkeypatch.setattr(store, "LEASE_SECONDS", -1.0)
    store.acquire_lease(Connection(build.build_id, "c1"))
    _replay(slipway)
    assert told == []
    assert slipway.sockets.closed == ["c1"]
    assert _left(slipway) == []


@pytest.mark.parametrize("failure", [500, 413, ReadTimeoutError(endpoint_url="https://x")])
def test_a_post_whose_outcome_nobody_knows_closes_the_connection(
    slipway: Installation, build: WrittenBuild, failure: int | Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = _connected(slipway, build)
    slipway.sockets.failures.append(failure)
    _replay(slipway)
    assert told == []
    assert slipway.sockets.closed == ["c1"]


def test_a_post_without_a_clear_outcome_before_the_connection_is_open_is_never_done_again(
    slipway: Installation, build: WrittenBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    _connect(slipway, build.build_id, slipway.token())
    slipway.sockets.failures += [500, 410]
    with pytest.raises(UpstreamUnavailableError):
        slipway.invoke("BuildReplayFunction", slipway.invoked[0])
    told = slipway.sockets.open("c1")
    later = epoch_milliseconds() + int(store.LEASE_SECONDS * 1000) + 1
    monkeypatch.setattr(store, "epoch_milliseconds", lambda: later)
    _replay(slipway)
    assert told == []
    assert slipway.sockets.closed == ["c1"]


@pytest.mark.parametrize(
    "failure", [429, ConnectTimeoutError(endpoint_url="https://x"), EndpointConnectionError(endpoint_url="https://x")]
)
def test_a_post_that_did_not_arrive_is_tried_again(
    slipway: Installation, build: WrittenBuild, failure: int | Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = _connected(slipway, build)
    slipway.sockets.failures += [failure, failure]
    _replay(slipway)
    assert told == build.told
    assert slipway.sockets.closed == []


def test_who_is_gone_is_forgotten(slipway: Installation, build: WrittenBuild) -> None:
    _connected(slipway, build)
    _replay(slipway)
    del slipway.sockets.sent["c1"]
    build.tell(USUAL[2])
    _streamed(slipway, build)
    assert _left(slipway) == []
    assert _held(slipway) == set()


def test_a_log_that_cannot_be_read_costs_nobody_the_connection(
    slipway: Installation, build: WrittenBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = _connected(slipway, build)

    def fail(*_: object) -> list[Any]:
        raise UpstreamUnavailableError("The store did not answer", retry_after=2)

    with monkeypatch.context() as patch:
        patch.setattr(publisher.BuildLog, "after", fail)
        with pytest.raises(UpstreamUnavailableError):
            _streamed(slipway, build)
    _replay(slipway)
    assert told == build.told


def test_an_event_costs_five_requests_and_a_post_for_each_who_follows(
    slipway: Installation, build: WrittenBuild
) -> None:
    _connected(slipway, build)
    _replay(slipway)
    slipway.calls.clear()
    build.tell(USUAL[2])
    _streamed(slipway, build)
    assert [operation for _, operation, _ in slipway.calls] == [
        "Query",  # Who follows.
        "UpdateItem",  # The turn.
        "Query",  # What is new.
        "PostToConnection",
        "UpdateItem",  # The turn's end.
        "Query",  # Whether something came meanwhile.
    ]


def test_an_event_that_nobody_follows_costs_one_request(slipway: Installation, build: WrittenBuild) -> None:
    _streamed(slipway, build)
    assert [operation for _, operation, _ in slipway.calls] == ["Query"]


# ── What a client sends, and its leaving ────────────────────────────────────────────────────────


def _of_connection(name: str, connection_id: str = "c1") -> dict[str, Any]:
    given = event(name)
    given["requestContext"]["connectionId"] = connection_id
    return given


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        ('{"action": "ping"}', {"action": "pong"}),
        ("{", "error"),
        ("", "error"),
        ("[" * 100_000, "error"),
        ('{"action": ["ping"]}', "error"),
        ("null", "error"),
    ],
)
def test_what_a_client_sends_gets_an_answer_and_nothing_else(
    slipway: Installation, build: WrittenBuild, body: str, reply: Any
) -> None:
    told = _connected(slipway, build)
    before = sorted(map(str, slipway.items("control")))
    answer = slipway.invoke("StreamConnectionsFunction", {**_of_connection("stream_message"), "body": body})
    assert answer == {"statusCode": 200}
    assert told[0] == reply if isinstance(reply, dict) else told[0]["status"] == reply
    assert sorted(map(str, slipway.items("control"))) == before


def test_a_client_that_leaves_is_forgotten_and_may_leave_twice(slipway: Installation, build: WrittenBuild) -> None:
    _connected(slipway, build)
    for _ in range(2):
        assert slipway.invoke("StreamConnectionsFunction", _of_connection("stream_disconnect")) == {"statusCode": 200}
    assert _left(slipway) == []
    assert _held(slipway) == set()
    _replay(slipway)
    assert slipway.sockets.closed == []
