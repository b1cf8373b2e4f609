"""A stack whose functions can be killed and whose chain's node can misbehave, and launches placed into it."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import boto3
import pytest
from web3 import Web3

from local.accounts import LocalAccount
from local.chains import chain_entry
from local.faults.injection import Fault, inject
from local.faults.rpc import changing
from local.parameters import chains
from local.paths import ROOT
from local.ports import Ports, free_ports
from local.sign_in import Session, session
from local.temporary_stack import temporary_stack
from slipway.chain.contracts import load
from tests.faults import audits
from tests.faults.audits import FINAL
from tests.faults.tally import Tally, this_run
from tests.support.express import run_express
from tests.support.launches import write_launch
from tests.support.waiting import attempts, eventually

HERE = Path(__file__).parent
STATE = ROOT / ".local" / "faults"
# Waits and retry pauses of the state machines are shortened by this factor.
WAIT_SCALE = 0.1
# More at once, and an engine on two cores is busy starting processes.
AT_ONCE = 10
# What a busy machine may take for anything that takes seconds; nobody waits longer than it takes.
PATIENCE_SECONDS = 180
# What is still under way when the last test is done gets this long before it counts.
AUDIT_SECONDS = 120
# The clocks of Akash workloads: nothing but its network's pace is waited for.
AKASH_SECONDS = {
    "AkashBidTimeoutSeconds": "40", "AkashCreateSeconds": "3", "AkashOrphanSeconds": "6", "AkashLookSeconds": "2",
    "AkashSettleUsd": "0.01",
}  # fmt: skip
# The tests ask for more builds in one name than a user may start in an hour; what then refuses is no fault of theirs.
BUILD_LIMITS = {"standard": {"hour": 1000, "day": 10000, "open": 20}}


# A first supply, as a deployment keeps it: a quarter for one holder, the rest for the owner.
HOLDER = Web3.to_checksum_address("0x" + "a1" * 20)
SUPPLY: dict[str, Any] = {
    "initial_supply": "10",
    "max_supply": "10",
    "allocations": [{"address": HOLDER, "amount": "2.5"}],
}


@dataclass
class FaultyStack:
    """The running stack and the places where faults are injected."""

    described: dict[str, Any]
    faults: Path
    rpc_plan: Path
    chain: Web3
    jobs: Any
    control: Any
    machines: Any
    tally: Tally
    # The chain's node as functions reach it.
    node: str = ""
    injected: list[Path] = field(default_factory=list)
    # Environment and kind of each job of a stack.
    environments: dict[str, tuple[str, str]] = field(default_factory=dict)
    # How each run of reconcile ended.
    runs: dict[str, str] = field(default_factory=dict)
    _sessions: dict[str, Session] = field(default_factory=dict)
    _withdrawn: set[Path] = field(default_factory=set)
    _tokens: dict[tuple[str, int], tuple[str, str] | None] = field(default_factory=dict)

    @property
    def outputs(self) -> dict[str, str]:
        outputs: dict[str, str] = self.described["outputs"]
        return outputs

    def account(self, role: str, index: int = 0) -> LocalAccount:
        """Return a local account of this role."""
        return LocalAccount(**[entry for entry in self.described["accounts"] if entry["role"] == role][index])

    def session(self, role: str, index: int = 0) -> Session:
        """Return the session of such an account."""
        account = self.account(role, index)
        return self._sessions.setdefault(account.address, session(self.described["api"], account))

    @property
    def owner(self) -> str:
        return self.account("user").address

    @property
    def deployers(self) -> list[str]:
        item = self.control.get_item(Key={"pk": "CHAIN#31337", "sk": "CONFIGURATION"})["Item"]
        return [str(address) for address in item["registrars"]]

    def inject(self, boundary: str, when: str, action: str = "kill", job_id: str | None = None, **more: str) -> Path:
        """Inject a fault; its file is gone once it has triggered. ``workflow`` says what it cuts if that is unclear."""
        path = inject(self.faults, Fault(boundary, when, action, job_id))
        self.injected.append(path)
        self.tally.injected(
            action,
            lambda: path not in self._withdrawn and not path.exists(),
            job_id=job_id,
            workflow=more.get("workflow"),
            boundary=(boundary, when),
            cuts=action in ("kill", "hang"),
        )
        return path

    def renew(self, function: str) -> None:
        """Let a function go on in new processes only, as after a deployment.

        Args:
            function: A part of its name.
        """
        client = boto3.client(
            "lambda", endpoint_url=self.described["aws_endpoint"], region_name=self.described["region"]
        )
        pages = client.get_paginator("list_functions").paginate()
        (found,) = (each for page in pages for each in page["Functions"] if function in each["FunctionName"])
        client.update_function_configuration(FunctionName=found["FunctionName"], Timeout=found["Timeout"])

    def withdraw(self, injected: list[Path] | None = None) -> None:
        """Take faults up that have not triggered: these, or all."""
        for path in self.injected if injected is None else injected:
            if path.exists():
                self._withdrawn.add(path)
                path.unlink(missing_ok=True)

    def waits_for(self, job_id: str) -> list[Path]:
        """Faults that wait for a job and have not triggered."""
        return [path for path in self.faults.glob("*.json") if job_id in path.read_text(encoding="utf-8")]

    def misbehave(self, *plan: tuple[str, str, int]) -> None:
        """Let the node misbehave: (method, action, how often)."""
        with changing(self.rpc_plan) as steps:
            used = [step["action"] for step in steps if step["left"] < step["of"]]
            steps[:] = [{"method": method, "action": action, "left": left, "of": left} for method, action, left in plan]
        for action in used:
            self.tally.did(f"node {action}")

    def misbehaved(self) -> bool:
        """Whether every fault of the plan was used up."""
        with changing(self.rpc_plan) as steps:
            return all(step["left"] == 0 for step in steps)

    def anvil(self, method: str, *params: Any) -> Any:
        """Ask the real node to do something to itself."""
        answer = self.chain.provider.make_request(method, list(params))  # type: ignore[arg-type]
        assert "error" not in answer, answer
        return answer["result"]

    def place(self, *, state: str = "validated", start: bool = True, supply: bool = False) -> str:
        """Write a launch as the API writes it, under a known id, and start its state machine."""
        model_id = f"fault-{uuid.uuid4().hex[:13]}"
        model = {"pk": f"CATALOGUE#{model_id}", "sk": "MODEL", "owner": self.owner, "contributors": [], "state": state}
        self.control.put_item(Item={**model, "updated_at": _text(time.time())})
        deployment_id = write_launch(self.jobs, self.owner, model_id, **(SUPPLY if supply else {}))
        self.tally.placed("token_deploy", deployment_id)
        if start:
            self.start(deployment_id)
        return deployment_id

    def start(self, deployment_id: str, *, again: bool = False) -> None:
        """Start the state machine of a launch, unless the scheduled reconcile was faster.

        ``again`` starts another execution of a launch that has one.
        """
        if again:
            self.tally.did("started twice", job_id=deployment_id)
        with suppress(self.machines.exceptions.ExecutionAlreadyExists):
            self.machines.start_execution(
                stateMachineArn=self.outputs["TokenDeployArn"],
                name=f"{deployment_id}-again" if again else deployment_id,
                input=json.dumps({"deployment_id": deployment_id}),
            )

    def stop(self, machine: str, execution: str) -> bool:
        """End an execution as nobody should; return whether that ended it, and not its own end just before."""
        arn = f"{self.outputs[machine].replace(':stateMachine:', ':execution:')}:{execution}"
        with suppress(self.machines.exceptions.ClientError):
            self.machines.stop_execution(executionArn=arn, error="Killed", cause="by a test")
        status = self.machines.describe_execution(executionArn=arn)["status"]
        assert status != "RUNNING"
        return bool(status == "ABORTED")

    def reconcile(self) -> None:
        """Run reconcile once, now, to its end."""
        done = run_express(self.described, "ReconcileArn")
        self.runs[done["executionArn"]] = done["status"]
        self.tally.placed("reconcile", done["executionArn"])
        assert done["status"] == "SUCCEEDED", done

    def detail(self, deployment_id: str) -> dict[str, Any] | None:
        """Return the launch or workload as it is stored, if it is."""
        found: dict[str, Any] = self.jobs.get_item(
            Key={"pk": f"DEPLOYMENT#{deployment_id}", "sk": "DETAIL"}, ConsistentRead=True
        )
        return found.get("Item")

    def deployment(self, deployment_id: str) -> dict[str, Any]:
        """Return the same, which has to be there."""
        item = self.detail(deployment_id)
        assert item, deployment_id
        return item

    def owned_on_akash(self) -> set[str]:
        """Sequence numbers of the deployments that active or kept workloads have, those of stacks included."""
        items: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            page = self.jobs.query(
                IndexName="by_owner",
                KeyConditionExpression="owner_key = :owner",
                ExpressionAttributeValues={":owner": f"DEPLOYMENT#{self.owner}"},
                **start,
            )
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        return {
            item["dseq"]
            for item in items
            if "dseq" in item and (item["status"] in ("pending", "active") or "kept_open" in item)
        }

    def change(self, deployment_id: str, **values: str) -> None:
        """Change a launch as time or an operator would."""
        for name, value in values.items():
            self.jobs.update_item(
                Key={"pk": f"DEPLOYMENT#{deployment_id}", "sk": "DETAIL"},
                UpdateExpression="SET #name = :value",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":value": value},
            )

    def wait_for(self, deployment_id: str, statuses: set[str], seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait until a launch has one of these statuses."""
        self.tally.touched(deployment_id)
        return eventually(
            lambda: self.deployment(deployment_id),
            lambda item: item["status"] in statuses,
            within=seconds,
            every=0.2,
            what=lambda: self.history(deployment_id),
        )

    def follow(
        self,
        jobs: Iterable[str],
        start: Callable[[str], None],
        ended: set[str],
        *,
        seconds: float = 600,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Start launches or workloads, a bounded number at once, until each has one of these statuses or time is over.

        Their tests say what it means that one has not.
        """
        waiting, running = deque(jobs), set[str]()
        for _ in attempts(seconds, 0.2):
            if not (waiting or running):
                break
            while waiting and len(running) < AT_ONCE:
                start(waiting[0])
                running.add(waiting.popleft())
            running = {one for one in running if self.deployment(one)["status"] not in ended}
            meanwhile()

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
                if (address, nonce) not in self._tokens:
                    self._tokens[address, nonce] = self._token(address, nonce)
                if token := self._tokens[address, nonce]:
                    found.setdefault(token[0], []).append(token[1])
        return found

    def _token(self, address: str, nonce: int) -> tuple[str, str] | None:
        """Name and address of the token that a mined transaction created."""
        item = self.control.get_item(Key={"pk": f"SIGNER#31337#{address}", "sk": f"TRANSACTION#{nonce:020d}"})
        # Builds create contracts too, with names or without.
        is_token = item.get("Item", {}).get("purpose") == "deploy"
        created = item["Item"].get("contract_address") if is_token else None
        if not created or not self.chain.eth.get_code(created):
            return None
        token = self.chain.eth.contract(address=created, abi=load("HokusaiToken").abi)
        return token.functions.name().call(), str(created)

    def registered(self, deployment_id: str) -> str | None:
        """Return the token that the registry has for the launch's model."""
        registry = self.chain.eth.contract(
            address=Web3.to_checksum_address(self.outputs["model_registry"]), abi=load("ModelRegistry").abi
        )
        token = str(registry.functions.tokenOf(self.deployment(deployment_id)["model_id"]).call())
        return None if int(token, 16) == 0 else token

    def assert_launched_once(self, deployment_id: str) -> dict[str, Any]:
        """Completed, one token on chain, registered, and the status says so."""
        self.tally.expect(deployment_id, "completed")
        item = self.wait_for(deployment_id, FINAL)
        assert item["status"] == "completed", {**item, "history": self.history(deployment_id)}
        assert self.tokens(deployment_id) == [item["token_address"]]
        assert self.registered(deployment_id) == item["token_address"]
        supplied = ["allocation_tx_hash"] if "initial_supply" in item else []
        for name in ("deployment_tx_hash", "registry_tx_hash", *supplied):
            assert self.chain.eth.get_transaction_receipt(item[name])["status"] == 1
        assert not supplied or self.is_distributed_once(item)
        return item

    def is_distributed_once(self, item: dict[str, Any]) -> bool:
        """Whether each share of a launch's first supply was minted, once, and nothing else."""
        address = Web3.to_checksum_address(item["token_address"])
        token = self.chain.eth.contract(address=address, abi=load("HokusaiToken").abi)
        minted = token.events.Transfer().get_logs(from_block=0)
        given = {entry["args"]["to"]: entry["args"]["value"] for entry in minted}
        shares = {HOLDER: 25 * 10**17, Web3.to_checksum_address(item["wallet"]): 75 * 10**17}
        return len(minted) == 2 and given == shares and token.functions.totalSupply().call() == 10**19

    def assert_nonces_are_contiguous(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Every nonce that was given out is mined, and no other."""
        eventually(self.nonce_gaps, lambda gaps: not gaps, within=seconds, every=0.5)

    def nonce_gaps(self) -> dict[str, tuple[int, int]]:
        """Next nonce by the table and by the chain, of each account where they differ."""
        gaps: dict[str, tuple[int, int]] = {}
        for address in self.deployers:
            stored = self.control.get_item(Key={"pk": f"SIGNER#31337#{address}", "sk": "NONCE"}).get("Item")
            mined = self.chain.eth.get_transaction_count(Web3.to_checksum_address(address))
            if stored and int(stored["next_nonce"]) != mined:
                gaps[address] = (int(stored["next_nonce"]), mined)
        return gaps


def _text(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03d}Z"


@pytest.fixture(scope="session")
def running(pytestconfig: pytest.Config) -> Iterator[FaultyStack]:
    """Yield the stack, for the whole session; at the end every job is looked at once more."""
    tally = this_run()
    print(f"\nseed {tally.seed}")
    faults, plan = STATE / "injected", STATE / "rpc.json"
    faults.mkdir(parents=True, exist_ok=True)
    for leftover in faults.iterdir():
        leftover.unlink()
    plan.write_text("[]", encoding="utf-8")
    *numbers, faulty_port = free_ports(len(fields(Ports)) + 1)
    ports = Ports(*numbers)
    node = f"http://127.0.0.1:{faulty_port}"
    _, second = chains(ports)
    # What this suite spends on purpose is more than strangers may spend in a day.
    budget = {"open": 100_000, "day": 100_000}
    parameters = {
        "Chains": [chain_entry(node), second],
        "BuildLimits": BUILD_LIMITS,
        "AkashBudget": budget,
        "AkashPayment": "account",
        **AKASH_SECONDS,
    }
    settings = {
        "SLIPWAY_FAULTS": str(faults),
        "SFN_WAIT_SCALE": str(WAIT_SCALE),
        "SLIPWAY_PARAMETERS": json.dumps(parameters),
    }
    command = [sys.executable, "-m", "local.faults.rpc", "--port", str(faulty_port), "--plan", str(plan)]
    command += ["--upstream", f"http://127.0.0.1:{ports.chain}"]
    with (STATE / "node.log").open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        with temporary_stack(STATE, settings, ports) as stack_file:
            for stack in _connected(stack_file, faults, plan, tally, is_whole=_is_whole(pytestconfig)):
                stack.node = node
                yield stack
    finally:
        process.terminate()
        process.wait(60)


def _connected(stack_file: Path, faults: Path, plan: Path, tally: Tally, *, is_whole: bool) -> Iterator[FaultyStack]:
    described = json.loads(stack_file.read_text())
    endpoint = {"endpoint_url": described["aws_endpoint"], "region_name": described["region"]}
    tables = boto3.resource("dynamodb", **endpoint)
    stack = FaultyStack(
        described,
        faults,
        plan,
        Web3(Web3.HTTPProvider(described["chains"][0]["rpc_url"])),
        tables.Table(described["outputs"]["JobsTableName"]),
        tables.Table(described["outputs"]["ControlTableName"]),
        boto3.client("stepfunctions", **endpoint),
        tally,
    )
    tally.audited_by("token_deploy", lambda jobs: audits.launches(stack, jobs))
    tally.audited_by("build", lambda jobs: audits.builds(stack, jobs))
    tally.audited_by("reconcile", lambda jobs: audits.runs(stack, jobs))
    yield stack
    _close(stack, is_whole=is_whole)


def _close(stack: FaultyStack, *, is_whole: bool) -> None:
    """Audit; a whole run, in either form, also has to have cut every workflow everywhere."""
    stack.misbehave()
    stack.withdraw()
    stack._tokens.clear()
    tally, kept = stack.tally, os.environ.get("SLIPWAY_FAULTS_JSON")
    tally.close(AUDIT_SECONDS, stack.reconcile)
    tally.write(Path(kept) if kept else STATE / "table.json")
    assert not tally.findings, "\n".join(tally.lines())
    assert not (is_whole and tally.uncovered()), tally.uncovered()


_deselected: list[pytest.Item] = []


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Note what was left out: the short form leaves out what is long, and nothing else."""
    _deselected.extend(item for item in items if HERE in item.path.parents and not item.get_closest_marker("long"))


def _is_whole(config: pytest.Config) -> bool:
    return not _deselected and not config.getoption("lf") and any(Path(name).resolve() == HERE for name in config.args)


@pytest.fixture
def stack(running: FaultyStack) -> Iterator[FaultyStack]:
    """Yield the stack, with every fault of the test taken up and the node well again after it."""
    running.misbehave()
    before = len(running.injected)
    yield running
    running.misbehave()
    running.withdraw(running.injected[before:])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Faults and failures count for the workflow that the test's module is about, its WORKFLOW."""
    this_run().next_test(getattr(getattr(item, "module", None), "WORKFLOW", "reconcile"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Count a test that fails as a wrong outcome of the jobs that it looked at."""
    report = yield
    if report.failed and report.when != "teardown":  # type: ignore[attr-defined]
        this_run().failed(item.name)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the one table."""
    tally = this_run()
    if tally.jobs:
        terminalreporter.section(f"faults, seed {tally.seed}")
        for line in tally.lines():
            terminalreporter.write_line(line)
