"""A stack whose functions can be killed and whose chain's node can misbehave, and launches placed into it."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from web3 import Web3

from local.faults.laid import Fault, lay
from local.paths import ROOT
from local.ports import free_ports, variable
from slipway.chain.contracts import load

STATE = ROOT / ".local" / "faults"
START_SECONDS = 300
# Waits and retry pauses of the state machines are shortened by this factor.
WAIT_SCALE = 0.1
FINAL = {"completed", "failed"}
# The clocks of Akash workloads: nothing but its network's pace is waited for.
AKASH_SECONDS = {"AkashBidTimeoutSeconds": "30", "AkashCreateSeconds": "3", "AkashOrphanSeconds": "6"}


@dataclass
class FaultyStack:
    """The running stack and the places where faults are laid."""

    described: dict[str, Any]
    faults: Path
    rpc_plan: Path
    chain: Web3
    jobs: Any
    control: Any
    machines: Any
    placed: list[str] = field(default_factory=list)

    @property
    def outputs(self) -> dict[str, str]:
        outputs: dict[str, str] = self.described["outputs"]
        return outputs

    @property
    def owner(self) -> str:
        return str(next(entry for entry in self.described["accounts"] if entry["role"] == "user")["address"])

    @property
    def deployers(self) -> list[str]:
        item = self.control.get_item(Key={"pk": "CHAIN#31337", "sk": "CONFIGURATION"})["Item"]
        return [str(address) for address in item["registrars"]]

    def lay(self, boundary: str, when: str, action: str = "kill", job_id: str | None = None) -> Path:
        """Lay a fault; the file is gone once it has struck."""
        return lay(self.faults, Fault(boundary, when, action, job_id))

    def misbehave(self, *plan: tuple[str, str, int]) -> None:
        """Let the node misbehave: (method, action, how often)."""
        steps = [{"method": method, "action": action, "left": left} for method, action, left in plan]
        self.rpc_plan.write_text(json.dumps(steps), encoding="utf-8")

    def misbehaved(self) -> bool:
        """Whether every fault of the plan was used up."""
        return all(step["left"] == 0 for step in json.loads(self.rpc_plan.read_text(encoding="utf-8")))

    def anvil(self, method: str, *params: Any) -> Any:
        """Ask the real node to do something to itself."""
        answer = self.chain.provider.make_request(method, list(params))  # type: ignore[arg-type]
        assert "error" not in answer, answer
        return answer["result"]

    def place(self, *, deadline_seconds: float = 900, state: str = "validated", start: bool = True) -> str:
        """Write a launch as the API writes it, under a known id, and start its state machine."""
        deployment_id = str(uuid.uuid4())
        model_id = f"fault-{deployment_id[:13]}"
        moment = time.time()
        text = _text(moment)
        self.control.put_item(
            Item={
                "pk": f"CATALOGUE#{model_id}",
                "sk": "MODEL",
                "owner": self.owner,
                "contributors": [],
                "state": state,
                "updated_at": text,
            }
        )
        self.jobs.put_item(Item={"pk": f"MODEL#{model_id}", "sk": "LOCK", "deployment_id": deployment_id})
        self.jobs.put_item(
            Item={
                "pk": f"DEPLOYMENT#{deployment_id}",
                "sk": "DETAIL",
                "deployment_id": deployment_id,
                "kind": "token",
                "status": "pending",
                "model_id": model_id,
                "wallet": self.owner,
                "chain_id": 31337,
                "token_name": model_id,
                "token_symbol": "FAULT",
                "estimated_gas_cost": "1",
                "executions": 1,
                "deadline": _text(moment + deadline_seconds),
                "created_at": text,
                "updated_at": text,
                "owner_key": f"DEPLOYMENT#{self.owner}",
                "owner_sort": f"{text}#{deployment_id}",
                "open_shard": "OPEN#0",
                "open_until": _text(moment + 5),
            }
        )
        self.placed.append(deployment_id)
        if start:
            self.start(deployment_id)
        return deployment_id

    def start(self, deployment_id: str) -> None:
        """Start the state machine of a launch, unless the scheduled reconcile was faster."""
        with suppress(self.machines.exceptions.ExecutionAlreadyExists):
            self.machines.start_execution(
                stateMachineArn=self.outputs["TokenDeployArn"],
                name=deployment_id,
                input=json.dumps({"deployment_id": deployment_id}),
            )

    def reconcile(self) -> None:
        """Run reconcile once, now, to its end."""
        execution = self.machines.start_execution(stateMachineArn=self.outputs["ReconcileArn"])["executionArn"]
        ends_at = time.monotonic() + 60
        while (status := self.machines.describe_execution(executionArn=execution)["status"]) == "RUNNING":
            assert time.monotonic() < ends_at, "reconcile takes too long"
            time.sleep(0.2)
        assert status == "SUCCEEDED", self.machines.describe_execution(executionArn=execution)

    def deployment(self, deployment_id: str) -> dict[str, Any]:
        """The launch as it is stored."""
        item: dict[str, Any] = self.jobs.get_item(
            Key={"pk": f"DEPLOYMENT#{deployment_id}", "sk": "DETAIL"}, ConsistentRead=True
        )["Item"]
        return item

    def change(self, deployment_id: str, **values: str) -> None:
        """Change a launch as time or an operator would."""
        for name, value in values.items():
            self.jobs.update_item(
                Key={"pk": f"DEPLOYMENT#{deployment_id}", "sk": "DETAIL"},
                UpdateExpression="SET #name = :value",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":value": value},
            )

    def wait_for(self, deployment_id: str, statuses: set[str], seconds: float = 90) -> dict[str, Any]:
        """Wait until a launch has one of these statuses."""
        ends_at = time.monotonic() + seconds
        while (item := self.deployment(deployment_id))["status"] not in statuses:
            assert time.monotonic() < ends_at, {**item, "history": self.history(deployment_id)}
            time.sleep(0.2)
        return item

    def history(self, deployment_id: str) -> list[str]:
        """Names of the states and errors that its first execution went through, for messages."""
        arn = self.outputs["TokenDeployArn"].replace(":stateMachine:", ":execution:") + f":{deployment_id}"
        try:
            events = self.machines.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        except self.machines.exceptions.ExecutionDoesNotExist:
            return []
        return [
            str(detail.get("name") or detail.get("error"))
            for event in events
            for key, detail in event.items()
            if key.endswith("EventDetails") and ("name" in detail or "error" in detail)
        ]

    def tokens(self, deployment_id: str) -> list[str]:
        """Every token contract that was ever created on chain under the launch's name."""
        return self.tokens_by_name().get(self.deployment(deployment_id)["token_name"], [])

    def tokens_by_name(self) -> dict[str, list[str]]:
        """Every token contract that the deployer accounts ever created on chain, by the token's name."""
        found: dict[str, list[str]] = {}
        for address in self.deployers:
            for nonce in range(self.chain.eth.get_transaction_count(Web3.to_checksum_address(address))):
                item = self.control.get_item(
                    Key={"pk": f"SIGNER#31337#{address}", "sk": f"TRANSACTION#{nonce:020d}"}
                ).get("Item", {})
                created = item.get("contract_address")
                if not created or not self.chain.eth.get_code(created):
                    continue
                token = self.chain.eth.contract(address=created, abi=load("HokusaiToken").abi)
                found.setdefault(token.functions.name().call(), []).append(str(created))
        return found

    def registered(self, deployment_id: str) -> str | None:
        """The token that the registry has for the launch's model."""
        registry = self.chain.eth.contract(
            address=Web3.to_checksum_address(self.outputs["model_registry"]), abi=load("ModelRegistry").abi
        )
        token = str(registry.functions.tokenOf(self.deployment(deployment_id)["model_id"]).call())
        return None if int(token, 16) == 0 else token

    def assert_launched_once(self, deployment_id: str) -> dict[str, Any]:
        """Completed, one token on chain, registered, and the status says so."""
        item = self.wait_for(deployment_id, FINAL)
        assert item["status"] == "completed", {**item, "history": self.history(deployment_id)}
        assert self.tokens(deployment_id) == [item["token_address"]]
        assert self.registered(deployment_id) == item["token_address"]
        for name in ("deployment_tx_hash", "registry_tx_hash"):
            assert self.chain.eth.get_transaction_receipt(item[name])["status"] == 1
        return item

    def assert_nonces_are_contiguous(self, seconds: float = 30) -> None:
        """Every nonce that was given out is mined, and no other."""
        ends_at = time.monotonic() + seconds
        while True:
            gaps = {}
            for address in self.deployers:
                stored = self.control.get_item(Key={"pk": f"SIGNER#31337#{address}", "sk": "NONCE"}).get("Item")
                mined = self.chain.eth.get_transaction_count(Web3.to_checksum_address(address))
                if stored and int(stored["next_nonce"]) != mined:
                    gaps[address] = (int(stored["next_nonce"]), mined)
            if not gaps:
                return
            assert time.monotonic() < ends_at, gaps
            time.sleep(0.5)


