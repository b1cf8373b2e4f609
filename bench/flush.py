"""What a flush reads when a hundred workers are stale among a hundred thousand that are alive, and among twice as many.

``python -m bench.flush [--live N] [--stale N] [--json FILE]`` starts an engine of its own and fills its table. Exit
status 0 when every promise holds.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from itertools import batched
from math import inf
from pathlib import Path
from typing import Any

import bench.environment  # noqa: F401 (before the library)
from bench.engine import engine
from bench.figures import Figure, report
from bench.metering import Meter
from slipway import store
from slipway.times import epoch_milliseconds, now_text
from slipway.workers.flush import flush_shard
from slipway.workers.rules import MINUTE, SHARDS, flush_at, shard_of
from slipway.workers.session_store import flush_shard as shard_key
from slipway.workers.store import FLEET, ContainersAttribute, WorkerItem, worker_key
from tests.support.workers import CONTAINERS, library_at, records, wallet

_BATCH = 25
_HOUR = 60 * MINUTE
_UNIT_PER_QUERY = 0.5


@dataclass(frozen=True)
class Reads:
    """What one flush of all shards read."""

    queries: int
    units: float
    per_stale: float


def main() -> int:
    """Exit status 0 when every promise holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--live", type=int, default=100_000)
    parser.add_argument("--stale", type=int, default=100)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with engine() as endpoint, library_at(endpoint) as client:
        meter = Meter(store.connection.client)
        fill(client, range(given.live), live=True)
        once = flush(client, meter, range(10_000_000, 10_000_000 + given.stale))
        fill(client, range(given.live, 2 * given.live), live=True)
        twice = flush(client, meter, range(20_000_000, 20_000_000 + given.stale))
    figures = [
        Figure("flush.queries.per_run", once.queries, SHARDS, "queries, one a shard"),
        Figure("flush.read_units.per_stale", once.per_stale, 3, "read units a stale worker, besides the queries"),
        Figure("flush.read_units.per_run", once.units, None, "read units in all"),
        Figure(
            "flush.read_units.live_doubled", twice.units / once.units, 1, "times as much with twice the live workers"
        ),
    ]
    return 0 if report(figures, given.json) else 1


def fill(client: Any, numbers: range, *, live: bool) -> None:
    """Write workers with an open session straight into the table."""
    print(f"Writing {len(numbers)} {'live' if live else 'stale'} workers …", file=sys.stderr)
    for some in batched(_items(numbers, live=live), _BATCH, strict=False):
        waiting: Any = {WorkerItem.Meta.table_name: [{"PutRequest": {"Item": item}} for item in some]}
        while waiting:
            waiting = client.batch_write_item(RequestItems=waiting)["UnprocessedItems"]


def _items(numbers: range, *, live: bool) -> Iterator[dict[str, Any]]:
    now, enrolled_at = epoch_milliseconds(), now_text()
    containers = ContainersAttribute().serialize(CONTAINERS)
    for number in numbers:
        address = wallet(number)
        # Beats of the last five minutes; or of some hours ago, put where they belonged at that time.
        last_seen = now - (number % 300) * 1000 - (0 if live else 4 * _HOUR)
        pk, sk = worker_key(address)
        yield {
            "pk": {"S": pk},
            "sk": {"S": sk},
            "fleet": {"S": FLEET},
            "enrolled_at": {"S": enrolled_at},
            "token_hash": {"B": bytes(32)},
            "session_start": {"N": str(last_seen - _HOUR)},
            "last_seen": {"N": str(last_seen)},
            "containers": {"B": containers},
            "flush_shard": {"S": shard_key(shard_of(address))},
            "flush_at": {"N": str(flush_at(last_seen, last_seen, shard_of(address)))},
            "revision": {"N": "1"},
        }


def flush(client: Any, meter: Meter, stale: range) -> Reads:
    """Add stale workers and flush as the state machine does; fails unless each gets its record."""
    fill(client, stale, live=False)
    print("Flushing …", file=sys.stderr)
    before = meter.queries, meter.query_units, meter.read_units
    flushed = 0
    with redirect_stdout(StringIO()):  # its metrics
        for shard in range(SHARDS):
            flushed += flush_shard(shard, inf).flushed
    queries, query_units, read_units = (
        meter.queries - before[0],
        meter.query_units - before[1],
        meter.read_units - before[2],
    )
    assert flushed == len(stale), flushed
    assert all(len(records(wallet(number))) == 1 for number in stale)
    beyond_the_queries = read_units + query_units - SHARDS * _UNIT_PER_QUERY
    return Reads(queries, query_units + read_units, beyond_the_queries / len(stale))


if __name__ == "__main__":
    sys.exit(main())
