"""Heartbeats through HTTP, and the flush by its state machine."""

from __future__ import annotations

import json
import random
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from slipway.times import epoch_milliseconds
from slipway.workers.rules import MINUTE
from slipway.workers.store import worker_key
from slipway.workers.worker_tokens import new_worker_token
from tests.stack.launches import Token, bearer
from tests.support.express import run_express
from tests.support.sessions import reference_sessions
from tests.support.waiting import eventually
from tests.support.workers import body, enrol_at, records_at, silent_since, wallet

HOUR = 60 * MINUTE


class Worker:
    """A worker of the deployed stack, enrolled straight into its table."""

    def __init__(self, stack: Any) -> None:
        self.stack = stack
        self.address = wallet(secrets.randbits(150))
        self.client, self.table = stack.client("dynamodb"), stack.outputs["WorkersTableName"]
        self.token = enrol_at(self.client, self.table, self.address)

    def beat(self, at: int, token: Token | None = None, **changes: Any) -> httpx.Response:
        given = {**body(self.address, at), **changes}
        answer: httpx.Response = self.stack.http.post("/heartbeat", json=given, headers=bearer(token or self.token))
        return answer

    def item(self) -> dict[str, Any]:
        pk, sk = worker_key(self.address)
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        found: dict[str, Any] = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)["Item"]
        return found

    def records(self) -> list[tuple[int, int]]:
        return records_at(self.client, self.table, self.address)

    def sessions(self) -> list[tuple[int, int]]:
        item = self.item()
        current = [(int(item["session_start"]["N"]), int(item["last_seen"]["N"]))] if "session_start" in item else []
        return self.records() + current


@pytest.fixture
def worker(stack: Any) -> Worker:
    return Worker(stack)


def run_flush(stack: Any) -> dict[str, Any]:
    """Run uptime_flush to its end; gives its output."""
    found = run_express(stack.described, "UptimeFlushArn")
    assert found["status"] == "SUCCEEDED", found
    output: dict[str, Any] = json.loads(found["output"])
    return output


def test_beats_in_order_make_sessions(worker: Worker) -> None:
    at = epoch_milliseconds() - 2 * HOUR
    beats = [at, at + 5 * MINUTE, at + 10 * MINUTE, at + HOUR, at + HOUR + 5 * MINUTE]
    for moment in beats:
        answer = worker.beat(moment)
        assert answer.status_code == 200
        # A late beat says nothing of the clock.
        assert answer.json() == {"success": True, "clock_offset_seconds": None}
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-request-id"]
    assert worker.sessions() == reference_sessions(beats)
    assert len(worker.records()) == 1


def test_shuffled_beats_at_once_make_the_same_sessions(worker: Worker) -> None:
    chance = random.Random(8)
    start = epoch_milliseconds() - 12 * HOUR
    beats = [start + minute * MINUTE for minute in chance.sample(range(11 * 60), 24)]

    def send(at: int) -> None:
        def taken() -> bool:
            answer = worker.beat(at)
            # What the daemon sends again.
            assert answer.status_code in (200, 429, 502, 503), answer.text
            return bool(answer.status_code == 200)

        eventually(taken, every=0.2)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(send, beats))
    assert worker.sessions() == reference_sessions(beats)


def test_nobody_but_the_worker(stack: Any, worker: Worker, user: Token) -> None:
    other, at = Worker(stack), epoch_milliseconds()
    answers = [
        stack.http.post("/heartbeat", json=body(worker.address, at)),
        worker.beat(at, token=user),
        worker.beat(at, token=other.token),
        worker.beat(at, token=new_worker_token()),
        worker.beat(at - 25 * HOUR, token=new_worker_token()),
        stack.http.post("/heartbeat", content=b"{", headers=bearer(new_worker_token())),
        stack.http.post("/heartbeat", content=b"x" * 300_000),
    ]
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in answers] == [(401, "AUTH_FAILED")] * 7
    assert "last_seen" not in worker.item()
    assert worker.beat(at).status_code == 200
    pk, sk = worker_key(worker.address)
    worker.client.update_item(
        TableName=worker.table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, UpdateExpression="REMOVE token_hash"
    )
    assert worker.beat(at + 1).status_code == 401
    assert worker.sessions() == [(at, at)]


def test_what_is_refused(worker: Worker) -> None:
    at = epoch_milliseconds()
    for changes in (
        {"walletAddress": "0x12"},
        {"containers": [{"containerName": "a", "port": ""}] * 501},
        {"containers": [{"containerName": "n" * 256, "port": ""}]},
        {"timestamp": "2026-11-21T04:20:00"},
    ):
        answer = worker.beat(at, **changes)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR"), changes
    for moment in (at + 6 * MINUTE, at - 25 * HOUR):
        assert worker.beat(moment).json()["error"]["details"]["fields"][0]["field"] == "timestamp"
    # A quarter of a megabyte is too much; twice 255 characters for 500 containers are not.
    large = worker.stack.http.post("/heartbeat", content=b"x" * 262_145, headers=bearer(worker.token))
    assert (large.status_code, large.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    containers = [{"containerName": f"{index:0255d}", "port": "8" * 200} for index in range(500)]
    assert worker.beat(at, containers=containers).status_code == 200


def test_the_state_machine_ends_the_sessions_of_the_silent_only(stack: Any) -> None:
    run_flush(stack)
    now = epoch_milliseconds()
    silent, live = [Worker(stack) for _ in range(12)], Worker(stack)
    for number, worker in enumerate(silent):
        worker.beat(now - 3 * HOUR)
        worker.beat(now - 3 * HOUR + (number + 1) * MINUTE)
        silent_since(worker.client, worker.table, worker.address, now - 2 * HOUR)
    live.beat(now - 10 * MINUTE)
    output = run_flush(stack)
    assert output["failed"] == output["left"] == 0
    # The scheduled run may have been faster with some of them.
    assert output["flushed"] <= 12
    for number, worker in enumerate(silent):
        assert worker.records() == [(now - 3 * HOUR, now - 3 * HOUR + (number + 1) * MINUTE)]
        assert not {"session_start", "flush_shard", "flush_at"} & set(worker.item())
    assert live.records() == []
    assert run_flush(stack)["flushed"] == 0


def test_two_runs_and_late_beats_at_once(stack: Any) -> None:
    now = epoch_milliseconds()
    workers = [Worker(stack) for _ in range(6)]
    for worker in workers:
        worker.beat(now - 5 * HOUR)
    with ThreadPoolExecutor(4) as threads:
        runs = [threads.submit(run_flush, stack) for _ in range(2)]
        for worker in workers:
            assert worker.beat(now - 5 * HOUR + 20 * MINUTE).status_code == 200
        assert all(run.result()["failed"] == 0 for run in runs)
    run_flush(stack)
    for worker in workers:
        assert worker.records() == [(now - 5 * HOUR, now - 5 * HOUR + 20 * MINUTE)]
