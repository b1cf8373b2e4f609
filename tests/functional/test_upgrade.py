"""This release over the one before: its resources stay what they are, its data is read, its jobs end.

``tests/support/earlier/0.1.0.json.gz`` is an installation as release 0.1.0 left it, written by its own code: the
template's resources, every item of its tables, with jobs in flight, and the chain. Its times are moved to today.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from moto import mock_aws

from local.console_api.server import running
from slipway.chain.install import InstalledContracts
from slipway.times import epoch_milliseconds
from tests.functional.test_token_launch import LaunchHarness, launch_harness
from tests.support.chains import CHAIN, Anvil, running_anvil
from tests.support.console_simulator import Simulator
from tests.support.functions import event
from tests.support.installation import Installation, install
from tests.support.nodes import FakeNode
from tests.support.template import template
from tests.support.wallets import ALICE, OPERATOR
from tests.support.workers import body

EARLIER: dict[str, Any] = json.loads(
    gzip.decompress((Path(__file__).parents[1] / "support" / "earlier" / "0.1.0.json.gz").read_bytes())
)
WRITTEN = datetime.fromisoformat(EARLIER["at"])
JOBS: dict[str, str] = EARLIER["jobs"]
IN_FLIGHT = [name for name in JOBS if name not in ("completed", "failed")]
_MOMENT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
# As times are stored: seconds and milliseconds since 1970, near the moment of writing.
_UNITS = (1, 1000)
_NEAR = timedelta(days=800).total_seconds()
# CloudFormation's own word for what it must not change is in the schemas of the types. SAM's have none.
_KEPT_TYPES = ("AWS::DynamoDB::", "AWS::KMS::", "AWS::S3::Bucket", "AWS::SQS::", "AWS::SecretsManager::")
# What executions of the earlier release, which keep their definitions, go on asking the functions for.
_STATES = {
    "TokenDeployTasks": ("Check", "BroadcastDeployment", "ConfirmDeployment", "RecordFailure"),
    "TokenRegisterTasks": (
        "CheckRegistration", "BroadcastRegistration", "ConfirmRegistration", "Complete", "RecordFailure",
    ),
    "AkashDeployTasks": (
        "CreateDeployment", "RecoverDeployment", "CollectBids", "CreateLease", "AwaitReady", "CloseDeployment",
        "ConfirmClosed", "RecordEnd", "RecordFailure",
    ),
}  # fmt: skip


# ── Resources ───────────────────────────────────────────────────────────────────────────────────


def _kept() -> dict[str, dict[str, Any]]:
    return {name: entry for name, entry in EARLIER["resources"].items() if entry["Type"].startswith(_KEPT_TYPES)}


def test_nothing_that_holds_data_is_replaced_or_removed() -> None:
    now = template()["Resources"]
    assert len(_kept()) >= 12
    for name, entry in _kept().items():
        assert now[name]["Type"] == entry["Type"], name
        if entry.get("DeletionPolicy") == "Retain":
            assert now[name]["DeletionPolicy"].startswith("Retain"), name
            assert now[name]["UpdateReplacePolicy"] == "Retain", name
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", entry["Type"]).schema
        fixed = [*schema.get("createOnlyProperties", []), *schema.get("conditionalCreateOnlyProperties", [])]
        for path in fixed:
            assert _at(now[name], path) == _at(entry, path), f"{name} {path}"


def _at(resource: dict[str, Any], path: str) -> Any:
    found: Any = {"properties": resource.get("Properties", {})}
    for part in path.strip("/").split("/"):
        found = found.get(part, {}) if isinstance(found, dict) else {}
    return found


def test_a_table_gains_one_index_at_most() -> None:
    """DynamoDB adds or removes one in an update, and CloudFormation refuses more."""
    for name, entry in _kept().items():
        if entry["Type"] == "AWS::DynamoDB::Table":
            indexes = [
                {index["IndexName"]: index for index in table["Properties"].get("GlobalSecondaryIndexes", [])}
                for table in (entry, template()["Resources"][name])
            ]
            assert len(indexes[0].keys() ^ indexes[1].keys()) <= 1, name
            for index in indexes[0].keys() & indexes[1].keys():
                assert indexes[0][index] == indexes[1][index], index


def test_addresses_stay() -> None:
    """The APIs are the ones of before, and whoever reads outputs or sets parameters finds them."""
    for name, entry in EARLIER["resources"].items():
        if entry["Type"].startswith(("AWS::ApiGatewayV2::", "AWS::Serverless::")):
            assert template()["Resources"][name]["Type"] == entry["Type"], name
    assert set(EARLIER["parameters"]) <= set(template()["Parameters"])
    assert set(EARLIER["outputs"]) <= set(template()["Outputs"])


# ── Data and jobs ───────────────────────────────────────────────────────────────────────────────


def _today(value: Any, later: timedelta) -> Any:
    """Return an attribute with its times moved."""
    if isinstance(value, dict):
        if isinstance(value.get("B"), str):
            return {"B": value["B"].encode("latin-1")}
        if "N" in value:
            number = float(value["N"])
            for unit in _UNITS:
                if abs(number / unit - WRITTEN.timestamp()) < _NEAR:
                    return {"N": str(round(number + later.total_seconds() * unit))}
            return value
        return {name: _today(entry, later) for name, entry in value.items()}
    if isinstance(value, list):
        return [_today(entry, later) for entry in value]
    if not isinstance(value, str):
        return value
    return _MOMENT.sub(lambda found: _moved(found[0], later), value)


def _moved(text: str, later: timedelta) -> str:
    digits = len(text.partition(".")[2]) - 1
    moment = datetime.fromisoformat(text) + later
    fraction = f".{moment.microsecond:06}"[: digits + 1] if digits > 0 else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


@pytest.fixture(scope="module")
def _node() -> Iterator[Anvil]:
    with running_anvil() as anvil:
        anvil.rpc("anvil_loadState", EARLIER["chain"])
        yield anvil


@pytest.fixture
def earlier(monkeypatch: pytest.MonkeyPatch, _node: Anvil) -> Iterator[Installation]:
    """Yield this release's functions over the earlier one's tables and chain."""
    snapshot = _node.rpc("evm_snapshot")
    with mock_aws():
        slipway = install(monkeypatch, FakeNode(), _node.url, CHAIN)
        # Long enough ago for reconcile to look.
        later = datetime.now(UTC) - WRITTEN - timedelta(minutes=10)
        for table, items in EARLIER["tables"].items():
            for item in items:
                boto3.client("dynamodb").put_item(TableName=table, Item=_today(item, later))
        yield slipway
    _node.rpc("evm_revert", snapshot)
    _node.rpc("anvil_dropAllTransactions")


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch, earlier: Installation, _node: Anvil) -> LaunchHarness:
    """Return the same, with the earlier deployers' keys and a time that tests skip."""
    return launch_harness(monkeypatch, earlier, _node, InstalledContracts(**EARLIER["contracts"]))


