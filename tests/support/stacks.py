"""Stacks in this process: requests, state machines and the simulated network."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx

from slipway.executions import execution_starter, execution_status
from slipway.settings import akash_timeouts
from slipway.stacks.artifact_store import ArtifactStore
from slipway.stacks.models import Kind
from slipway.stacks.node_rpc import NodeRpc
from slipway.stacks.reconcile import StackReconcile
from tests.support.console_simulator import Simulator
from tests.support.installation import BUCKET, Answer, Installation
from tests.support.state_machine import StateMachine
from tests.support.steps import Steps
from tests.support.wallets import OPERATOR
from tests.support.workloads import workload_machine

SERVED = {"ports": {"serve": "banano"}}


def spec(scenario: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a specification whose deployment the simulator treats as the scenario says."""
    env = {**more.pop("env", {}), "SIMULATOR": json.dumps(SERVED if scenario is None else scenario)}
    return {"env": env, **more}


@dataclass
class Stacks:
    """The stacks of an installation.

    Attributes:
        slipway: The installation.
        simulator: The Console API.
        visited: States of the stacks' machines, in order.
        steps: What workflows did.
    """

    slipway: Installation
    simulator: Simulator
    visited: list[str] = field(default_factory=list)
    steps: Steps = field(default_factory=Steps)

    def send(self, name: str, environment: str = "production", **parts: Any) -> Answer:
        """Send a request by an operator."""
        token = parts.pop("token", self.slipway.token(OPERATOR))
        return self.slipway.api(f"api_stacks_{name}", token=token, path={"environment": environment}, **parts)

    def put(
        self, kind: str, body: dict[str, Any] | None = None, environment: str = "production", **parts: Any
    ) -> Answer:
        """PUT a stack."""
        return self.send(f"put_{kind}", environment, body=spec() if body is None else body, **parts)

    def get(self, kind: str, environment: str = "production") -> dict[str, Any]:
        """GET a stack that is there."""
        answer = self.send(kind, environment)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.body
        return found

    def run(self, answer: Answer) -> dict[str, Any]:
        """Run the state machine of an accepted job to its end; the stack then."""
        assert answer.status == 202, answer.body
        kind, environment = answer.body["kind"], answer.body["environment"]
        self.execute(kind, environment, answer.body["job"]["job_id"])
        found = self.send(kind, environment)
        body: dict[str, Any] = found.body
        return body

    def execute(self, kind: str, environment: str, job_id: str) -> Any:
        """Run a state machine."""
        machine = self.machine(kind)
        try:
            return machine.run({"environment": environment, "job_id": job_id})
        finally:
            self.visited += machine.visited

    def machine(self, kind: str) -> StateMachine:
        """Return the state machine of a kind of stack."""
        tasks = {"node": "StackNodeTasks", "api": "StackApiTasks"}[kind]
        return StateMachine(
            f"stack_{kind}",
            lambda payload: self.slipway.invoke(tasks, payload),
            self.slipway.clock.advance,
            nested=self._deploy,
        )

    def _deploy(self, given: dict[str, Any]) -> Any:
        return workload_machine(self.slipway).run({"deployment_id": given["deployment_id"]})

    def up(self, kind: str, body: dict[str, Any] | None = None, environment: str = "production") -> dict[str, Any]:
        """Return a stack that is active."""
        found = self.run(self.put(kind, body, environment))
        assert found["status"] == "active", found
        return found

    def reconcile(self) -> dict[str, str]:
        """Return what reconcile does now, by stack."""
        machines = {Kind(kind): arn for kind, arn in self.slipway.stack_machines.items()}
        reconcile = StackReconcile(
            ArtifactStore(boto3.client("s3"), BUCKET),
            {kind: execution_starter(arn) for kind, arn in machines.items()},
            lambda kind, name: execution_status(machines[kind], name),
            akash_timeouts().check_interval,
            self.slipway.clock,
            NodeRpc(httpx.AsyncClient(trust_env=False)),
        )
        with self.slipway.acting_as("ReconcileTasks"):
            return {f"{name}/{kind}": reconcile.reconcile_stack(name, kind) for name, kind in reconcile.find()}

    def executions(self, kind: str) -> list[str]:
        """Names of the executions that were started."""
        return [entry["name"] for entry in self.slipway.executions(self.slipway.stack_machines[kind])]

    def endpoint(self, environment: str = "production") -> Answer:
        """GET endpoint.json."""
        return self.send("endpoint", environment)

    def open(self) -> list[dict[str, Any]]:
        """Deployments that are open on Akash."""
        return [entry for entry in self.simulator.ledger()["deployments"] if entry["state"] == "active"]

    def images(self) -> list[str]:
        """Keys in the bucket, with the number of their versions."""
        found = boto3.client("s3").list_object_versions(Bucket=BUCKET)
        return sorted(entry["Key"] for entry in found.get("Versions", []))
