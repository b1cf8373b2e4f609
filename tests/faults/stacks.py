"""Stacks placed into a stack whose functions can be killed, and what is published and runs of them."""

from __future__ import annotations

import json
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from slipway.stacks.models import ApiSpec, Kind, NodeSpec, stored
from tests.faults import audits
from tests.faults.audits import ENDED
from tests.faults.conftest import FaultyStack, _text
from tests.faults.workloads import QUICK
from tests.support.waiting import eventually

SERVED = {"ports": {"serve": "banano"}}
NONSENSE = {"ports": {"serve": "nonsense"}}


@dataclass
class Stacks:
    """Stacks that are written as the API writes them, under known jobs."""

    stack: FaultyStack
    console: httpx.Client = field(init=False)
    api: httpx.Client = field(init=False)
    served: list[tuple[str, Any]] = field(default_factory=list)
    looks: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        described = self.stack.described
        self.console = httpx.Client(base_url=described["console_api"], timeout=30)
        self.api = httpx.Client(base_url=described["api"], auth=self.stack.session("operator"), timeout=30)
        self.console.put("/_simulator/controls", json=QUICK).raise_for_status()
        for kind in ("stack_node", "stack_api"):
            self.stack.tally.audited_by(kind, lambda jobs: audits.stacks(self, jobs))

    def key(self, environment: str, kind: str) -> dict[str, str]:
        return {"pk": f"STACK#{environment}#{kind}", "sk": "DETAIL"}

    def item(self, environment: str, kind: str) -> dict[str, Any]:
        found: dict[str, Any] = self.stack.jobs.get_item(Key=self.key(environment, kind), ConsistentRead=True)["Item"]
        return found

    def find(self, environment: str, kind: str) -> dict[str, Any]:
        """Return a stack as it is stored now; empty when there is none yet."""
        found: dict[str, Any] = self.stack.jobs.get_item(Key=self.key(environment, kind), ConsistentRead=True)
        item: dict[str, Any] = found.get("Item", {})
        return item

    def spec(self, environment: str, kind: str, scenario: dict[str, Any], image: str | None = None) -> str:
        env = {"SIMULATOR": json.dumps({"id": f"{environment}-{kind}", **scenario})}
        shape: type[NodeSpec | ApiSpec] = NodeSpec if Kind(kind) is Kind.NODE else ApiSpec
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
        self.stack.environments[job_id] = environment, kind
        self.stack.tally.placed(f"stack_{kind}", job_id)
        if "latency" in scenario:
            self.stack.tally.injected(
                "network latency", lambda: len(self.ledger(environment, kind)), workflow=f"stack_{kind}"
            )
        return job_id

    def arn(self, kind: str) -> str:
        return self.stack.outputs[{"node": "StackNodeArn", "api": "StackApiArn"}[kind]]

    def start(self, environment: str, kind: str, job_id: str, *, again: bool = False) -> None:
        """Start a job's state machine, unless reconcile was faster; ``again`` starts another execution of it."""
        if again:
            self.stack.tally.did("started twice", job_id=job_id)
        with suppress(self.stack.machines.exceptions.ExecutionAlreadyExists):
            self.stack.machines.start_execution(
                stateMachineArn=self.arn(kind),
                name=f"{job_id}-again" if again else job_id,
                input=json.dumps({"environment": environment, "job_id": job_id}),
            )

    def run(self, environment: str, kind: str, operation: str, scenario: dict[str, Any]) -> dict[str, Any]:
        """Return a job that nothing happens to."""
        self.start(environment, kind, self.place(environment, kind, operation, scenario))
        return self.ended(environment, kind)

    def ended(self, environment: str, kind: str, seconds: float = 240) -> dict[str, Any]:
        self.stack.tally.touched(self.item(environment, kind)["job_id"])
        return eventually(
            lambda: self.item(environment, kind), lambda item: item["status"] in ENDED, within=seconds, every=0.3
        )

    def published(self, environment: str) -> httpx.Response:
        return self.api.get(f"/api/stacks/{environment}/endpoint.json")

    def ledger(self, environment: str, kind: str) -> list[dict[str, Any]]:
        return [entry for entry in self.entries() if entry["scenario"] == f"{environment}-{kind}"]

    def entries(self) -> list[dict[str, Any]]:
        """Return what the network has of everything."""
        entries: list[dict[str, Any]] = self.console.get("/_simulator/ledger").json()["deployments"]
        return entries

    def overdue(self, environment: str, kind: str) -> None:
        """Let a stack be one that reconcile looks at."""
        self.stack.jobs.update_item(
            Key=self.key(environment, kind),
            UpdateExpression="SET open_until = :past",
            ExpressionAttributeValues={":past": "2020-01-01T00:00:00.000Z"},
        )

    def assert_ended(self, environment: str, kind: str, status: str) -> dict[str, Any]:
        """As expected; one deployment open at most, and only where the stack is active."""
        self.stack.tally.expect(self.item(environment, kind)["job_id"], status)
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
        while not stop.wait(0.2):
            for environment in environments:
                before = self.find(environment, "node")
                answer = self.published(environment)
                # A busy engine that could not start the function in time answers for it, in its own words.
                told = str(answer.status_code) if "request_id" in answer.text or answer.is_success else "engine"
                self.looks[told] = self.looks.get(told, 0) + 1
                if answer.status_code != 200:
                    continue
                # The node may change while it is asked; what was true at either end may be answered.
                true = [
                    node["endpoint"]
                    for node in (before, self.find(environment, "node"))
                    if node.get("status") == "active"
                ]
                if answer.json() not in [{"banano_rpc_endpoint": endpoint} for endpoint in true]:
                    self.served.append((environment, answer.json()))
