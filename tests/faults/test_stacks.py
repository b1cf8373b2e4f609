"""Stacks whose tasks are killed at every boundary of ``stack_node`` and ``stack_api``.

At every moment: what ``endpoint.json`` serves is what the active node published. After each: the job ended with the
truth about it, and a stack has one deployment at most, which is open only where it should be.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from local.accounts import LocalAccount
from local.sign_in import sign_in
from slipway.stacks.models import ApiSpec, Kind, NodeSpec, stored
from tests.faults.boundaries import WHENS, boundaries
from tests.faults.conftest import FaultyStack, _text

QUICK = {"bids": {"delay": 1, "spread": 1}, "start": {"silent_for": 1, "ready_after": 2}}
SERVED = {"ports": {"serve": "banano"}}
NONSENSE = {"ports": {"serve": "nonsense"}}
ENDED = {"active", "failed", "deleted"}
NESTED = {("DeployWorkload", when) for when in WHENS} | {("CloseWorkload", when) for when in WHENS}
# Each boundary with what leads a job past it: operation, scenario, and how that ends.
NODE: dict[str, tuple[str, dict[str, Any], str]] = {
    "WithdrawEndpoint": ("update", SERVED, "active"),
    "PlaceWorkload": ("deploy", SERVED, "active"),
    "CheckWorkload": ("deploy", SERVED, "active"),
    "DiscoverEndpoint": ("deploy", SERVED, "active"),
    "ProbeEndpoint": ("deploy", SERVED, "active"),
    "PublishEndpoint": ("deploy", SERVED, "active"),
    "RollFollower": ("deploy", SERVED, "active"),
    "UpdateWorkload": ("update", SERVED, "active"),
    "AwaitUpdate": ("update", SERVED, "active"),
    "RequestClose": ("deploy", NONSENSE, "failed"),
    "RecordEnd": ("deploy", NONSENSE, "failed"),
    "RecordFailure": ("broken", SERVED, "failed"),
}
API: dict[str, tuple[str, dict[str, Any], str]] = {
    "ReadEndpoint": ("deploy", {}, "active"),
    "PlaceWorkload": ("deploy", {}, "active"),
    "CheckWorkload": ("deploy", {}, "active"),
    "Finish": ("deploy", {}, "active"),
    "UpdateWorkload": ("update", {}, "active"),
    "AwaitUpdate": ("update", {}, "active"),
    "RequestClose": ("delete", {}, "deleted"),
    "RecordEnd": ("delete", {}, "deleted"),
    "RecordFailure": ("broken", {}, "failed"),
}
IN_RECONCILE = ("FindStacks", "ReconcileStack")


def test_every_boundary_of_the_definitions_has_its_fault() -> None:
    assert boundaries("stack_node") - NESTED == {(name, when) for name in NODE for when in WHENS}
    assert boundaries("stack_api") - NESTED == {(name, when) for name in API for when in WHENS}


@dataclass
class Stacks:
    """Stacks that are written as the API writes them, under known jobs."""

    stack: FaultyStack
    console: httpx.Client = field(init=False)
    api: httpx.Client = field(init=False)
    headers: dict[str, str] = field(init=False)
    served: list[tuple[str, Any]] = field(default_factory=list)
    looks: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        described = self.stack.described
        self.console = httpx.Client(base_url=described["console_api"], timeout=30)
        self.api = httpx.Client(base_url=described["api"], timeout=30)
        self.console.put("/_simulator/controls", json=QUICK).raise_for_status()
        account = next(entry for entry in described["accounts"] if entry["role"] == "operator")
        self.headers = {"authorization": f"Bearer {sign_in(described['api'], LocalAccount(**account))}"}

    def key(self, environment: str, kind: str) -> dict[str, str]:
        return {"pk": f"STACK#{environment}#{kind}", "sk": "DETAIL"}

    def item(self, environment: str, kind: str) -> dict[str, Any]:
        found: dict[str, Any] = self.stack.jobs.get_item(Key=self.key(environment, kind), ConsistentRead=True)["Item"]
        return found

    def node(self, environment: str) -> dict[str, Any]:
        """An environment's node as it is stored now; empty when there is none yet."""
        found: dict[str, Any] = self.stack.jobs.get_item(Key=self.key(environment, "node"), ConsistentRead=True)
        item: dict[str, Any] = found.get("Item", {})
        return item

    def spec(self, environment: str, kind: str, scenario: dict[str, Any], image: str | None = None) -> str:
        env = {"SIMULATOR": json.dumps({"id": f"{environment}-{kind}", **scenario})}
        shape = {Kind.NODE: NodeSpec, Kind.API: ApiSpec}[Kind(kind)]
        return json.dumps(stored(shape.model_validate({"env": env, "image": image})))

    def place(self, environment: str, kind: str, operation: str, scenario: dict[str, Any]) -> str:
        """Write a job as the API writes it; a broken one has a specification that makes no SDL."""
        job_id, moment = str(uuid.uuid4()), time.time()
        text = self.spec(environment, kind, scenario, "another/image:2" if operation == "update" else None)
        if operation == "broken":
            text = json.dumps({**json.loads(text), "image": "no image at all"})
        values: dict[str, Any] = {
            "environment": environment,
            "kind": kind,
            "status": "deleting" if operation == "delete" else "deploying",
            "spec": text,
            "wallet": self.stack.owner,
            "job_id": job_id,
            "operation": operation.replace("broken", "deploy"),
            "step": "withdraw" if kind == "node" else "close" if operation == "delete" else "read",
            "executions": 1,
            "job_began_at": _text(moment),
            "updated_at": _text(moment),
            "created_at": _text(moment),
            "open_shard": "OPEN#stack#0",
            "open_until": _text(moment + 60),
        }
        gone = ["used", "candidate", "discovery", "discovery_began_at", "probes", "probe_began_at", "observed_before",
                "update_sent_at", "failing_code", "failing_message", "error_code", "error_message", "job_ended_at",
                *(["endpoint"] if kind == "node" else [])]  # fmt: skip
        names = {f"#{name}": name for name in values} | {f"#{name}": name for name in gone}
        sets = ", ".join(f"#{name} = :{name}" for name in values)
        self.stack.jobs.update_item(
            Key=self.key(environment, kind),
            UpdateExpression=f"SET {sets} ADD generation :one REMOVE {', '.join(f'#{name}' for name in gone)}",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()} | {":one": 1},
        )
        return job_id

    def arn(self, kind: str) -> str:
        return self.stack.outputs[{"node": "StackNodeArn", "api": "StackApiArn"}[kind]]

    def start(self, environment: str, kind: str, job_id: str) -> None:
        with suppress(self.stack.machines.exceptions.ExecutionAlreadyExists):
            self.stack.machines.start_execution(
                stateMachineArn=self.arn(kind),
                name=job_id,
                input=json.dumps({"environment": environment, "job_id": job_id}),
            )

    def run(self, environment: str, kind: str, operation: str, scenario: dict[str, Any]) -> dict[str, Any]:
        """A job that nothing happens to."""
        self.start(environment, kind, self.place(environment, kind, operation, scenario))
        return self.ended(environment, kind)

    def ended(self, environment: str, kind: str, seconds: float = 240) -> dict[str, Any]:
        ends_at = time.monotonic() + seconds
        while (item := self.item(environment, kind))["status"] not in ENDED:
            assert time.monotonic() < ends_at, item
            time.sleep(0.3)
        return item

    def published(self, environment: str) -> httpx.Response:
        return self.api.get(f"/api/stacks/{environment}/endpoint.json", headers=self.headers)

    def ledger(self, environment: str, kind: str) -> list[dict[str, Any]]:
        entries = self.console.get("/_simulator/ledger").json()["deployments"]
        return [entry for entry in entries if entry["scenario"] == f"{environment}-{kind}"]

    def assert_ended(self, environment: str, kind: str, status: str) -> dict[str, Any]:
        """As expected; one deployment open at most, and only where the stack is active."""
        item = self.ended(environment, kind)
        assert item["status"] == status, item
        entries = self.ledger(environment, kind)
        still_open = [entry["dseq"] for entry in entries if entry["state"] == "active" and entry["leases"]]
        assert len(still_open) == (status == "active"), entries
        if kind == "node":
            answer = self.published(environment)
            wanted = (200, {"banano_rpc_endpoint": item["endpoint"]}) if status == "active" else (404, None)
            assert (answer.status_code, answer.json() if answer.status_code == 200 else None) == wanted, answer.text
        return item

    def watch(self, environments: list[str], stop: threading.Event) -> None:
        """Note whatever is served that no active node had published between asking and the answer."""
        while not stop.is_set():
            for environment in environments:
                before = self.node(environment)
                answer = self.published(environment)
                self.looks[answer.status_code] = self.looks.get(answer.status_code, 0) + 1
                if answer.status_code != 200:
                    continue
                # The node may change while it is asked; what was true at either end may be answered.
                told = [node["endpoint"] for node in (before, self.node(environment)) if node.get("status") == "active"]
                if answer.json() not in [{"banano_rpc_endpoint": endpoint} for endpoint in told]:
                    self.served.append((environment, answer.json()))
            time.sleep(0.2)


