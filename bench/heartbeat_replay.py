"""A day of many workers' beats at full speed, in order and shuffled: their records equal a plain reference.

``python -m bench.heartbeat_replay [--workers N] [--beats N] [--shuffled] [--json FILE] (--stack FILE | --in-process)``

- ``--stack .local/stack.json``: through HTTP and the deployed functions of a running stack (`make start`), whose
  scheduled flush goes on meanwhile. The local engine adds some 50 ms to each call.
- ``--in-process``: through the real handler in processes of this bench, against the DynamoDB of an engine of its own,
  while a flush runs over and over.

Each worker misses beats now and then for minutes or hours, its clock jitters, and some beats come twice. Exit status 0
when every worker's sessions are the reference's.
"""

import argparse
import json
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import boto3
import httpx

import bench.environment  # noqa: F401 (before the library)
from bench.engine import engine
from bench.figures import Figure, report
from slipway import store
from slipway.jobs.store import JobEvent
from slipway.times import epoch_milliseconds
from slipway.workers.flush import flush_shard
from slipway.workers.rules import MINUTE, SHARDS
from slipway.workers.store import WorkerItem, worker_key
from tests.support.functions import event, function_app
from tests.support.sessions import reference_sessions
from tests.support.template import table_definition
from tests.support.workers import CONTAINERS, body, enrol_at, records_at, wallet

# All of it is sent within the day that a beat may be late, so 288 beats lie a little closer than five minutes.
_STEP = 280_000
_JITTER = 20_000
_DUPLICATES = 0.02
_THREADS = 6
_PROCESSES = 2
_TRIES = 40

Send = Callable[[str, str, int], int]


def day_of(number: int, beats: int, start: int) -> list[int]:
    """Return times of a worker's beats, in order: with outages of minutes and of hours, and a clock that jitters."""
    chance = random.Random(number)
    silent = [
        (begin, begin + chance.choice([10, 29, 31, 60, 180]) * MINUTE)
        for begin in (start + chance.randrange(beats) * _STEP for _ in range(chance.randrange(5)))
    ]
    moments = [start + index * _STEP + chance.randrange(-_JITTER, _JITTER) for index in range(beats)]
    return [at for at in moments if not any(begin <= at < end for begin, end in silent)]


def replay(send: Send, address: str, token: str, moments: list[int], shuffled: bool) -> int:
    """Send a worker's day; gives the number of requests."""
    chance = random.Random(address)
    order = [*moments, *chance.sample(moments, int(len(moments) * _DUPLICATES))]
    if shuffled:
        chance.shuffle(order)
    else:
        order.sort()
    return sum(send(address, token, at) for at in order)


def _until_taken(once: Callable[[], int]) -> int:
    """Send as the daemon does: again, when the service could not take the beat."""
    for attempt in range(1, _TRIES + 1):
        status = once()
        if status == 200:
            return attempt
        assert status in (429, 502, 503), status
        time.sleep(0.1)
    raise AssertionError("the beat was never taken")


# ── Through the deployed stack ──────────────────────────────────────────────────────────────────


def _through_http(http: httpx.Client, address: str, token: str, at: int) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return _until_taken(lambda: http.post("/heartbeat", json=body(address, at), headers=headers).status_code)


# ── Through the handler in this bench's processes ───────────────────────────────────────────────


def _use(endpoint: str) -> None:
    """Point the library of a process at the engine, and its log nowhere."""
    store.connection.host, store.connection._client = endpoint, None
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 (for the life of the process)


def _through_handler(address: str, token: str, at: int) -> int:
    given = event("heartbeat")
    given["headers"]["authorization"] = f"Bearer {token}"
    given["body"] = json.dumps(body(address, at))
    return _until_taken(lambda: int(function_app("heartbeat").handler(given, None)["statusCode"]))


def _replay_through_handler(address: str, token: str, moments: list[int], shuffled: bool) -> int:
    return replay(_through_handler, address, token, moments, shuffled)


@contextmanager
def _flushing() -> Iterator[None]:
    """Flush over and over in a thread."""
    over = threading.Event()

    def flush() -> None:
        while not over.wait(1):
            for shard in range(SHARDS):
                flush_shard(shard, inf)

    with ThreadPoolExecutor(1) as thread, redirect_stdout(Path(os.devnull).open("w")):
        running = thread.submit(flush)
        try:
            yield
        finally:
            over.set()
        running.result()


