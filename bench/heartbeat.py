"""What a heartbeat costs: CPU beside a raw update_item, requests, write units, and its cold start.

``python -m bench.heartbeat [--beats N] [--json FILE]`` starts an engine of its own. Exit status 0 when every promise
holds. CPU is that of a function's whole process under AWS's runtime client, for beats and for one raw boto3
``update_item`` of the same size to the same engine, in batches that take turns. For comparison, the raw write in a
loop: there is no runtime client in that, and no invocation that finds its caches cold.
"""

import argparse
import base64
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3

import bench.environment  # noqa: F401 (before the library)
from bench.engine import engine
from bench.figures import Figure, report
from bench.metering import Meter
from bench.runtime_client import running
from slipway import store
from slipway.times import epoch_milliseconds
from slipway.workers.heartbeat_request import Beat
from slipway.workers.heartbeats import take_beat
from slipway.workers.rules import MINUTE, SHARDS, shard_of
from slipway.workers.store import WorkerItem
from slipway.workers.worker_tokens import token_hash
from tests.performance.cold_start import LOGGER_FLOOR, cpu_seconds, floor_start, function_start
from tests.support.functions import event
from tests.support.workers import CONTAINERS, body, enrol, library_at, wallet

_BATCH = 50
_CONTAINERS_BYTES = 120
_WARM_UP = 60
_COLD_ROUNDS = 12
_DAY = 24 * 60 * MINUTE
_STEP = 5 * MINUTE
_WORKERS = 24

# The same write with nothing around it, as a function. Its event is the write's arguments.
_RAW = """
import base64
import boto3
client = boto3.client("dynamodb")
def handler(event, context):
    values = event["ExpressionAttributeValues"]
    values[":containers"] = {"B": base64.b64decode(values[":containers"]["B"])}
    client.update_item(**event)
    return {"statusCode": 200}
"""


def main() -> int:
    """Exit status 0 when every promise holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beats", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with engine() as endpoint, library_at(endpoint):
        print(f"{given.beats} beats beside as many raw writes …", file=sys.stderr)
        over_raw, beat, raw = warm(endpoint, given.beats)
        loop = plain_loop(endpoint, given.beats)
        print(f"A day of beats of {_WORKERS} workers …", file=sys.stderr)
        requests, units = day()
    print("Cold starts …", file=sys.stderr)
    figures = [
        Figure("warm.heartbeat.over_raw", over_raw, 1.5, "times the CPU of a raw update_item"),
        Figure("warm.heartbeat.cpu", beat * 1000, None, "ms of CPU a beat"),
        Figure("warm.raw_function.cpu", raw * 1000, None, "ms of CPU a write"),
        Figure("warm.raw_loop.cpu", loop * 1000, None, "ms of CPU a write in a plain loop"),
        Figure("requests.heartbeat.per_beat", requests, 1, "requests a beat within a session"),
        Figure("write_units.heartbeat.per_beat", units, 1.1, "write units a beat, indexes and first beat included"),
        Figure("cold_start.heartbeat.over_logger_floor", cold(), 1.3, "times a DynamoDB client and a Logger"),
    ]
    return 0 if report(figures, given.json) else 1


def _event(address: str, token: str, at: int) -> dict[str, Any]:
    given = event("heartbeat")
    given["headers"]["authorization"] = f"Bearer {token}"
    given["body"] = json.dumps(body(address, at))
    return given


def warm(endpoint: str, beats: int) -> tuple[float, float, float]:
    """CPU of a beat over that of a raw write, both as functions under the runtime client, and both in seconds."""
    address = wallet(1)
    token = enrol(address)
    # A millisecond apart and a little ago: each is the newest, none is stale, none moves in the index.
    moments = iter(range(epoch_milliseconds() - MINUTE, epoch_milliseconds()))
    start, variables = function_start("HeartbeatFunction"), {"AWS_ENDPOINT_URL": endpoint}
    used: dict[str, list[float]] = {"heartbeat": [], "raw": []}
    with (
        tempfile.TemporaryDirectory() as folder,
        running(start, variables) as heartbeat,
        running(floor_start(Path(folder), _RAW), variables) as raw,
    ):
        for batch in range(-1, beats // _BATCH):
            count = _WARM_UP if batch < 0 else _BATCH
            events = [_event(address, token, next(moments)) for _ in range(count)]
            for name, function, given in (("heartbeat", heartbeat, events), ("raw", raw, [_raw_event()] * count)):
                before = function.cpu_seconds
                for one in given:
                    answer = function.invoke(one)
                    assert answer["statusCode"] == 200, answer
                if batch >= 0:
                    used[name].append((function.cpu_seconds - before) / count)
    median = {name: statistics.median(values) for name, values in used.items()}
    return median["heartbeat"] / median["raw"], median["heartbeat"], median["raw"]


def plain_loop(endpoint: str, writes: int) -> float:
    """CPU seconds of a raw write in a loop of this process: no runtime client, no waking from idleness."""
    client = boto3.client("dynamodb", endpoint_url=endpoint)
    given = _raw_event()
    given["ExpressionAttributeValues"][":containers"] = {"B": bytes(_CONTAINERS_BYTES)}
    for _ in range(_WARM_UP):
        client.update_item(**given)
    began = time.process_time()
    for _ in range(writes):
        client.update_item(**given)
    return (time.process_time() - began) / writes


def _raw_event() -> dict[str, Any]:
    """Return a write of the same size as a beat's."""
    return {
        "TableName": WorkerItem.Meta.table_name,
        "Key": {"pk": {"S": f"WORKER#{wallet(2)}"}, "sk": {"S": "WORKER"}},
        "UpdateExpression": "SET last_seen = :at, containers = :containers, flush_shard = :shard, flush_at = :flush",
        "ExpressionAttributeValues": {
            ":at": {"N": "1795235200000"},
            ":containers": {"B": base64.b64encode(bytes(_CONTAINERS_BYTES)).decode()},
            ":shard": {"S": "STALE#0"},
            ":flush": {"N": "1795235200"},
        },
    }


def day() -> tuple[float, float]:
    """Return requests a beat in an open session, and write units a beat over the whole day, the first beat included."""
    wallets = [wallet(100 + number) for number in range(_WORKERS)]
    assert {shard_of(address) for address in wallets} == set(range(SHARDS))
    hashes = {address: token_hash(enrol(address)) or b"" for address in wallets}
    meter = Meter(store.connection.client)
    requests = beats = 0
    start = epoch_milliseconds()
    for number, address in enumerate(wallets):
        first = start + number * _DAY // _WORKERS
        for at in range(first, first + _DAY, _STEP):
            before = meter.requests
            take_beat(Beat(address, at, CONTAINERS), hashes[address], at)
            requests += meter.requests - before if at > first else 0
            beats += 1
    return requests / (beats - _WORKERS), meter.write_units / beats


def cold() -> float:
    """Least CPU of several cold starts over that of a function which makes a DynamoDB client and a Logger."""
    with tempfile.TemporaryDirectory() as folder:
        starts = {"heartbeat": function_start("HeartbeatFunction"), "floor": floor_start(Path(folder), LOGGER_FLOOR)}
        least = dict.fromkeys(starts, float("inf"))
        for counted in range(_COLD_ROUNDS + 1):
            for name, start in starts.items():
                seconds = cpu_seconds(start)
                if counted:
                    least[name] = min(least[name], seconds)
    return least["heartbeat"] / least["floor"]


if __name__ == "__main__":
    sys.exit(main())