@pytest.fixture(scope="module")
def stacks(running: FaultyStack) -> Stacks:
    return Stacks(running)


@pytest.fixture(scope="module")
def nodes(stacks: Stacks) -> Iterator[dict[tuple[str, str], str]]:
    """A node for each boundary, all at once, each cut at its own, while what is served is watched."""
    placed = {(boundary, when): f"n{uuid.uuid4().hex[:12]}" for boundary in NODE for when in WHENS}
    stop = threading.Event()
    watcher = threading.Thread(target=stacks.watch, args=(list(placed.values()), stop))
    watcher.start()

    def cut(point: tuple[str, str]) -> None:
        boundary, when = point
        operation, scenario, _ = NODE[boundary]
        environment = placed[point]
        if operation == "update":
            assert stacks.run(environment, "node", "deploy", scenario)["status"] == "active"
        job_id = stacks.place(environment, "node", operation, scenario)
        stacks.stack.lay(boundary, when, "kill", job_id)
        stacks.start(environment, "node", job_id)
        stacks.ended(environment, "node")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(cut, placed))
    yield placed
    stop.set()
    watcher.join(60)


def _struck(stacks: Stacks, environment: str, kind: str) -> None:
    job_id = stacks.item(environment, kind)["job_id"]
    left = [path for path in stacks.stack.faults.iterdir() if job_id in path.read_text()]
    assert left == [], "the fault did not strike"


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("boundary", NODE)
def test_a_node_is_killed_on_the_way(
    stacks: Stacks, nodes: dict[tuple[str, str], str], boundary: str, when: str
) -> None:
    environment = nodes[boundary, when]
    stacks.assert_ended(environment, "node", NODE[boundary][2])
    _struck(stacks, environment, "node")


