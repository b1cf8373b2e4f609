"""Builds on two chains of which one misbehaves, and builds that are cancelled at every boundary of a branch.

After each: on every chain exactly one contract where the build says so, and none where it does not; every nonce that
was given out is used.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from web3 import Web3

from slipway.chain.contracts import load
from tests.faults.audits import BUILD_ENDED
from tests.faults.boundaries import WHENS, at_once_and_alone
from tests.faults.conftest import PATIENCE_SECONDS, FaultyStack, _text
from tests.support.waiting import eventually

WORKFLOW = "build"
FIRST, SECOND = 31337, 5001
# More, and compilations on two cores are stopped by their clock.
AT_ONCE = 3
BRANCH = ("BeginDeployment", "sign:build", "BroadcastDeployment", "ConfirmDeployment")
# Where a branch goes only when its chain is slow, out of time or of no use.
ASIDE = ("bump:build", "cancel:build", "RecordChainFailure")


class Builds:
    """A user's builds, each with a name of its own by which its contracts are told on the chains."""

    def __init__(self, stack: FaultyStack, user: int = 0) -> None:
        self.stack = stack
        described = stack.described
        accounts = [entry for entry in described["accounts"] if entry["role"] == "user"]
        self.wallet = accounts[user]["address"]
        session = stack.session("user", user)
        self.http = httpx.Client(base_url=f"{described['api']}/api/v1/builds", auth=session, timeout=60)
        self.chains = {entry["chain_id"]: Web3(Web3.HTTPProvider(entry["rpc_url"])) for entry in described["chains"]}
        self.names: dict[str, str] = {}

    def place(self, *chain_ids: int) -> str:
        """Ask for a build; its first tasks take long enough to inject faults for the later ones."""
        name = f"Fault{uuid.uuid4().hex[:10]}"
        options = {"name": name, "symbol": "FLT"}
        body = {"prompt": "Create an ERC-20 token with 1000 supply", "chains": list(chain_ids), "options": options}
        answer = self.http.post("", json=body)
        assert answer.status_code < 300, answer.text
        build_id = str(answer.json()["build_id"])
        self.names[build_id] = name
        self.stack.tally.placed("build", build_id)
        return build_id

    def detail(self, build_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/{build_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def on(self, build_id: str, chain_id: int = FIRST) -> dict[str, Any]:
        """Return the build's deployment on a chain; empty before there is one."""
        entries = self.detail(build_id)["deployments"] or []
        return next((entry for entry in entries if entry["chain_id"] == chain_id), {})

    def ended(self, build_id: str) -> dict[str, Any]:
        self.stack.tally.touched(build_id)
        return eventually(
            lambda: self.detail(build_id), lambda found: found["status"] in BUILD_ENDED, within=PATIENCE_SECONDS
        )

    def transactions(self, build_id: str, chain_id: int) -> list[dict[str, Any]]:
        """Return what was ever signed for a build on a chain."""
        intents = self.stack.control.query(
            KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": f"INTENT#{build_id}"}
        )["Items"]
        keys = [
            {"pk": f"SIGNER#{chain_id}#{entry['signer']}", "sk": f"TRANSACTION#{int(entry['nonce']):020d}"}
            for entry in intents
            if int(entry["chain_id"]) == chain_id
        ]
        return [self.stack.control.get_item(Key=key, ConsistentRead=True)["Item"] for key in keys]

    def contracts(self, build_id: str, chain_id: int) -> list[str]:
        """Every contract of the build's name that the deployer accounts ever created on a chain."""
        web3, found = self.chains[chain_id], []
        for address in self.stack.deployers:
            for nonce in range(web3.eth.get_transaction_count(Web3.to_checksum_address(address))):
                key = {"pk": f"SIGNER#{chain_id}#{address}", "sk": f"TRANSACTION#{nonce:020d}"}
                created = self.stack.control.get_item(Key=key).get("Item", {}).get("contract_address")
                if created and web3.eth.get_code(created):
                    token = web3.eth.contract(address=created, abi=load("HokusaiToken").abi)
                    if token.functions.name().call() == self.names[build_id]:
                        found.append(str(created))
        return found

    def assert_true(self, build_id: str, *chain_ids: int) -> None:
        """One contract on each chain where the build says so, and none where it does not."""
        for chain_id in chain_ids:
            deployment = self.on(build_id, chain_id)
            wanted = [deployment["address"]] if deployment.get("status") == "deployed" else []
            assert self.contracts(build_id, chain_id) == wanted, deployment

    def assert_nonces_are_contiguous(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Every nonce that was given out on either chain is used."""

        def gaps() -> dict[tuple[int, str], tuple[int, int]]:
            found: dict[tuple[int, str], tuple[int, int]] = {}
            for chain_id, web3 in self.chains.items():
                for address in self.stack.deployers:
                    key = {"pk": f"SIGNER#{chain_id}#{address}", "sk": "NONCE"}
                    stored = self.stack.control.get_item(Key=key, ConsistentRead=True).get("Item")
                    used = web3.eth.get_transaction_count(Web3.to_checksum_address(address))
                    if stored and int(stored["next_nonce"]) != used:
                        found[int(chain_id), address] = (int(stored["next_nonce"]), used)
            return found

        eventually(lambda: not gaps(), within=seconds)

    def settle(self, build_ids: Iterable[str], *chain_ids: int) -> None:
        """Let reconcile find out what became of what ended builds had signed."""
        under_way = [(build_id, chain_id) for build_id in build_ids for chain_id in chain_ids]

        def settled() -> bool:
            self.stack.reconcile()
            return all(self.on(*one).get("status") not in ("signed", "broadcast") for one in under_way)

        eventually(settled, within=PATIENCE_SECONDS)

    def anvil(self, chain_id: int, method: str, *params: Any) -> Any:
        answer = self.chains[chain_id].provider.make_request(method, list(params))  # type: ignore[arg-type]
        assert "error" not in answer, answer
        return answer["result"]

    def pending(self, chain_id: int, transaction_hash: str | None) -> bool:
        """Whether the node holds a transaction that is in no block."""
        if not transaction_hash:
            return False
        found = self.anvil(chain_id, "eth_getTransactionByHash", transaction_hash)
        return bool(found) and found["blockHash"] is None

    def was_replaced(self, chain_id: int, transaction_hash: str | None) -> bool:
        """Whether the node holds it no longer."""
        return not self.pending(chain_id, transaction_hash)

    @contextmanager
    def mining_stopped(self, chain_id: int) -> Iterator[None]:
        self.anvil(chain_id, "evm_setIntervalMining", 0)
        try:
            yield
        finally:
            self.anvil(chain_id, "evm_setIntervalMining", 1)

    @contextmanager
    def without_funds(self, chain_id: int) -> Iterator[None]:
        web3 = self.chains[chain_id]
        balances = {
            address: web3.eth.get_balance(Web3.to_checksum_address(address)) for address in self.stack.deployers
        }
        for address in balances:
            self.anvil(chain_id, "anvil_setBalance", address, "0x0")
        try:
            yield
        finally:
            for address, balance in balances.items():
                self.anvil(chain_id, "anvil_setBalance", address, hex(balance))


@pytest.fixture
def builds(stack: FaultyStack) -> Iterator[Builds]:
    made = Builds(stack)
    yield made
    made.assert_nonces_are_contiguous()


def _cut_at(builds: Builds, boundary: str) -> tuple[list[str], list[Path]]:
    """Return a build on both chains for each moment, and the faults that lie for them."""
    placed, faults = [], []
    for when in WHENS:
        placed.append(builds.place(FIRST, SECOND))
        faults.append(builds.stack.inject(boundary, when, "kill", placed[-1]))
    return placed, faults


def _assert_failed_on_the_second(builds: Builds, build_id: str) -> None:
    """Deployed on the first chain alone, and on both once it is tried again."""
    detail = builds.ended(build_id)
    assert (detail["status"], detail["error_code"]) == ("failed", "DEPLOYMENT_FAILED"), detail
    assert (builds.on(build_id)["status"], builds.on(build_id, SECOND)["status"]) == ("deployed", "failed")
    builds.assert_true(build_id, FIRST, SECOND)
    again = builds.http.post(f"/{build_id}/deploy", json=[SECOND])
    assert again.status_code < 300, again.text
    assert builds.ended(build_id)["status"] == "complete"
    builds.assert_true(build_id, FIRST, SECOND)


def test_killed_while_stuck_contracts_are_bumped(builds: Builds) -> None:
    with builds.mining_stopped(SECOND):
        placed, faults = _cut_at(builds, "bump:build")
        first = {one: eventually(partial(_pending_hash, builds, one), within=PATIENCE_SECONDS) for one in placed}
        for one in placed:
            eventually(partial(_has_another_hash, builds, one, first[one]), within=PATIENCE_SECONDS)
    assert not any(fault.exists() for fault in faults)
    for build_id in placed:
        detail = builds.ended(build_id)
        assert detail["status"] == "complete", detail
        builds.assert_true(build_id, FIRST, SECOND)


def test_killed_while_contracts_are_called_off(builds: Builds) -> None:
    with builds.mining_stopped(SECOND):
        placed, faults = _cut_at(builds, "cancel:build")
        for build_id in placed:
            eventually(partial(_pending_hash, builds, build_id), within=PATIENCE_SECONDS)
            builds.stack.jobs.update_item(
                Key={"pk": f"BUILD#{build_id}", "sk": f"CHAIN#{SECOND}"},
                UpdateExpression="SET deadline = :deadline",
                ExpressionAttributeValues={":deadline": _text(time.time())},
            )
        eventually(lambda: not any(fault.exists() for fault in faults), within=PATIENCE_SECONDS)
        for build_id in placed:
            signed = builds.transactions(build_id, SECOND)[0]["hashes"][0]
            eventually(partial(builds.was_replaced, SECOND, signed), within=PATIENCE_SECONDS)
    for build_id in placed:
        _assert_failed_on_the_second(builds, build_id)
        assert len(builds.transactions(build_id, SECOND)) == 2, "another nonce only because the first one was closed"


def test_killed_while_failures_of_a_chain_are_recorded(builds: Builds) -> None:
    with builds.without_funds(SECOND):
        placed, faults = _cut_at(builds, "RecordChainFailure")
        for build_id in placed:
            builds.ended(build_id)
    assert not any(fault.exists() for fault in faults)
    for build_id in placed:
        _assert_failed_on_the_second(builds, build_id)


def _cancelled_at(builds: Builds, boundary: str, when: str) -> tuple[str, dict[int, set[str]]]:
    """Return a build that is cancelled where it was cut, and what had been sent for it when that was answered."""
    build_id = builds.place(FIRST, SECOND)
    fault = builds.stack.inject(boundary, when, "kill", build_id)
    eventually(lambda: not fault.exists(), within=PATIENCE_SECONDS)
    answer = builds.http.delete(f"/{build_id}")
    sent = {chain: _known(builds, build_id, chain) for chain in (FIRST, SECOND)}
    assert answer.json() == {"status": "cancelled"}, answer.text
    return build_id, sent


def _known(builds: Builds, build_id: str, chain_id: int) -> set[str]:
    """Hashes of the build's own transactions, not of those that close nonces, that a node has seen."""
    signed = [
        (transaction_hash, entry)
        for entry in builds.transactions(build_id, chain_id)
        for transaction_hash in entry["hashes"]
        if transaction_hash not in entry.get("cancel_hashes", [])
    ]
    return {name for name, _ in signed if builds.anvil(chain_id, "eth_getTransactionByHash", name)}


def test_cancelled_at_every_boundary_nothing_is_sent_after_the_answer(stack: FaultyStack) -> None:
    users = [Builds(stack, number) for number in range(2)]
    points = [(boundary, when) for boundary in BRANCH for when in WHENS]
    cancelled = _each(points, lambda number, point: _cancelled_at(users[number % 2], *point))
    for number, builds in enumerate(users):
        placed = dict(cancelled[number::2])
        builds.settle(placed, FIRST, SECOND)
        builds.assert_nonces_are_contiguous()
        builds.settle(placed, FIRST, SECOND)
        for build_id, sent in placed.items():
            for chain_id in (FIRST, SECOND):
                assert _known(builds, build_id, chain_id) <= sent[chain_id], "sent after the answer"
            assert builds.detail(build_id)["status"] == "cancelled"
            builds.assert_true(build_id, FIRST, SECOND)


def _each[Result](points: Sequence[tuple[Any, ...]], happens: Callable[[int, tuple[Any, ...]], Result]) -> list[Result]:
    """Return what comes of it when something happens to a build for each of these, several at once."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        runs = {point: threads.submit(happens, number, point) for number, point in enumerate(points)}
    failed = {point: run.exception() for point, run in runs.items() if run.exception()}
    assert failed == {}
    return [run.result() for run in runs.values()]


REFUSED = [
    ("sign:build", "throttle:kms.Sign"),
    ("sign:build", "conflict"),
    ("BroadcastDeployment", "conflict"),
    ("ConfirmDeployment", "conflict"),
    # Written, and nobody was told.
    ("BeginDeployment", "die:TransactWriteItems"),
    ("sign:build", "die:TransactWriteItems"),
    ("BroadcastDeployment", "die:TransactWriteItems"),
    ("ConfirmDeployment", "die:TransactWriteItems"),
]


@pytest.mark.parametrize("refused", at_once_and_alone(REFUSED))
def test_a_service_of_aws_that_refuses_or_is_not_heard(builds: Builds, refused: list[tuple[str, str]]) -> None:
    def happens(_: int, point: tuple[Any, ...]) -> None:
        boundary, action = point
        build_id = builds.place(FIRST, SECOND)
        fault = builds.stack.inject(boundary, "before", action, build_id)
        detail = builds.ended(build_id)
        assert detail["status"] == "complete", detail
        assert not fault.exists()
        builds.assert_true(build_id, FIRST, SECOND)

    _each(refused, happens)


NODE = [
    ("eth_sendRawTransaction", "timeout", 1),
    ("eth_sendRawTransaction", "lost", 1),
    ("eth_sendRawTransaction", "429", 12),
    ("eth_sendRawTransaction", "forget", 2),
    ("eth_sendRawTransaction", "error:nonce too low", 1),
    ("eth_getTransactionReceipt", "503", 6),
]


@pytest.mark.parametrize("plan", at_once_and_alone(NODE))
def test_a_node_that_misbehaves(builds: Builds, plan: list[tuple[str, str, int]]) -> None:
    def happens(_: int, __: tuple[Any, ...]) -> None:
        build_id = builds.place(FIRST, SECOND)
        detail = builds.ended(build_id)
        assert detail["status"] == "complete", detail
        builds.assert_true(build_id, FIRST, SECOND)

    builds.stack.misbehave(*plan)
    _each(plan, happens)
    assert builds.stack.misbehaved(), "not every fault triggered"


def test_a_reorganisation_that_removes_a_mined_contract(builds: Builds) -> None:
    with builds.mining_stopped(SECOND):
        build_id = builds.place(FIRST, SECOND)
        mined = eventually(lambda: _pending_hash(builds, build_id), within=PATIENCE_SECONDS)
        builds.anvil(SECOND, "evm_mine")
        builds.anvil(SECOND, "anvil_reorg", 1, [])
        assert builds.anvil(SECOND, "eth_getTransactionReceipt", mined) is None
    assert builds.ended(build_id)["status"] == "complete"
    builds.assert_true(build_id, FIRST, SECOND)


def _pending_hash(builds: Builds, build_id: str) -> str | None:
    found: str | None = builds.on(build_id, SECOND).get("tx_hash")
    return found if builds.pending(SECOND, found) else None


def _has_another_hash(builds: Builds, build_id: str, than: str | None) -> bool:
    return _pending_hash(builds, build_id) not in (None, than)


def test_two_executions_of_one_run_at_once(builds: Builds) -> None:
    build_id = builds.place(FIRST, SECOND)
    builds.stack.tally.did("started twice", job_id=build_id)
    builds.stack.machines.start_execution(
        stateMachineArn=builds.stack.outputs["BuildArn"],
        name=f"{build_id}-again",
        input=json.dumps({"build_id": build_id, "job_id": build_id}),
    )
    assert builds.ended(build_id)["status"] == "complete"
    builds.assert_true(build_id, FIRST, SECOND)
