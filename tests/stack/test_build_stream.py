"""The stream of a build with a real WebSocket client: replay, live, in order, to its end, and for its owner only."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import SHUT_RDWR
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Subprotocol

from tests.stack.build_requests import PATH, PROMPT
from tests.stack.conftest import RunningStack
from tests.stack.launches import Token, bearer
from tests.support.build_log import USUAL, WrittenBuild
from tests.support.waiting import eventually

SECONDS = 40.0


@pytest.fixture
def written(stack: RunningStack, owner: str) -> Callable[[], WrittenBuild]:
    """Make builds of the first user whose progress the test writes."""
    client, table = stack.client("dynamodb"), stack.outputs["JobsTableName"]
    return lambda: WrittenBuild(client, table, owner)


@pytest.fixture(scope="session")
def stranger(stack: RunningStack) -> Token:
    """Another user."""
    others = [entry for entry in stack.accounts if entry["role"] == "user"]
    return stack.sign_in(others[1])


def _protocols(token: Token) -> list[Subprotocol]:
    return [Subprotocol("bearer"), Subprotocol(str(token))]


@contextmanager
def _follow(stack: RunningStack, build_id: str, token: Token | None, query: str = "") -> Iterator[Connection]:
    url = f"{stack.described['websocket']}/api/v1/builds/{build_id}/stream{query}"
    protocols = _protocols(token) if token else None
    with connect(url, subprotocols=protocols, open_timeout=SECONDS, close_timeout=5) as socket:
        yield socket


def _refused(stack: RunningStack, build_id: str, token: Token | None, query: str = "") -> int:
    with pytest.raises(InvalidStatus) as refused, _follow(stack, build_id, token, query):
        pass
    return int(refused.value.response.status_code)


def _next(socket: Connection, count: int) -> list[dict[str, Any]]:
    return [json.loads(socket.recv(timeout=SECONDS)) for _ in range(count)]


def _rest(socket: Connection) -> tuple[list[dict[str, Any]], int | None]:
    """Everything until the server closes, and the code it closes with."""
    told: list[dict[str, Any]] = []
    try:
        while True:
            told.append(json.loads(socket.recv(timeout=SECONDS)))
    except ConnectionClosed:
        return told, socket.close_code


def _connections(stack: RunningStack, build_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.client("dynamodb").query(
        TableName=stack.outputs["ControlTableName"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"STREAM#{build_id}"}},
        ConsistentRead=True,
    )["Items"]
    return found


# ── What is told ────────────────────────────────────────────────────────────────────────────────


def test_a_build_is_reported_from_its_first_event_and_live_to_its_end(
    stack: RunningStack, user: Token, written: Callable[[], WrittenBuild]
) -> None:
    build = written()
    build.tell(*USUAL[:3])
    with _follow(stack, build.build_id, user) as socket:
        assert socket.subprotocol == "bearer"
        assert _next(socket, 3) == build.told
        for progress in USUAL[3:]:
            build.tell(progress)
            assert _next(socket, 1) == build.told[-1:]
        assert _rest(socket) == ([], 1000)
    eventually(lambda: not _connections(stack, build.build_id))


def test_what_happens_while_a_client_connects_is_reported_once_and_in_order(
    stack: RunningStack, user: Token, written: Callable[[], WrittenBuild]
) -> None:
    build = written()
    build.tell(USUAL[0])
    writer = threading.Thread(target=build.tell, args=[*([USUAL[1]] * 30), *USUAL[2:]])
    writer.start()
    with _follow(stack, build.build_id, user) as socket:
        told, code = _rest(socket)
    writer.join()
    assert told == build.told
    assert code == 1000


def test_a_client_that_comes_back_in_the_middle_misses_nothing(
    stack: RunningStack, user: Token, written: Callable[[], WrittenBuild]
) -> None:
    build = written()
    build.tell(*USUAL[:2])
    with _follow(stack, build.build_id, user) as socket:
        seen = _next(socket, 2)
    build.tell(*USUAL[2:5])
    with _follow(stack, build.build_id, user, f"?after={seen[-1]['sequence']}") as socket:
        seen += _next(socket, 3)
        build.tell(*USUAL[5:])
        seen += _rest(socket)[0]
    assert seen == build.told


def test_two_clients_receive_the_same_whatever_one_of_them_does(
    stack: RunningStack, user: Token, written: Callable[[], WrittenBuild]
) -> None:
    build = written()
    build.tell(*USUAL[:2])
    with _follow(stack, build.build_id, user) as first, _follow(stack, build.build_id, user, "?after=1") as second:
        assert _next(first, 2) == build.told
        assert _next(second, 1) == build.told[1:]
        build.tell(USUAL[2])
        assert _next(first, 1) == _next(second, 1) == build.told[2:]
        first.close()
        build.tell(*USUAL[3:])
        assert _rest(second)[0] == build.told[3:]


@pytest.mark.parametrize("end", [("complete", 100, "complete"), ("failed", 0, "error"), ("cancelled", 40, "cancelled")])
def test_a_build_that_has_ended_is_replayed_and_the_stream_closed(
    stack: RunningStack, user: Token, written: Callable[[], WrittenBuild], end: tuple[str, int, str]
) -> None:
    build = written()
    build.tell(*USUAL[:3], end)
    with _follow(stack, build.build_id, user) as socket:
        assert _rest(socket) == (build.told, 1000)
    with _follow(stack, build.build_id, user, "?after=4") as socket:
        assert _rest(socket) == ([], 1000)


def test_a_build_that_goes_on_after_its_end_is_reported_whole(
    stack: RunningStack, user: Token, written: Callable[[], WrittenBuild]
) -> None:
    build = written()
    build.tell(*USUAL[:2], ("failed", 70, "error"), ("deploying", 70, "deployment"))
    with _follow(stack, build.build_id, user) as socket:
        assert _next(socket, 4) == build.told
        build.tell(USUAL[-1])
        assert _rest(socket)[0] == build.told[4:]


# ── What a client may do ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("junk", ["", "{", "[]", '{"action": "subscribe", "route": "$disconnect"}', "x" * 20_000])
def test_junk_is_answered_and_changes_nothing(
    stack: RunningStack, user: Token, written: Callable[[], WrittenBuild], junk: str
) -> None:
    build = written()
    build.tell(USUAL[0])
    with _follow(stack, build.build_id, user) as socket:
        assert _next(socket, 1) == build.told
        socket.send(junk)
        assert _next(socket, 1)[0]["status"] == "error"
        socket.send('{"action": "ping"}')
        assert _next(socket, 1) == [{"action": "pong"}]
        assert socket.ping().wait(SECONDS)
        build.tell(*USUAL[1:])
        assert _rest(socket) == (build.told[1:], 1000)


def test_bytes_are_junk_too(stack: RunningStack, user: Token, written: Callable[[], WrittenBuild]) -> None:
    build = written()
    build.tell(USUAL[0])
    with _follow(stack, build.build_id, user) as socket:
        _next(socket, 1)
        socket.send(b"\xff\x00\xfe")
        assert _next(socket, 1)[0]["status"] == "error"


# ── Who may connect ─────────────────────────────────────────────────────────────────────────────


def test_nobody_else_may_follow(
    stack: RunningStack, user: Token, stranger: Token, written: Callable[[], WrittenBuild]
) -> None:
    build = written()
    build.tell(USUAL[0])
    token = str(user)
    forged = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB")
    assert 400 <= _refused(stack, build.build_id, None) < 500
    assert 400 <= _refused(stack, build.build_id, forged) < 500
    assert 400 <= _refused(stack, build.build_id, "not-a-token") < 500
    assert 400 <= _refused(stack, build.build_id, stranger) < 500
    assert 400 <= _refused(stack, str(uuid.uuid4()), user) < 500
    assert _connections(stack, build.build_id) == []


@pytest.mark.parametrize("query", ["?after=-1", "?after=x", "?after=2", "?after=1e3"])
def test_a_position_that_is_none_is_refused(
    stack: RunningStack, user: Token, written: Callable[[], WrittenBuild], query: str
) -> None:
    build = written()
    build.tell(USUAL[0])
    assert 400 <= _refused(stack, build.build_id, user, query) < 500


# ── What dies ───────────────────────────────────────────────────────────────────────────────────


def _add_dead(stack: RunningStack, build: WrittenBuild, sent: int, connected_at: float, **more: Any) -> str:
    """Return a connection that API Gateway knows nothing of."""
    client, table = stack.client("dynamodb"), stack.outputs["ControlTableName"]
    connection_id = f"dead{uuid.uuid4().hex[:8]}"
    numbers = {"after": 0, "sent": sent, "connected_at": int(connected_at * 1000), "expires_at": int(time.time()) + 600}
    texts = {
        "build_id": build.build_id,
        "connection_id": connection_id,
        "wallet": build.wallet,
        "lease": "000000000001#x",
    }
    client.put_item(
        TableName=table,
        Item={
            "pk": {"S": f"STREAM#{build.build_id}"},
            "sk": {"S": f"CONNECTION#{connection_id}"},
            **{name: {"N": str(value)} for name, value in numbers.items()},
            **{name: {"S": value} for name, value in texts.items()},
            **more,
        },
    )
    back = {"pk": {"S": f"CONNECTION#{connection_id}"}, "sk": {"S": "STREAM"}, "build_id": {"S": build.build_id}}
    client.put_item(TableName=table, Item={**back, "expires_at": {"N": "9999999999"}})
    return connection_id


def test_a_dead_connection_is_pruned_and_does_not_hold_up_the_living(
    stack: RunningStack, user: Token, written: Callable[[], WrittenBuild]
) -> None:
    build = written()
    build.tell(*USUAL[:2])
    with _follow(stack, build.build_id, user) as socket:
        assert _next(socket, 2) == build.told
        _add_dead(stack, build, sent=2, connected_at=time.time() - 60)
        _add_dead(stack, build, sent=0, connected_at=time.time() - 17)
        assert len(_connections(stack, build.build_id)) == 3
        build.tell(USUAL[2])
        assert _next(socket, 1) == build.told[2:]
        eventually(lambda: len(_connections(stack, build.build_id)) == 1)
        build.tell(*USUAL[3:])
        assert _rest(socket)[0] == build.told[3:]


def test_a_connection_whose_writer_died_is_closed_and_the_client_goes_on_where_it_was(
    stack: RunningStack, user: Token, written: Callable[[], WrittenBuild]
) -> None:
    build = written()
    build.tell(*USUAL[:2])
    with _follow(stack, build.build_id, user) as socket:
        seen = _next(socket, 2)
        eventually(lambda: [item.get("turn") for item in _connections(stack, build.build_id)] == [None])
        (item,) = _connections(stack, build.build_id)
        # As if somebody had taken the turn and died, whether or not their post arrived.
        stack.client("dynamodb").put_item(
            TableName=stack.outputs["ControlTableName"],
            Item={
                **item,
                "turn": {"S": "a-writer-that-died"},
                "turn_until": {"N": str(int(time.time() * 1000) + 3000)},
            },
        )
        build.tell(USUAL[2])
        assert _rest(socket) == ([], 1000)
    with _follow(stack, build.build_id, user, f"?after={seen[-1]['sequence']}") as socket:
        build.tell(*USUAL[3:])
        seen += _rest(socket)[0]
    assert seen == build.told


def test_a_client_that_vanishes_leaves_nothing_behind(
    stack: RunningStack, user: Token, written: Callable[[], WrittenBuild]
) -> None:
    build = written()
    build.tell(USUAL[0])
    with _follow(stack, build.build_id, user) as socket:
        _next(socket, 1)
        socket.socket.shutdown(SHUT_RDWR)
    eventually(lambda: not _connections(stack, build.build_id))


def test_an_owner_follows_only_so_many_streams_at_once(
    stack: RunningStack, written: Callable[[], WrittenBuild]
) -> None:
    last = [entry for entry in stack.accounts if entry["role"] == "user"][-1]
    build = WrittenBuild(stack.client("dynamodb"), stack.outputs["JobsTableName"], last["address"])
    build.tell(USUAL[0])
    token = stack.sign_in(last)
    now = int(time.time())
    held = [f"{now + 600:012d}#other{number}" for number in range(19)]
    stack.client("dynamodb").put_item(
        TableName=stack.outputs["ControlTableName"],
        Item={
            "pk": {"S": f"HELD#build_streams#{last['address']}"},
            "sk": {"S": "LEASES"},
            "leases": {"SS": held},
            "expires_at": {"N": str(now + 600)},
        },
    )
    with _follow(stack, build.build_id, token) as socket:
        _next(socket, 1)
        assert 400 <= _refused(stack, build.build_id, token) < 500
    eventually(lambda: not _connections(stack, build.build_id))
    with _follow(stack, build.build_id, token) as socket:
        assert _next(socket, 1) == build.told
    stack.client("dynamodb").delete_item(
        TableName=stack.outputs["ControlTableName"],
        Key={"pk": {"S": f"HELD#build_streams#{last['address']}"}, "sk": {"S": "LEASES"}},
    )


# ── A real build ────────────────────────────────────────────────────────────────────────────────


def test_a_build_is_followed_from_its_request_to_its_end_by_its_own_address(
    stack: RunningStack, owner: str, user: Token
) -> None:
    answer = stack.http.post(PATH, json={"prompt": PROMPT, "chains": [31337]}, headers=bearer(user)).json()
    with connect(answer["stream_url"], subprotocols=_protocols(user), open_timeout=SECONDS) as socket:
        told, code = _rest(socket)
    assert [event["sequence"] for event in told] == list(range(1, len(told) + 1))
    assert (told[0]["status"], told[-1]["status"], code) == ("pending", "complete", 1000)
    assert {"generating", "auditing", "deploying"} <= {event["status"] for event in told}
    percentages = [event["progress"] for event in told]
    assert percentages == sorted(percentages)
    assert percentages[-1] == 100
    detail = stack.http.get(f"{PATH}/{answer['build_id']}", headers=bearer(user)).json()
    assert detail["status"] == "complete"


def test_a_ticket_opens_the_stream_once_for_its_owner(
    stack: RunningStack, user: Token, stranger: Token, written: Callable[[], WrittenBuild]
) -> None:
    build = written()
    build.tell(*USUAL[:2])
    path = f"{PATH}/{build.build_id}/ticket"
    assert stack.http.post(path, headers=bearer(stranger)).status_code == 404
    ticket = stack.http.post(path, headers=bearer(user)).json()["ticket"]
    with _follow(stack, build.build_id, None, f"?ticket={ticket}&after=1") as socket:
        assert socket.subprotocol is None
        assert _next(socket, 1) == build.told[1:]
        assert 400 <= _refused(stack, build.build_id, None, f"?ticket={ticket}") < 500
        build.tell(*USUAL[2:])
        assert _rest(socket)[0] == build.told[2:]
    other = written()
    other.tell(USUAL[0])
    again = stack.http.post(path, headers=bearer(user)).json()["ticket"]
    assert 400 <= _refused(stack, other.build_id, None, f"?ticket={again}") < 500