def test_nothing_stale_was_served(stacks: Stacks, nodes: dict[tuple[str, str], str]) -> None:
    assert set(stacks.looks) == {200, 404}
    assert stacks.served == []


@pytest.fixture(scope="module")
def apis(stacks: Stacks, nodes: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """An API stack for each boundary, in environments whose node came up."""
    up = [nodes[boundary, when] for boundary in NODE for when in WHENS if NODE[boundary][2] == "active"]
    placed = dict(zip(((boundary, when) for boundary in API for when in WHENS), up, strict=False))
    assert len(placed) == len(API) * len(WHENS)

    def cut(point: tuple[str, str]) -> None:
        boundary, when = point
        operation, scenario, _ = API[boundary]
        environment = placed[point]
        if operation in ("update", "delete"):
            assert stacks.run(environment, "api", "deploy", scenario)["status"] == "active"
        job_id = stacks.place(environment, "api", operation, scenario)
        stacks.stack.lay(boundary, when, "kill", job_id)
        stacks.start(environment, "api", job_id)
        stacks.ended(environment, "api")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(cut, placed))
    return placed


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("boundary", API)
def test_an_api_is_killed_on_the_way(
    stacks: Stacks, apis: dict[tuple[str, str], str], boundary: str, when: str
) -> None:
    environment = apis[boundary, when]
    item = stacks.assert_ended(environment, "api", API[boundary][2])
    _struck(stacks, environment, "api")
    node = stacks.assert_ended(environment, "node", "active")
    if item["status"] == "active":
        assert item["endpoint"] == node["endpoint"]