def _state(harness: LaunchHarness) -> list[dict[str, Any]]:
    found = [item for table in EARLIER["tables"] for item in harness.slipway.items(table)]
    return sorted(found, key=lambda item: (item["pk"], item["sk"]))


def _to_the_end(harness: LaunchHarness, jobs: list[str]) -> dict[str, str]:
    """Drive launches as their state machines do, in turns, and return how each ended."""
    given: dict[str, dict[str, Any]] = {job: {} for job in jobs}
    ended: dict[str, str] = {}
    for _ in range(40):
        for job in given.keys() - ended.keys():
            answer = harness.work(job, **given[job])
            given[job] = {"polls": answer.get("polls", 0)}
            if answer["step"] == "done":
                ended[job] = str(answer["status"])
            if answer["step"] in ("sign", "bump", "cancel"):
                harness.signer(answer["step"], job)
                given[job]["asked"] = True
        if len(ended) == len(jobs):
            break
        harness.anvil.mine(2)
        harness.clock.advance(2)
    return ended


def _broken_execution(name: str) -> None:
    """Leave what is left of an execution of the earlier release, once it asked for what is no more."""
    client = boto3.client("stepfunctions")
    started = client.start_execution(stateMachineArn=os.environ["TOKEN_DEPLOY_ARN"], name=name, input="{}")
    client.stop_execution(executionArn=started["executionArn"])


def test_what_earlier_executions_go_on_asking_for_harms_nobody(harness: LaunchHarness) -> None:
    """They break, and leave their jobs open for new executions: no failure is recorded in their name."""
    before = _state(harness)
    for function, states in _STATES.items():
        jobs = [EARLIER["workload"]] if function == "AkashDeployTasks" else list(JOBS.values())
        for job in jobs:
            for state in states:
                given = {"state": state, "job_id": job, "polls": 0, "error": "Lambda.Unknown", "cause": "{}"}
                with pytest.raises(Exception):  # noqa: B017, PT011 (which one does not matter: nobody lists it)
                    harness.slipway.invoke(function, given)
    assert _state(harness) == before


