"""Whoever dies while a build is told, a client that comes back is told each event once, in order, to the end."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import boto3
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from local.sign_in import Session
from tests.faults.boundaries import at_once_and_alone
from tests.faults.conftest import FaultyStack
from tests.support.build_log import USUAL, WrittenBuild
from tests.support.waiting import attempts, eventually

WORKFLOW = "build"
# A turn that its holder left behind runs out after 15 s, and each fault leaves one at most.
SECONDS = 120.0
PARTS = ("stream:builds", "stream:replay")
FAULTS = [
    *((part, when, "kill") for part in (*PARTS, "stream:CONNECT") for when in ("before", "after")),
    # Within a delivery, with the connection closed.
    ("stream:builds", "before", "die:DeleteConnection"),
    ("stream:CONNECT", "before", "die:TransactWriteItems"),
    *((part, "before", f"throttle:any.{what}") for part in PARTS for what in ("Query", "UpdateItem")),
]
# Within a delivery, with the turn taken or with the event posted: somebody has to wait for the turn.
WITH_THE_TURN = [(part, "before", f"die:{what}") for part in PARTS for what in ("UpdateItem", "PostToConnection")]


def _bearer(session: Session) -> list[Subprotocol]:
    return [Subprotocol("bearer"), Subprotocol(str(session))]


class Client:
    """Follows a build as docs/builds.md says: it goes on after the last event it saw until the build has ended."""

    def __init__(self, stack: FaultyStack, build: WrittenBuild) -> None:
        self.told: list[dict[str, Any]] = []
        self.connections = 0
        self._session = stack.session("user")
        self._url = f"{stack.described['websocket']}/api/v1/builds/{build.build_id}/stream"
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def _follow(self) -> None:
        for _ in attempts(SECONDS, 0.2):
            if self.told and self.told[-1]["status"] == "complete":
                break
            url = f"{self._url}?after={len(self.told)}"
            with (
                suppress(ConnectionClosed, InvalidStatus, TimeoutError),
                connect(url, subprotocols=_bearer(self._session), open_timeout=SECONDS, close_timeout=2) as socket,
            ):
                self.connections += 1
                while True:
                    self.told.append(json.loads(socket.recv(timeout=SECONDS)))


def _written(stack: FaultyStack) -> WrittenBuild:
    described = stack.described
    client = boto3.client("dynamodb", endpoint_url=described["aws_endpoint"], region_name=described["region"])
    return WrittenBuild(client, stack.outputs["JobsTableName"], stack.owner)


def _told_once(stack: FaultyStack, fault: tuple[str, str, str], most_connections: int = 2) -> None:
    build, early = _written(stack), fault[0] in ("stream:replay", "stream:CONNECT")
    build.tell(*USUAL[:2])
    injected = stack.inject(*fault) if early else None
    client = Client(stack, build)
    eventually(lambda: client.told, lambda told: len(told) >= 2, within=SECONDS, every=0.05)
    if injected is None:
        injected = stack.inject(*fault)
    for progress in USUAL[2:]:
        build.tell(progress)
        time.sleep(0.3)  # noqa: TID251 (a build's pace)
    client.thread.join(SECONDS)
    assert not injected.exists(), "the fault did not trigger"
    assert client.told == build.told
    assert client.connections <= most_connections


@pytest.mark.parametrize("fault", FAULTS, ids="-".join)
def test_each_event_is_reported_once_whichever_process_dies(stack: FaultyStack, fault: tuple[str, str, str]) -> None:
    _told_once(stack, fault)


@pytest.mark.parametrize("faults", at_once_and_alone(WITH_THE_TURN))
def test_each_event_is_reported_once_whichever_process_dies_in_its_turn(
    stack: FaultyStack, faults: list[tuple[str, str, str]]
) -> None:
    """All at once, a fault may trigger in another build than its own."""
    with ThreadPoolExecutor(len(faults)) as threads:
        runs = {fault: threads.submit(_told_once, stack, fault, 1 + len(faults)) for fault in faults}
    failed = {fault: run.exception() for fault, run in runs.items() if run.exception()}
    assert failed == {}


def test_a_client_whose_leaving_nobody_heard_of_is_forgotten_at_the_next_event(stack: FaultyStack) -> None:
    build = _written(stack)
    build.tell(*USUAL[:2])
    injected = stack.inject("stream:DISCONNECT", "before", "kill")
    url = f"{stack.described['websocket']}/api/v1/builds/{build.build_id}/stream"
    with connect(url, subprotocols=_bearer(stack.session("user")), open_timeout=SECONDS) as socket:
        assert json.loads(socket.recv(timeout=SECONDS)) == build.told[0]
    eventually(lambda: not injected.exists(), within=SECONDS, what="the fault triggers")
    assert _followers(stack, build) == 1
    build.tell(USUAL[2])
    eventually(lambda: _followers(stack, build), lambda count: not count, within=SECONDS)


def _followers(stack: FaultyStack, build: WrittenBuild) -> int:
    found = stack.control.query(
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": f"STREAM#{build.build_id}"},
        ConsistentRead=True,
    )
    return int(found["Count"])