def _wait_for(stacks: Stacks, environment: str, step: str) -> dict[str, Any]:
    ends_at = time.monotonic() + 60
    while (item := stacks.item(environment, "node"))["step"] != step:
        assert time.monotonic() < ends_at, item
        time.sleep(0.05)
    return item


@pytest.mark.parametrize("step", ["deploy", "closing"])
def test_a_job_is_stopped_while_its_workload_is_deployed_or_closed(stacks: Stacks, step: str) -> None:
    environment = f"n{uuid.uuid4().hex[:12]}"
    scenario = {**(SERVED if step == "deploy" else NONSENSE), "bids": {"delay": 15}}
    job_id = stacks.place(environment, "node", "deploy", scenario)
    stacks.start(environment, "node", job_id)
    _wait_for(stacks, environment, step)
    arn = stacks.arn("node").replace(":stateMachine:", ":execution:") + f":{job_id}"
    stacks.stack.machines.stop_execution(executionArn=arn, error="Killed", cause="by a test")
    stacks.stack.jobs.update_item(
        Key=stacks.key(environment, "node"),
        UpdateExpression="SET open_until = :past",
        ExpressionAttributeValues={":past": "2020-01-01T00:00:00.000Z"},
    )
    stacks.stack.reconcile()
    stacks.assert_ended(environment, "node", "active" if step == "deploy" else "failed")
    assert len(stacks.ledger(environment, "node")) == 1


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("boundary", IN_RECONCILE)
def test_reconcile_is_killed_while_it_mends(stacks: Stacks, boundary: str, when: str) -> None:
    environment = f"n{uuid.uuid4().hex[:12]}"
    stacks.place(environment, "node", "deploy", SERVED)
    stacks.stack.jobs.update_item(
        Key=stacks.key(environment, "node"),
        UpdateExpression="SET open_until = :past",
        ExpressionAttributeValues={":past": "2020-01-01T00:00:00.000Z"},
    )
    fault = stacks.stack.lay(boundary, when)
    stacks.stack.reconcile()
    assert not fault.exists()
    stacks.assert_ended(environment, "node", "active")
    assert len(stacks.ledger(environment, "node")) == 1


def test_two_executions_of_one_job_at_once(stacks: Stacks) -> None:
    environment = f"n{uuid.uuid4().hex[:12]}"
    job_id = stacks.place(environment, "node", "deploy", SERVED)
    for name in (job_id, f"{job_id}-again"):
        stacks.stack.machines.start_execution(
            stateMachineArn=stacks.arn("node"),
            name=name,
            input=json.dumps({"environment": environment, "job_id": job_id}),
        )
    stacks.assert_ended(environment, "node", "active")
    assert len(stacks.ledger(environment, "node")) == 1


@pytest.mark.parametrize(
    ("boundary", "action"),
    [("PublishEndpoint", "conflict"), ("PlaceWorkload", "conflict"), ("PublishEndpoint", "throttle:kms.Sign")],
)
def test_a_service_of_aws_that_refuses(stacks: Stacks, boundary: str, action: str) -> None:
    environment = f"n{uuid.uuid4().hex[:12]}"
    job_id = stacks.place(environment, "node", "deploy", SERVED)
    stacks.stack.lay(boundary, "before", action, job_id)
    stacks.start(environment, "node", job_id)
    stacks.assert_ended(environment, "node", "active")
    _struck(stacks, environment, "node")