def test_launches_in_flight_are_taken_up_and_completed_once(harness: LaunchHarness) -> None:
    jobs = {JOBS[name]: f"model-{name}" for name in IN_FLIGHT}
    signed = {job: {entry["transaction_hash"] for entry in harness.detail(job)["transactions"]} for job in jobs}
    assert sum(map(len, signed.values())) == 7
    made = len(harness.created())
    for job in jobs:
        _broken_execution(job)
    steps = harness.slipway.invoke("ReconcileTasks", event("reconcile_find_launches"))["steps"]
    assert {step["deployment_id"] for step in steps} == set(jobs)
    for step in steps:
        assert harness.slipway.invoke("ReconcileTasks", step)["done"] == "started"
    assert {entry["name"] for entry in harness.slipway.executions()} == {*jobs, *(f"{job}-2" for job in jobs)}
    assert _to_the_end(harness, list(jobs)) == dict.fromkeys(jobs, "completed")
    for job, model in jobs.items():
        detail = harness.detail(job)
        assert harness.token_of(model) == detail["token_address"].lower()
        # What was signed before is what is on the chain: nothing is made twice.
        assert signed[job] <= {entry["transaction_hash"] for entry in detail["transactions"]}
        assert [entry["purpose"] for entry in detail["transactions"]].count("deploy") == 1
    # Those that were not on the chain yet.
    assert len(harness.created()) - made == len({"accepted", "checked", "signed"})


def test_what_had_ended_reads_as_it_ended(harness: LaunchHarness) -> None:
    completed = harness.detail(JOBS["completed"])
    assert completed["status"] == "completed"
    assert harness.token_of("model-completed") == completed["token_address"].lower()
    failed = harness.detail(JOBS["failed"])
    assert (failed["status"], failed["error"]["code"]) == ("failed", "DEPLOYMENT_FAILED")
    assert harness.slipway.launch("model-failed").status == 202
    assert harness.slipway.launch("model-completed").code == "TOKEN_EXISTS"
    listed = harness.slipway.api("api_deployments_list", token=harness.slipway.token()).body["deployments"]
    assert {entry["deployment_id"] for entry in listed} >= set(JOBS.values())


def test_a_worker_goes_on_beating_with_its_token(earlier: Installation) -> None:
    token, wallet = EARLIER["worker_token"], EARLIER["worker"]
    answer = earlier.api("heartbeat", token=token, body=body(wallet, epoch_milliseconds()))
    assert answer.status < 300, answer.body
    window = f"from={datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    token = earlier.token()
    uptime = earlier.api("api_workers_uptime", token=token, path={"wallet": wallet}, query=window)
    # The hour and a half that it had done before, and what goes on.
    (record, *_) = uptime.body["records"]
    length = datetime.fromisoformat(record["timeTo"]) - datetime.fromisoformat(record["timeFrom"])
    assert length == timedelta(minutes=49), uptime.body


def test_projects_and_payments_are_there(earlier: Installation) -> None:
    project = earlier.api("api_projects_detail", token=earlier.token(OPERATOR), path={"name": "shop"})
    assert (project.status, project.body["id"]) == (200, EARLIER["project"])
    payment = earlier.api("api_payments_detail", token=earlier.token(ALICE), path={"id": EARLIER["payment"]})
    assert (payment.status, payment.body["amount"]) == (200, "2500000")


def test_a_build_that_was_accepted_is_composed(earlier: Installation) -> None:
    build = EARLIER["build"]
    before = earlier.api("api_builds_detail", token=earlier.token(), path={"build_id": build}).body
    assert before["status"] == "pending"
    (item,) = [item for item in earlier.items("jobs") if item["pk"] == f"BUILD#{build}" and item["sk"] == "DETAIL"]
    given = {"state": "Generate", "build_id": build, "job_id": item["job_id"]}
    assert earlier.invoke("ContractTasks", given)["stage"] == "compile"


def test_a_workload_that_was_accepted_is_created_once(earlier: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    with running() as url:
        earlier.use_console(monkeypatch, url)
        for _ in range(2):
            answer = earlier.invoke("AkashDeployTasks", {"deployment_id": EARLIER["workload"]})
        assert answer["step"] != "done", answer
        status = earlier.api(
            "api_deployments_status", token=earlier.token(OPERATOR), path={"id": EARLIER["workload"]}
        ).body
        assert status["dseq"]
        assert len(Simulator(url).ledger()["deployments"]) == 1
