"""Builds whose tasks are killed at every boundary of ``build``: each ends once, with the truth about it.

After each: the progress events are numbered without a gap and end with the build's own end, the owner's counts are
right, and there is exactly one contract on the chain where there should be one, and none where there should not.
"""

from __future__ import annotations

import json
import secrets
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from web3 import Web3

from slipway.builds.api.acceptance import new_build
from slipway.builds.api.models import BuildRequest
from slipway.builds.states import Stage, Status
from slipway.builds.store import BuildCounts, BuildItem, BuildUpdateItem, counts_key, owner_key, update_key
from slipway.times import now_text
from tests.faults.boundaries import WHENS, together_and_alone
from tests.faults.conftest import PATIENCE_SECONDS, FaultyStack, _text
from tests.support.waiting import eventually

WORKFLOW = "build"
SOURCES = Path(__file__).parents[1] / "unit" / "solidity" / "vulnerable"
ENDED = {"complete", "failed", "cancelled"}
# More, and compilations on two cores are stopped by their clock.
AT_ONCE = 3
# Each boundary with the build that is led past it, and how that ends.
TASKS: dict[str, tuple[str, str]] = {
    "Generate": ("prompt", "complete"),
    "Compile": ("prompt", "complete"),
    "Audit": ("prompt", "complete"),
    "Fix": ("mendable", "complete"),
    "Prepare": ("prompt", "complete"),
    "BeginDeployment": ("prompt", "complete"),
    "sign:build": ("prompt", "complete"),
    "BroadcastDeployment": ("prompt", "complete"),
    "ConfirmDeployment": ("prompt", "complete"),
    "Complete": ("prompt", "complete"),
    "RecordFailure": ("broken", "failed"),
}
IN_RECONCILE = ("FindBuilds", "ReconcileBuild")
PROMPT = "Create an ERC-20 token called Fault with 1000 supply"


@dataclass
class Builds:
    """Builds that are written as the API writes them, under known ids, each of an owner of its own."""

    stack: FaultyStack
    # The block after which each build was placed.
    after: dict[str, int] = field(default_factory=dict)
    tables: Any = field(init=False)
    s3: Any = field(init=False)

    def __post_init__(self) -> None:
        described = self.stack.described
        endpoint = {"endpoint_url": described["aws_endpoint"], "region_name": described["region"]}
        self.tables, self.s3 = boto3.client("dynamodb", **endpoint), boto3.client("s3", **endpoint)

    def place(self, kind: str = "prompt", *, start: bool = True, due_in: float = 600) -> BuildItem:
        """Write a build: one from a prompt, one whose source needs mending, or one that no task can make sense of."""
        wallet = Web3.to_checksum_address("0x" + secrets.token_hex(20))
        build = new_build(wallet, BuildRequest(prompt=PROMPT, chains=[31337]), 1)
        build.open_until = _text(time.time() + due_in)
        if kind != "prompt":
            self._has_source(build, "UncheckedTransfer", broken=kind == "broken")
        first = BuildUpdateItem(
            *update_key(build.build_id, 1),
            sequence=1,
            status=build.status,
            progress=0,
            step=build.step,
            message="Accepted",
            wallet=wallet,
            created_at=now_text(),
        )
        counts: dict[str, Any] = {str(build.status): 1, "open": 1, "number": 1}
        for item in (build, first, *(BuildCounts(*counts_key(wallet, block), **counts) for block in (None, 0))):
            self.tables.put_item(TableName=self.stack.outputs["JobsTableName"], Item=item.serialize())
        self.after[build.build_id] = self.stack.chain.eth.block_number
        self.stack.tally.placed(WORKFLOW, build.job_id)
        if start:
            self.start(build)
        return build

    def _has_source(self, build: BuildItem, name: str, *, broken: bool) -> None:
        source = (SOURCES / f"{name}.sol").read_text(encoding="utf-8")
        build.status, build.stage, build.revision = str(Status.AUDITING), str(Stage.COMPILE), 0
        build.subject_key = owner_key(build.wallet, Status.AUDITING)
        build.contract_name = name
        # Without them, no task knows how to go on: a mistake of ours, which has to be told as well.
        build.constructor_arguments = None if broken else _arguments(build)
        key = f"builds/{build.build_id}/source-0.sol"
        self.s3.put_object(Bucket=self.stack.outputs["ArtifactBucketName"], Key=key, Body=source.encode())

    def start(self, build: BuildItem) -> None:
        """Start its state machine, unless the scheduled reconcile was faster."""
        with suppress(self.stack.machines.exceptions.ExecutionAlreadyExists):
            self.stack.machines.start_execution(
                stateMachineArn=self.stack.outputs["BuildArn"],
                name=build.job_id,
                input=json.dumps({"build_id": build.build_id, "job_id": build.job_id}),
            )

    def items(self, build: BuildItem, prefix: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.stack.jobs.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": build.pk, ":sk": prefix},
            ConsistentRead=True,
        )["Items"]
        return found

    def until(self, build: BuildItem, statuses: set[str]) -> dict[str, Any]:
        """Wait until a build has one of these statuses, or has ended."""
        return eventually(
            lambda: self.items(build, "DETAIL")[0],
            lambda item: item["status"] in statuses | ENDED,
            within=PATIENCE_SECONDS,
            every=0.3,
        )

    def contracts(self, build: BuildItem) -> list[str]:
        """Every contract that was ever created on the chain for the build's owner."""
        node: Any = self.stack.chain  # Its types know no block with whole transactions.
        found: list[str] = []
        owner = build.wallet.lower().removeprefix("0x")
        for number in range(self.after[build.build_id], node.eth.block_number + 1):
            for entry in node.eth.get_block(number, full_transactions=True)["transactions"]:
                if entry.get("to") is None and owner in entry["input"].hex():
                    found.append(str(node.eth.get_transaction_receipt(entry["hash"])["contractAddress"]))
        return found

    def assert_ended_once(self, build: BuildItem, status: str) -> dict[str, Any]:
        item = self.until(build, ENDED)
        assert item["status"] == status, item
        told = self.items(build, "UPDATE#")
        assert [int(entry["sequence"]) for entry in told] == [*range(1, int(item["sequence"]) + 1)]
        assert [entry["status"] for entry in told if entry["status"] in ENDED] == [status]
        assert told[-1]["status"] == status
        assert "open_shard" not in item
        for block in (None, 0):
            pk, sk = counts_key(build.wallet, block)
            counts = self.stack.jobs.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True)["Item"]
            shown = {name: int(value) for name, value in counts.items() if name not in ("pk", "sk", "number") and value}
            assert shown == {status: 1}
        return item