# ── Comparison ──────────────────────────────────────────────────────────────────────────────────


def sessions_of(client: Any, table: str, address: str) -> list[tuple[int, int]]:
    """Return what the table has of a worker: records and the open session; its containers are those of a beat."""
    pk, sk = worker_key(address)
    item = client.get_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True)["Item"]
    found = records_at(client, table, address)
    if "session_start" in item:
        found.append((int(item["session_start"]["N"]), int(item["last_seen"]["N"])))
    assert WorkerItem.from_raw_data(item).containers == CONTAINERS
    return found


def main() -> int:
    """Exit status 0 when every worker's sessions are the reference's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--beats", type=int, default=288, help="of each worker, 280 s apart; 288 are a day")
    parser.add_argument("--shuffled", action="store_true")
    parser.add_argument("--json", type=Path)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--stack", type=Path)
    where.add_argument("--in-process", action="store_true")
    given = parser.parse_args()
    start = epoch_milliseconds() - given.beats * _STEP - MINUTE
    days = {wallet(random.getrandbits(150)): day_of(number, given.beats, start) for number in range(given.workers)}
    replayed = _in_process(days, given.shuffled) if given.in_process else _deployed(given.stack, days, given.shuffled)
    seconds, requests, wrong = replayed
    name = f"replay.{'in_process' if given.in_process else 'stack'}.{'shuffled' if given.shuffled else 'in_order'}"
    beats = sum(len(moments) for moments in days.values())
    figures = [
        Figure(f"{name}.workers_that_differ", wrong, 0, f"of {given.workers} workers"),
        Figure(f"{name}.beats", beats, None, "different beats"),
        Figure(f"{name}.requests", requests, None, "requests, with duplicates and further tries"),
        Figure(f"{name}.seconds", seconds, None, "seconds"),
        Figure(f"{name}.beats_per_second", requests / seconds, None, "requests a second"),
    ]
    return 0 if report(figures, given.json) else 1


def _deployed(stack: Path, days: dict[str, list[int]], shuffled: bool) -> tuple[float, int, int]:
    described = json.loads(stack.read_text(encoding="utf-8"))
    client = boto3.client("dynamodb", endpoint_url=described["aws_endpoint"], region_name=described["region"])
    table = described["outputs"]["WorkersTableName"]
    tokens = {address: enrol_at(client, table, address) for address in days}
    with httpx.Client(base_url=described["api"], timeout=60) as http, ThreadPoolExecutor(_THREADS) as threads:
        send = partial(_through_http, http)
        began = time.monotonic()
        waiting = [threads.submit(replay, send, address, tokens[address], days[address], shuffled) for address in days]
        requests = sum(one.result() for one in waiting)
        seconds = time.monotonic() - began
    return seconds, requests, _wrong(client, table, days)


def _in_process(days: dict[str, list[int]], shuffled: bool) -> tuple[float, int, int]:
    table = WorkerItem.Meta.table_name
    with engine() as endpoint:
        client = boto3.client("dynamodb", endpoint_url=endpoint)
        client.create_table(TableName=table, **table_definition("WorkersTable"))
        client.create_table(TableName=JobEvent.Meta.table_name, **table_definition("JobsTable"))
        tokens = {address: enrol_at(client, table, address) for address in days}
        store.connection.host, store.connection._client = endpoint, None
        with ProcessPoolExecutor(_PROCESSES, initializer=_use, initargs=(endpoint,)) as processes:
            began = time.monotonic()
            waiting = [
                processes.submit(_replay_through_handler, address, tokens[address], days[address], shuffled)
                for address in days
            ]
            with _flushing():
                requests = sum(one.result() for one in waiting)
            seconds = time.monotonic() - began
        return seconds, requests, _wrong(client, table, days)


def _wrong(client: Any, table: str, days: dict[str, list[int]]) -> int:
    wrong = [
        address
        for address, moments in days.items()
        if sessions_of(client, table, address) != reference_sessions(moments)
    ]
    for address in wrong[:5]:
        print(f"{address} differs", file=sys.stderr)
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())
