"""Whatever dies or refuses on the way, a silent worker's session ends once, with its true last beat."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import httpx
import pytest

from slipway.times import epoch_milliseconds
from slipway.workers.rules import MINUTE, SHARDS, shard_of
from slipway.workers.store import worker_key
from tests.faults import audits
from tests.faults.boundaries import WHENS
from tests.faults.conftest import PATIENCE_SECONDS, FaultyStack
from tests.support.express import run_express
from tests.support.waiting import eventually
from tests.support.workers import body, enrol_at, records_at, silent_since, wallet

WORKFLOW = "uptime_flush"
BOUNDARIES = ("Flush", "FlushShard", "WatchShard")
HOUR = 60 * MINUTE
ACTIONS = (
    "conflict",
    "throttle:any.Query",
    "throttle:any.GetItem",
    "throttle:any.TransactWriteItems",
    "die:TransactWriteItems",
)


class Fleet:
    """Workers of the running stack that fell silent, one a shard, so that every invocation has something to do."""

    def __init__(self, stack: FaultyStack) -> None:
        self.stack = stack
        described = stack.described
        self.client = boto3.client("dynamodb", endpoint_url=described["aws_endpoint"], region_name=described["region"])
        self.table = stack.outputs["WorkersTableName"]
        self.ended = epoch_milliseconds() - 3 * HOUR
        self.tokens: dict[str, str] = {}
        self.expected: dict[str, tuple[int, int]] = {}
        missing = set(range(SHARDS))
        while missing:
            address = wallet(secrets.randbits(150))
            if shard_of(address) in missing:
                self.tokens[address] = enrol_at(self.client, self.table, address)
                for at in (self.ended - 10 * MINUTE, self.ended):
                    self.beat(address, at)
                silent_since(self.client, self.table, address, self.ended)
                if int(self.worker(address)["revision"]["N"]) > 2:
                    # The schedule's own run came between the two beats, which the second one mended.
                    del self.tokens[address]
                    continue
                missing.discard(shard_of(address))
                self.expected[address] = (self.ended - 10 * MINUTE, self.ended)
                stack.tally.placed(WORKFLOW, address)

    def beat(self, address: str, at: int) -> None:
        eventually(
            lambda: httpx.post(
                f"{self.stack.described['api']}/heartbeat",
                json=body(address, at),
                headers={"authorization": f"Bearer {self.tokens[address]}"},
                timeout=30,
            ),
            lambda answer: answer.status_code == 200,
            every=0.2,
        )

    def flush(self) -> dict[str, Any]:
        """Run the state machine to its end."""
        return run_express(self.stack.described, "UptimeFlushArn")

    def records(self, address: str) -> list[tuple[int, int]]:
        return records_at(self.client, self.table, address)

    def worker(self, address: str) -> dict[str, Any]:
        pk, sk = worker_key(address)
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        return dict(self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)["Item"])

    def assert_ended_once(self) -> None:
        for address in self.tokens:
            assert self.records(address) == [self.expected[address]]
            item = self.worker(address)
            assert not {"session_start", "flush_shard", "flush_at"} & set(item)
            # One transaction opened the session and one ended it.
            assert item["revision"] == {"N": "2"}


@pytest.fixture(scope="module")
def fleets(running: FaultyStack) -> list[Fleet]:
    """Every fleet that was, for the audit at the run's end."""
    found: list[Fleet] = []
    # Somebody wants to hear of every worker, so that shards are watched.
    running.control.put_item(Item={"pk": "WORKER-WEBHOOKS", "sk": "ALL#test"})
    running.tally.audited_by(WORKFLOW, lambda jobs: audits.sessions(found, jobs))
    return found


@pytest.fixture
def fleet(stack: FaultyStack, fleets: list[Fleet]) -> Fleet:
    fleets.append(Fleet(stack))
    return fleets[-1]


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_killed_while_it_flushes(fleet: Fleet, boundary: str, when: str) -> None:
    faults = [fleet.stack.inject(boundary, when) for _ in range(3)]
    done = fleet.flush()
    assert done["status"] == "SUCCEEDED", done
    assert not any(fault.exists() for fault in faults), "the faults did not trigger"
    fleet.assert_ended_once()


@pytest.mark.parametrize("action", ACTIONS)
def test_a_table_that_refuses(fleet: Fleet, action: str) -> None:
    fault = fleet.stack.inject("FlushShard", "before", action)
    assert fleet.flush()["status"] == "SUCCEEDED"
    assert not fault.exists()
    fleet.assert_ended_once()


def test_a_run_that_hangs_and_two_beside_it(fleet: Fleet) -> None:
    """What a schedule that starts twice, and a run that outlasts the next, come to."""
    fault = fleet.stack.inject("FlushShard", "before", "hang")
    fleet.stack.tally.did("started twice", workflow=WORKFLOW)
    with ThreadPoolExecutor(3) as threads:
        hangs = threads.submit(fleet.flush)
        eventually(lambda: not fault.exists(), within=PATIENCE_SECONDS)
        assert {run["status"] for run in threads.map(lambda _: fleet.flush(), range(2))} == {"SUCCEEDED"}
        fleet.assert_ended_once()
    assert hangs.result()["status"] == "SUCCEEDED"
    fleet.assert_ended_once()


@pytest.mark.long
def test_shards_that_keep_failing_fail_the_run_and_the_next_one_does_its_work(fleet: Fleet) -> None:
    # The first call dies of one; then each shard has a task of its own, whose process is started again five times.
    for _ in range(SHARDS * 6 + 1):
        fleet.stack.inject("FlushShard", "before", "kill")
    done = fleet.flush()
    assert (done["status"], done["error"]) == ("FAILED", "ShardsFailed")
    # The engine starts a process that died once more by itself, so fewer shards than that use their tries up.
    assert 1 <= json.loads(done["cause"])["failed"] <= SHARDS
    fleet.stack.withdraw()
    assert fleet.flush()["status"] == "SUCCEEDED"
    fleet.assert_ended_once()


@pytest.mark.parametrize("when", WHENS)
def test_a_heartbeat_that_is_killed_is_sent_again(fleet: Fleet, when: str) -> None:
    address, later = next(iter(fleet.tokens)), fleet.ended + 10 * MINUTE
    fleet.expected[address] = (fleet.ended - 10 * MINUTE, later)
    fault = fleet.stack.inject("POST /heartbeat", when, workflow=WORKFLOW)
    fleet.beat(address, later)
    assert not fault.exists()
    assert fleet.flush()["status"] == "SUCCEEDED"
    assert fleet.records(address) == [fleet.expected[address]]