def _arguments(build: BuildItem) -> list[dict[str, str]]:
    return [{"name": "token_", "type": "address", "value": build.wallet}]


@pytest.fixture
def builds(stack: FaultyStack) -> Builds:
    return Builds(stack)


def _survive(builds: Builds, name: str, when: str) -> None:
    kind, status = TASKS[name]
    build = builds.place(kind, start=False)
    fault = builds.stack.inject(name, when, job_id=build.job_id)
    builds.start(build)
    item = builds.assert_ended_once(build, status)
    assert not fault.exists(), (name, when, "did not trigger")
    created = builds.contracts(build)
    deployed = [entry["address"] for entry in builds.items(build, "CHAIN#") if entry["status"] == "deployed"]
    assert created == deployed, (name, when, item)
    assert len(created) == (1 if status == "complete" else 0), (name, when, item)


def test_a_build_that_is_cut_at_any_boundary_ends_once(builds: Builds) -> None:
    cuts = [(name, when) for name in TASKS for when in WHENS]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        runs = {cut: threads.submit(_survive, builds, *cut) for cut in cuts}
    failed = {cut: run.exception() for cut, run in runs.items() if run.exception()}
    assert failed == {}


def test_reconcile_starts_what_nobody_started_and_what_died(builds: Builds) -> None:
    never, died = builds.place(start=False, due_in=-1), builds.place()
    builds.until(died, {"auditing", "deploying"})
    assert builds.stack.stop("BuildArn", died.job_id)
    builds.stack.tally.did("stop", job_id=died.job_id)
    builds.stack.jobs.update_item(
        Key={"pk": died.pk, "sk": "DETAIL"},
        UpdateExpression="SET open_until = :now",
        ConditionExpression="attribute_exists(open_shard)",
        ExpressionAttributeValues={":now": _text(time.time() - 1)},
    )
    builds.stack.reconcile()
    for build in (never, died):
        builds.assert_ended_once(build, "complete")
        assert len(builds.contracts(build)) == 1


@pytest.mark.parametrize("kills", together_and_alone(*IN_RECONCILE))
def test_reconcile_that_is_cut_starts_a_build_once(builds: Builds, kills: list[tuple[str, str]]) -> None:
    build = builds.place(start=False, due_in=-1)
    faults = [builds.stack.inject(*kill, workflow="reconcile") for kill in kills]
    builds.stack.reconcile()
    assert not any(fault.exists() for fault in faults)
    builds.assert_ended_once(build, "complete")
    assert len(builds.contracts(build)) == 1


@pytest.mark.parametrize("action", ["kill", "die:TransactWriteItems"])
@pytest.mark.parametrize("when", WHENS)
def test_a_request_that_is_cut_and_sent_again_is_one_build(builds: Builds, when: str, action: str) -> None:
    if (action, when) == ("die:TransactWriteItems", "after"):
        pytest.skip("nothing is written after the answer")
    api, session = builds.stack.described["api"], builds.stack.session("user")
    key = {"idempotency-key": str(uuid.uuid4())}
    fault = builds.stack.inject("POST /api/v1/builds", when, action, workflow="build")
    with httpx.Client(base_url=api, auth=session, headers=key, timeout=60) as http:
        before = http.get("/api/v1/builds").json()["total"]
        body = {"prompt": PROMPT, "chains": [31337]}
        first = http.post("/api/v1/builds", json=body)
        assert first.status_code >= 500
        assert not fault.exists()
        second = http.post("/api/v1/builds", json=body)
        assert second.status_code == 200, second.text
        assert http.get("/api/v1/builds").json()["total"] == before + 1
        build_id = second.json()["build_id"]
        found = eventually(
            lambda: http.get(f"/api/v1/builds/{build_id}").json(),
            lambda found: found["status"] in ENDED,
            within=PATIENCE_SECONDS,
            every=0.3,
        )
        assert found["status"] == "complete", found