def _text(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03d}Z"


@pytest.fixture(scope="session")
def running() -> Iterator[FaultyStack]:
    """The stack, for the whole session."""
    faults, plan = STATE / "laid", STATE / "rpc.json"
    faults.mkdir(parents=True, exist_ok=True)
    for leftover in faults.iterdir():
        leftover.unlink()
    plan.write_text("[]", encoding="utf-8")
    names = ("api", "dashboard", "aws", "chain", "second_chain", "console")
    *numbers, faulty_port = free_ports(len(names) + 1)
    ports = dict(zip(names, numbers, strict=True))
    chain = {
        "chain_id": 31337,
        "name": "local",
        "rpc_urls": [f"http://127.0.0.1:{faulty_port}"],
        "confirmations": 2,
        "block_seconds": 1,
        "max_fee_per_gas": "200000000000",
    }
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SLIPWAY_UV") if name in os.environ}
    environment = {
        **inherited,
        **{variable(name): str(port) for name, port in ports.items()},
        "PYTHONPATH": f"{ROOT / 'layers' / 'slipway'}{os.pathsep}{ROOT}",
        "SLIPWAY_LOCAL_DIRECTORY": str(STATE),
        "SLIPWAY_FAULTS": str(faults),
        "SFN_WAIT_SCALE": str(WAIT_SCALE),
        "SLIPWAY_PARAMETERS": json.dumps({"Chains": [chain], **AKASH_SECONDS}),
    }
    node = [sys.executable, "-m", "local.faults.rpc", "--port", str(faulty_port), "--plan", str(plan)]
    node += ["--upstream", f"http://127.0.0.1:{ports['chain']}"]
    log, stack_file = STATE / "launch.log", STATE / "stack.json"
    stack_file.unlink(missing_ok=True)
    with log.open("wb") as output:
        processes = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            for command in (
                node,
                [sys.executable, "-m", "local.launch", "run", "--with-parent", "--without-token"],
            )
        ]
    try:
        ends_at = time.monotonic() + START_SECONDS
        while not stack_file.exists():
            assert processes[1].poll() is None, log.read_text()
            assert time.monotonic() < ends_at, log.read_text()
            time.sleep(0.2)
        described = json.loads(stack_file.read_text())
        endpoint = {"endpoint_url": described["aws_endpoint"], "region_name": described["region"]}
        tables = boto3.resource("dynamodb", **endpoint)
        yield FaultyStack(
            described,
            faults,
            plan,
            Web3(Web3.HTTPProvider(described["chains"][0]["rpc_url"])),
            tables.Table(described["outputs"]["JobsTableName"]),
            tables.Table(described["outputs"]["ControlTableName"]),
            boto3.client("stepfunctions", **endpoint),
        )
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(60)


@pytest.fixture
def stack(running: FaultyStack) -> Iterator[FaultyStack]:
    """The stack, with every fault taken up and every nonce closed after the test."""
    running.misbehave()
    yield running
    running.misbehave()
    for leftover in running.faults.iterdir():
        leftover.unlink(missing_ok=True)
