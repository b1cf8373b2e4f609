"""A day of many workers, as it passes: what Slipway observed and what was reported later equal a plain reference.

``python -m bench.uptime_day [--workers N] [--json FILE]``

A simulated clock goes through the day. Workers beat every five minutes; machines are off for a while; networks are
away, so that beats wait and come together afterwards; some beats are a few minutes late, or come twice. In processes of
this bench, through the code of the heartbeat's function against the DynamoDB of an engine of its own. Exit status 0
when every worker's records, percentages and days are the reference's.
"""

import argparse
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3

import bench.environment  # noqa: F401 (before the library)
from bench.engine import engine
from bench.figures import Figure, report
from slipway import store
from slipway.jobs.store import JobEvent
from slipway.times import epoch_milliseconds, of_milliseconds, to_text
from slipway.workers.fleet import worker_uptime
from slipway.workers.heartbeat_request import read_beat
from slipway.workers.heartbeats import take_beat
from slipway.workers.models import UptimeAnswer
from slipway.workers.store import WorkerItem, worker_key
from slipway.workers.worker_tokens import new_worker_token, token_hash
from tests.support.sessions import GAP, reference_sessions
from tests.support.template import table_definition
from tests.support.workers import body, wallet

_MINUTE = 60_000
_DAY = 24 * 60 * _MINUTE
# What is later than this when it arrives was reported, not observed.
_OBSERVED = 10 * _MINUTE
_PROCESSES = 2

# When a beat arrived, and the time that it names.
Arrival = tuple[int, int]


def day_of(number: int, start: int) -> list[Arrival]:
    """Beats of a worker's day as they arrive."""
    chance = random.Random(number)

    def times(count: int) -> list[tuple[int, int]]:
        begins = [start + chance.randrange(_DAY) for _ in range(chance.randrange(count))]
        return [(begin, begin + chance.choice([4, 12, 29, 31, 60, 180]) * _MINUTE) for begin in begins]

    off, away = times(3), times(3)
    found: list[Arrival] = []
    at = start + chance.randrange(5 * _MINUTE)
    while at < start + _DAY:
        if not any(begin <= at < end for begin, end in off):
            back = max((end for begin, end in away if begin <= at < end), default=at)
            arrival = (
                back + chance.randrange(200, 2000) + (chance.randrange(9 * _MINUTE) if chance.random() < 0.01 else 0)
            )
            found += [(arrival, at)] * (2 if chance.random() < 0.01 else 1)
        at += chance.randrange(270_000, 330_000)
    # The spool is sent oldest first.
    return sorted(arrival for arrival in found if arrival[0] < start + _DAY)


def reference(arrivals: list[Arrival], start: int, end: int) -> dict[str, Any]:
    """Return what GET …/uptime has to answer, by sorts and loops alone."""
    newest, runs = 0, list[list[int]]()
    for arrival, at in arrivals:
        if at > newest and arrival - at <= _OBSERVED:
            if runs and arrival - runs[-1][1] <= GAP:
                runs[-1][1] = arrival
            else:
                runs.append([arrival, arrival])
        newest = max(newest, at)
    sessions = reference_sessions(at for _, at in arrivals)
    days = {}
    for midnight in range(start - start % _DAY, end, _DAY):
        first, last = max(midnight, start), min(midnight + _DAY, end)
        days[datetime.fromtimestamp(midnight / 1000, UTC).date().isoformat()] = _percent(runs, first, last)
    return {
        "records": [(first, last, _is_reported(first, last, runs)) for first, last in sessions],
        "days": days,
        "percent": _percent(runs, start, end),
        "reported_percent": _percent([*runs, *map(list, sessions)], start, end),
    }


def _covered(spans: list[list[int]], begin: int, end: int) -> int:
    edges = sorted({begin, end, *(edge for span in spans for edge in span if begin < edge < end)})
    return sum(
        after - before
        for before, after in pairwise(edges)
        if any(first <= before and after <= last for first, last in spans)
    )


def _percent(spans: list[list[int]], begin: int, end: int) -> float:
    return _covered(spans, begin, end) * 100_000 // (end - begin) / 1000


def _is_reported(first: int, last: int, runs: list[list[int]]) -> bool:
    near = [run for run in runs if run[0] <= last + _OBSERVED and run[1] >= first]
    return not near or last - first - _covered(near, first, last) > _OBSERVED


def _use(endpoint: str) -> None:
    store.connection.host, store.connection._client = endpoint, None
    sys.stdout = Path("/dev/null").open("w")  # noqa: SIM115 (for the life of the process)


def _replay(address: str, token: bytes, arrivals: list[Arrival]) -> int:
    for arrival, at in arrivals:
        take_beat(read_beat(body(address, at), arrival), token, arrival)
    return len(arrivals)


def _shown(answer: UptimeAnswer) -> dict[str, Any]:
    def milliseconds(text: str) -> int:
        return epoch_milliseconds(datetime.fromisoformat(text))

    return {
        "records": [
            (milliseconds(record.timeFrom), milliseconds(record.timeTo), record.reported) for record in answer.records
        ],
        "days": {day.date: day.percent for day in answer.days},
        "percent": answer.percent,
        "reported_percent": answer.reported_percent,
    }


def main() -> int:
    """Return exit status 0 when every worker's uptime is the reference's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    end = epoch_milliseconds()
    start = end - _DAY
    days = {wallet(number + 1): day_of(number, start) for number in range(given.workers)}
    table = WorkerItem.Meta.table_name
    with engine() as endpoint:
        client = boto3.client("dynamodb", endpoint_url=endpoint)
        client.create_table(TableName=table, **table_definition("WorkersTable"))
        client.create_table(TableName=JobEvent.Meta.table_name, **table_definition("JobsTable"))
        tokens = {address: token_hash(new_worker_token()) or b"" for address in days}
        for address, hashed in tokens.items():
            pk, sk = worker_key(address)
            client.put_item(
                TableName=table,
                Item={
                    "pk": {"S": pk},
                    "sk": {"S": sk},
                    "fleet": {"S": "FLEET"},
                    "enrolled_at": {"S": to_text(of_milliseconds(start))},
                    "token_hash": {"B": hashed},
                    "revision": {"N": "0"},
                },
            )
        store.connection.host, store.connection._client = endpoint, None
        with ProcessPoolExecutor(_PROCESSES, initializer=_use, initargs=(endpoint,)) as processes:
            began = time.monotonic()
            waiting = [processes.submit(_replay, address, tokens[address], days[address]) for address in days]
            beats = sum(one.result() for one in waiting)
            seconds = time.monotonic() - began
        wrong = 0
        for address, arrivals in days.items():
            found = _shown(worker_uptime(address, of_milliseconds(start), of_milliseconds(end)))
            if found != reference(arrivals, start, end):
                wrong += 1
                print(address, found, reference(arrivals, start, end), sep="\n", file=sys.stderr)
    figures = [
        Figure("uptime_day.workers_that_differ", wrong, 0, f"of {given.workers} workers"),
        Figure("uptime_day.beats", beats, None, "beats"),
        Figure("uptime_day.beats_per_second", beats / seconds, None, "beats a second"),
    ]
    return 0 if report(figures, given.json) else 1


if __name__ == "__main__":
    sys.exit(main())
