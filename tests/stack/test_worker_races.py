"""Beats, flushes and revocations of one worker that race, on the local engine's DynamoDB, which is exact under threads.

The library runs in this process; what it writes must be what the same beats give in order.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import Any

import pytest

from slipway.errors import AuthenticationFailedError, WriteContentionError
from slipway.times import epoch_milliseconds
from slipway.workers import flush
from slipway.workers.heartbeat_request import Beat
from slipway.workers.heartbeats import take_beat
from slipway.workers.rules import MINUTE, SHARDS
from slipway.workers.store import WorkerItem, find_worker, worker_key
from slipway.workers.worker_tokens import token_hash
from tests.support.sessions import reference_sessions
from tests.support.workers import enrol, library_at, records, sessions, wallet

THREADS = 8
_numbers = count(5000)


@pytest.fixture(scope="module")
def engine(stack: Any) -> Iterator[Any]:
    with library_at(stack.aws_endpoint) as client:
        yield client


@pytest.fixture
def worker(engine: Any) -> tuple[str, bytes]:
    address = wallet(next(_numbers))
    return address, token_hash(enrol(address)) or b""


def send(worker: tuple[str, bytes], at: int) -> None:
    """As the daemon does: what the service could not take is sent again."""
    for _ in range(50):
        try:
            take_beat(Beat(worker[0], at, [{"containerName": str(at), "port": ""}]), worker[1], epoch_milliseconds())
            return
        except WriteContentionError:
            continue
    raise AssertionError("the beat was never taken")


def send_all(worker: tuple[str, bytes], beats: Sequence[int]) -> None:
    for at in beats:
        send(worker, at)


def flush_all() -> int:
    flushed = 0
    for shard in range(SHARDS):
        again = True
        while again:
            done = flush.flush_shard(shard, until=float("inf"))
            flushed, again = flushed + done.flushed, done.again
    return flushed


def together(*work: Callable[[], Any]) -> list[Any]:
    """Run all at once, each in a thread that starts with the others."""
    gate = threading.Barrier(len(work))

    def run(one: Callable[[], Any]) -> Any:
        gate.wait()
        return one()

    with ThreadPoolExecutor(len(work)) as threads:
        return list(threads.map(run, work))


@pytest.mark.parametrize("seed", range(4))
def test_shuffled_beats_in_threads_with_flushes(worker: tuple[str, bytes], seed: int) -> None:
    chance = random.Random(seed)
    start = epoch_milliseconds() - 20 * 60 * MINUTE
    beats = [start + minute * MINUTE for minute in chance.sample(range(19 * 60), 40)]
    beats += chance.choices(beats, k=8)
    chance.shuffle(beats)
    shares = [beats[index::THREADS] for index in range(THREADS)]
    over = threading.Event()

    def flusher() -> None:
        while not over.is_set():
            flush_all()

    with ThreadPoolExecutor(2) as background:
        flushers = [background.submit(flusher) for _ in range(2)]
        try:
            together(*[partial(send_all, worker, share) for share in shares])
        finally:
            over.set()
        for done in flushers:
            done.result()
    assert sessions(worker[0]) == reference_sessions(beats)
    flush_all()
    assert records(worker[0]) == reference_sessions(beats), "all of it is old, so all of it is flushed"
    found = find_worker(worker[0])
    assert found is not None
    assert found.last_seen == max(beats)
    assert found.containers == [{"containerName": str(max(beats)), "port": ""}]


@pytest.mark.parametrize("seed", range(3))
def test_a_day_of_beats_each_sent_twice_by_threads(worker: tuple[str, bytes], seed: int) -> None:
    chance = random.Random(100 + seed)
    start = epoch_milliseconds() - 10 * 60 * MINUTE
    beats = [start + index * 5 * MINUTE + chance.randrange(-20_000, 20_000) for index in range(60)]
    beats = [at for at in beats if chance.random() < 0.6]
    together(*[partial(send_all, worker, chance.sample(beats, len(beats))) for _ in range(2)])
    assert sessions(worker[0]) == reference_sessions(beats)


def test_two_flushes_at_once_write_one_record(worker: tuple[str, bytes]) -> None:
    at = epoch_milliseconds() - 3 * 60 * MINUTE
    send(worker, at)
    send(worker, at + 5 * MINUTE)
    done = together(*[lambda: flush._flush(worker[0]) for _ in range(4)])
    assert sorted(done) == ["flushed", "moved", "moved", "moved"]
    assert records(worker[0]) == [(at, at + 5 * MINUTE)]


@pytest.mark.parametrize("minutes", [5, 29, 31, 120])
def test_a_flush_and_a_beat_at_once(worker: tuple[str, bytes], minutes: int) -> None:
    start, sent = epoch_milliseconds() - 22 * 60 * MINUTE, []
    for attempt in range(6):
        first = start + attempt * 3 * 60 * MINUTE
        second = first + minutes * MINUTE
        send(worker, first)
        together(
            partial(send, worker, second),
            lambda: flush._flush(worker[0]),
            partial(send, worker, second),
            lambda: flush._flush(worker[0]),
        )
        sent += [first, second]
        assert sessions(worker[0]) == reference_sessions(sent)


def test_a_revocation_holds_for_every_beat_that_begins_after_it(worker: tuple[str, bytes]) -> None:
    start = epoch_milliseconds() - 23 * 60 * MINUTE
    some_sent, revoked = threading.Event(), threading.Event()

    def beats() -> list[bool]:
        refused: list[bool] = []
        while sum(refused) < 5:
            late = revoked.is_set()
            try:
                send(worker, start + len(refused) * MINUTE // 2)
            except AuthenticationFailedError:
                refused.append(True)
            else:
                assert not late, "taken after the revocation"
                refused.append(False)
            if len(refused) == 10:
                some_sent.set()
        return refused

    def revoke() -> None:
        some_sent.wait()
        WorkerItem(*worker_key(worker[0])).update(actions=[WorkerItem.token_hash.remove()])
        revoked.set()

    refused, _ = together(beats, revoke)
    assert refused == sorted(refused), "once refused, always refused"
    assert len(refused) > 10


def test_the_engine_counts_conditions_as_dynamodb_does(engine: Any, worker: tuple[str, bytes]) -> None:
    """What the races above rest on: of many conditional writes at once, one passes."""
    address = wallet(next(_numbers))
    enrol(address)

    def once() -> bool:
        try:
            engine.update_item(
                TableName=WorkerItem.Meta.table_name,
                Key={"pk": {"S": worker_key(address)[0]}, "sk": {"S": "WORKER"}},
                UpdateExpression="SET revision = :one",
                ConditionExpression="revision = :none",
                ExpressionAttributeValues={":one": {"N": "1"}, ":none": {"N": "0"}},
            )
        except engine.exceptions.ConditionalCheckFailedException:
            return False
        return True

    assert sum(together(*[once] * THREADS)) == 1
