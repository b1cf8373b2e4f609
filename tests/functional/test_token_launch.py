"""A launch through the real functions under their policies, on a real chain."""

from __future__ import annotations

import functools
import itertools
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import httpx
import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from moto import mock_aws
from web3 import Web3

from local.paths import ROOT
from slipway import times
from slipway.addresses import keccak256
from slipway.chain.abi import call_data
from slipway.chain.install import InstalledContracts
from slipway.chain.install import install as install_contracts
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import UnsignedTransaction
from slipway.chain.reconcile import SignerReconcile, deployer_accounts
from slipway.chain.signing import ChainSigning
from slipway.chain.store import (
    TransactionIntent,
    TransactionItem,
    call_from_json,
    save_contracts,
    save_fee_cap,
    stored_nonce,
    transaction_at,
    transaction_for,
)
from slipway.chain.transactions import contract_address
from slipway.chain.write_ahead import WriteAhead
from slipway.configuration import chain_settings
from slipway.errors import (
    ConflictError,
    DeploymentFailedError,
    InsufficientGasError,
    NotFoundError,
    SignerUnfundedError,
    UpstreamUnavailableError,
)
from slipway.jobs.deployments import Deployment
from slipway.settings import tier_limit
from slipway.solidity.compiler import Compiler, build_input, node_modules_resolver
from slipway.times import from_text
from slipway.tokens import calls
from slipway.tokens.models import ModelState
from slipway.tokens.reconcile import TokenReconcile, TokenTransactions
from slipway.tokens.store import find_token, launched_token
from slipway.tokens.transaction_states import terms_of
from tests.support.chains import CHAIN, ETHER, Anvil, running_anvil
from tests.support.clock import ManualClock, SkippingClock
from tests.support.flaky_node import FlakyNode
from tests.support.functions import event, function_app
from tests.support.installation import Answer, Installation, install
from tests.support.keys import LocalSigner
from tests.support.nodes import FakeNode
from tests.support.state_machine import StateMachine
from tests.support.waiting import eventually
from tests.support.wallets import ADMIN, ALICE, BOB

ADMINISTRATOR = "0x" + "ad" * 32
POOL = ["0x" + "d1" * 32, "0x" + "d2" * 32]
STRANGER = "0x" + "5a" * 20
SUPPLY: dict[str, Any] = {
    "initial_supply": "1000000.5",
    "max_supply": "2000000",
    "allocations": [
        {"address": "0x" + "a1" * 20, "amount": "600000.25"},
        {"address": "0x" + "a2" * 20, "amount": "0.000000000000000001"},
        {"address": BOB.address, "amount": "1"},
    ],
}
# What each gets of it, in base units; the caller the rest.
SHARES = {
    "0x" + "a1" * 20: 600_000 * 10**18 + 25 * 10**16,
    "0x" + "a2" * 20: 1,
    BOB.address: 10**18,
    ALICE.address: 399_999 * 10**18 + 25 * 10**16 - 1,
}
# ModelRegistry as earlier installations have it: the first takes any address for a token, the second keeps no terms.
EARLIER_REGISTRIES = ROOT / "tests" / "functional" / "contracts" / "sources"


@pytest.fixture(scope="module")
def _chain() -> Iterator[tuple[Anvil, InstalledContracts]]:
    with running_anvil() as anvil:
        registrars = [Account.from_key(key).address for key in POOL]
        anvil.fund(Account.from_key(ADMINISTRATOR).address, *registrars)
        yield anvil, install_contracts(anvil.url, ADMINISTRATOR, registrars)


@dataclass
class LaunchHarness:
    """One launch after another, task by task, as the state machine does it."""

    slipway: Installation
    anvil: Anvil
    contracts: InstalledContracts
    signers: list[LocalSigner]
    times: int = 1

    @property
    def clock(self) -> SkippingClock:
        """The time of the launches, which tests skip."""
        return self.slipway.clock

    def _each(self, function: str, payload: dict[str, Any]) -> Any:
        answers = [self.slipway.invoke(function, payload) for _ in range(self.times)]
        return answers[-1]

    def work(self, job: str, **more: Any) -> Any:
        """Do the hub's task and return its answer."""
        return self._each("TokenDeployTasks", {"deployment_id": job, **more})

    def signer(self, operation: str, job: str) -> Any:
        return self._each("SignerFunction", {"operation": operation, "job_id": job, "purpose": "launch"})

    def fail(self, job: str, error: str = "DeploymentFailedError", message: str = "It failed") -> None:
        """Hand a task's failure over as the hub does."""
        cause = json.dumps({"errorMessage": message, "errorType": error})
        assert self.work(job, error=error, cause=cause)["status"] == "failed"

    def new(self, model_id: str | None = None, **more: Any) -> str:
        """Have a launch accepted and return its id."""
        return self.slipway.place(model_id, **more)

    def sign(self, job: str) -> dict[str, Any]:
        """Up to the signed transactions, by purpose."""
        assert self.work(job)["step"] == "sign"
        return {entry["purpose"]: entry for entry in self.signer("sign", job)["signed"]}

    def send(self, job: str) -> dict[str, Any]:
        """Up to where the chain has them."""
        signed = self.sign(job)
        answer = self.work(job, asked=True)
        assert (answer["step"], answer["pause_seconds"]) == ("confirm", 2)
        return signed

    def launch(self, job: str) -> None:
        """To the end."""
        self.send(job)
        self.anvil.mine(2)
        answer = self.work(job)
        assert (answer["step"], answer["status"], answer["polls"]) == ("done", "completed", 1)

    def deploy(self, job: str) -> dict[str, Any]:
        """Up to where the token is there for good, and nodes have lost its registration."""
        self.anvil.rpc("evm_setAutomine", False)
        signed = self.send(job)
        self.anvil.rpc("anvil_dropTransaction", signed["register"]["transaction_hash"])
        self.anvil.mine(2)
        assert self.work(job)["status"] == "registering"
        # It was sent again.
        self.anvil.rpc("anvil_dropTransaction", signed["register"]["transaction_hash"])
        return signed

    def status(self, job: str) -> dict[str, Any]:
        token = self.slipway.token()
        body = self.slipway.api("api_deployments_status", token=token, path={"id": job}).body
        assert isinstance(body, dict)
        return body

    def detail(self, job: str) -> dict[str, Any]:
        token = self.slipway.token()
        body = self.slipway.api("api_deployments_detail", token=token, path={"id": job}).body
        assert isinstance(body, dict)
        return body

    def retry(self, job: str, account: LocalAccount = ALICE, key: str | None = None) -> Answer:
        token = self.slipway.token(account)
        headers = {"idempotency-key": key} if key else {}
        return self.slipway.api("api_deployments_retry", token=token, path={"id": job}, headers=headers)

    def cancel(self, job: str, account: LocalAccount = ALICE) -> Answer:
        return self.slipway.api("api_deployments_close", token=self.slipway.token(account), path={"id": job})

    def json_rpc(self) -> JsonRpc:
        return JsonRpc(chain_settings().token_chain, self.anvil.client)

    def token_of(self, model_id: str) -> str | None:
        return calls.registered_token(self.json_rpc(), self.contracts.model_registry, model_id)

    def chain_status(self, job: str) -> calls.TokenStatus:
        """Return what the token's manager knows of it."""
        manager, token = self.contracts.token_manager, self.status(job)["token_address"]
        return calls.token_status(self.json_rpc(), manager, token)

    def balance(self, job: str, holder: str) -> int:
        """Return what a holder has of a launch's token, in base units."""
        call = call_data("balanceOf(address)", (holder,))
        return int.from_bytes(self.json_rpc().eth_call(self.status(job)["token_address"], call))

    def distributes(self, job: str) -> None:
        """Let a stranger have the first supply distributed."""
        item = find_token(job)
        assert item
        call = calls.distribution(str(item.controller), str(item.token_address), terms_of(item)).call()
        self.anvil.rpc("anvil_impersonateAccount", STRANGER)
        self.anvil.rpc("anvil_setBalance", STRANGER, hex(ETHER))
        sent = {"from": STRANGER, "to": call.to, "data": "0x" + call.data.hex(), "gas": hex(10**6)}
        self.anvil.rpc("eth_sendTransaction", sent)
        self.anvil.mine(1)

    def created(self) -> list[str]:
        """Every contract that the deployer accounts created."""
        found = []
        for signer in self.signers:
            for nonce in range(self.json_rpc().transaction_count(signer.address, "latest")):
                address = contract_address(signer.address, nonce)
                found += [address] if self.json_rpc().code_at(address) else []
        return found

    def registers(self, model_id: str, token: str) -> None:
        """Let somebody else who may register a token for a model."""
        terms = calls.Terms(ALICE.address, 0, {})
        call = calls.registration(self.contracts.model_registry, model_id, token, terms).call()
        administrator = Account.from_key(ADMINISTRATOR).address
        role = call_data("grantRole(bytes32,address)", (keccak256(b"REGISTRAR_ROLE"), administrator))
        self.anvil.rpc("anvil_impersonateAccount", administrator)
        for data in (role, call.data):
            sent = {"from": administrator, "to": call.to, "data": "0x" + data.hex(), "gas": hex(10**6)}
            self.anvil.rpc("eth_sendTransaction", sent)
        self.anvil.mine(1)

    def uses(self, address: str, **more: Any) -> None:
        """Let another program that has the key use an account's next nonce."""
        self.anvil.rpc("anvil_impersonateAccount", address)
        self.anvil.rpc("eth_sendTransaction", {"from": address, "to": address, "value": "0x0", **more})
        self.anvil.rpc("anvil_stopImpersonatingAccount", address)


def launch_harness(
    monkeypatch: pytest.MonkeyPatch, slipway: Installation, anvil: Anvil, contracts: InstalledContracts
) -> LaunchHarness:
    """Return the launches of an installation, whose deployers have the pool's keys."""
    signers = [LocalSigner(key) for key in POOL]
    chain = chain_settings().token_chain
    rpc = JsonRpc(chain, anvil.client)
    signing = ChainSigning(chain, rpc, WriteAhead(signers, chain, rpc))
    monkeypatch.setattr(function_app("signer"), "_chain_signing", lambda _: signing)
    harness = LaunchHarness(slipway, anvil, contracts, signers)
    hub = function_app("tasks/token_deploy")
    monkeypatch.setattr(hub, "workflow", functools.partial(hub.workflow, harness.clock))
    return harness


@pytest.fixture
def harness(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, _chain: tuple[Anvil, InstalledContracts]
) -> Iterator[LaunchHarness]:
    """Yield launches on a chain; a test may give what of ``CHAIN`` is to be otherwise."""
    anvil, contracts = _chain
    anvil.rpc("evm_setAutomine", True)
    snapshot = anvil.rpc("evm_snapshot")
    with mock_aws():
        slipway = install(monkeypatch, FakeNode(), anvil.url, CHAIN | getattr(request, "param", {}))
        harness = launch_harness(monkeypatch, slipway, anvil, contracts)
        addresses = [signer.address for signer in harness.signers]
        save_contracts(31337, contracts.model_registry, contracts.token_manager, addresses)
        yield harness
    anvil.rpc("evm_revert", snapshot)
    # What waits in the pool is not part of a snapshot.
    anvil.rpc("anvil_dropAllTransactions")


@pytest.fixture
def flaky_node(harness: LaunchHarness, monkeypatch: pytest.MonkeyPatch) -> FlakyNode:
    """Return what lies between the hub and the chain."""
    found = FlakyNode(harness.anvil.url)
    monkeypatch.setattr(function_app("tasks/token_deploy"), "public_client", found.client)
    return found


# ── To the end ──────────────────────────────────────────────────────────────────────────────────


def test_a_launch_to_its_end(harness: LaunchHarness) -> None:
    job = harness.new("the-model")
    assert harness.status(job)["status"] == "pending"
    signed = harness.sign(job)
    status = harness.status(job)
    hashes = [signed[purpose]["transaction_hash"] for purpose in ("deploy", "register")]
    assert (status["status"], status["deployment_tx_hash"], status["registry_tx_hash"]) == ("deploying", *hashes)
    assert "token_address" not in status
    assert signed["register"]["nonce"] == signed["deploy"]["nonce"] + 1
    assert signed["register"]["signer"] == signed["deploy"]["signer"]
    assert harness.detail(job)["open"] == [{**entry, "refusal": None} for entry in signed.values()]
    harness.anvil.rpc("evm_setAutomine", False)
    harness.work(job)
    harness.anvil.mine(1)
    answer = harness.work(job)
    assert (answer["step"], answer["status"], answer["pause_seconds"]) == ("confirm", "deploying", 1)
    harness.anvil.mine(1)
    assert harness.work(job)["step"] == "done"
    status = harness.status(job)
    assert status["status"] == "completed"
    receipts = [harness.anvil.rpc("eth_getTransactionReceipt", one) for one in hashes]
    assert receipts[0]["blockNumber"] == receipts[1]["blockNumber"]
    used = [(int(receipt["gasUsed"], 16), int(receipt["effectiveGasPrice"], 16)) for receipt in receipts]
    assert status["gas_used"] == str(sum(gas for gas, _ in used))
    assert status["total_cost"] == str(sum(gas * price for gas, price in used))
    assert status["gas_price"] == str(used[1][1])
    assert status["block_number"] == int(receipts[1]["blockNumber"], 16)
    assert status["explorer_url"] == f"https://explorer.test/tx/{hashes[0]}"
    assert status["token_address"].lower() == receipts[0]["contractAddress"].lower()
    assert harness.token_of("the-model") == status["token_address"].lower()
    detail = harness.detail(job)
    assert [part["purpose"] for part in detail["transactions"]] == ["deploy", "register"]
    assert [part["cost"] for part in detail["transactions"]] == [str(gas * price) for gas, price in used]
    assert detail["open"] == []
    assert detail["model"]["owner"] == ALICE.address
    assert detail["controller"] == harness.contracts.token_manager
    assert [entry["event"] for entry in detail["events"]] == ["pending", "deploying", "signed", "signed", "completed"]
    item = find_token(job)
    assert item
    assert item.open_shard is None
    assert item.open_until is None
    assert [entry["outcome"] for entry in harness.slipway.audit()] == ["accepted", "completed"]


def test_a_block_that_takes_only_the_creation_is_no_fault(harness: LaunchHarness) -> None:
    job = harness.new()
    harness.deploy(job)
    status = harness.status(job)
    assert status["token_address"]
    assert [entry["purpose"] for entry in harness.detail(job)["open"]] == ["register"]
    assert harness.work(job)["step"] == "confirm", "what the node lost is sent again"
    harness.anvil.mine(2)
    assert harness.work(job)["step"] == "done"
    events = [entry["event"] for entry in harness.detail(job)["events"]]
    assert events == ["pending", "deploying", "signed", "signed", "registering", "completed"]
    assert harness.created() == [status["token_address"]]


@pytest.mark.parametrize("more", [{}, SUPPLY], ids=["no supply", "a supply"])
def test_a_launch_takes_four_invocations_and_nine_transitions(harness: LaunchHarness, more: dict[str, Any]) -> None:
    job = harness.new(**more)
    harness.anvil.rpc("evm_setAutomine", False)
    invoked = []

    def invoke(payload: dict[str, Any]) -> Any:
        invoked.append(payload.get("operation", "work"))
        return harness.slipway.invoke("SignerFunction" if "operation" in payload else "TokenDeployTasks", payload)

    # A block a second.
    machine = StateMachine("token_deploy", invoke, lambda seconds: harness.anvil.mine(int(seconds)))
    machine.run({"deployment_id": job})
    assert harness.status(job)["status"] == "completed"
    assert invoked == ["work", "sign", "work", "work"]
    assert len(machine.visited) == 9


@pytest.mark.parametrize("harness", [{"block_seconds": 12, "confirmations": 5}], indirect=True)
@pytest.mark.parametrize(
    ("since_block", "missed", "most"),
    [(0, (), 65), (1, (), 65), (6, (), 65), (11, (), 65), (0, (1,), 77), (11, (3,), 77), (11, (1, 5), 89)],
)
def test_with_twelve_seconds_a_block_and_five_confirmations_a_launch_takes_less_than_ninety(
    harness: LaunchHarness, since_block: int, missed: tuple[int, ...], most: int
) -> None:
    """Reckoned: the state machine runs on the real chain, but in a time that passes only while it waits.

    Each task takes a second of it, and every twelfth second a block comes, unless its slot is missed.
    """
    job = harness.new()
    harness.anvil.rpc("evm_setAutomine", False)
    seconds = 0.0

    def passes(more: float) -> None:
        nonlocal seconds
        slots = range(int((since_block + seconds) // 12) + 1, int((since_block + seconds + more) // 12) + 1)
        seconds += more
        harness.clock.advance(more)
        for slot in slots:
            if slot not in missed:
                harness.anvil.mine()

    def invoke(payload: dict[str, Any]) -> Any:
        answer = harness.slipway.invoke("SignerFunction" if "operation" in payload else "TokenDeployTasks", payload)
        passes(1)
        return answer

    StateMachine("token_deploy", invoke, passes).run({"deployment_id": job})
    assert harness.status(job)["status"] == "completed"
    print(f"reckoned: {seconds:g} s, begun {since_block} s after a block, {len(missed)} slots missed")
    # Five blocks have to come, the first of them within twelve seconds.
    assert 12 * 4 < seconds <= most


def test_the_token_on_chain_is_what_was_asked_for(harness: LaunchHarness) -> None:
    harness.slipway.model("named")
    job = harness.slipway.launch("named", token_name="Τόκεν 🚀", token_symbol="TKN-1").body["deployment_id"]
    harness.launch(job)
    token = harness.status(job)["token_address"]
    rpc = harness.json_rpc()

    def text(signature: str) -> str:
        answer = rpc.eth_call(token, call_data(signature, ()))
        length = int.from_bytes(answer[32:64], "big")
        return answer[64 : 64 + length].decode()

    assert (text("name()"), text("symbol()")) == ("Τόκεν 🚀", "TKN-1")
    assert calls.token_name(rpc, token) == "Τόκεν 🚀"
    controller = rpc.eth_call(token, call_data("controller()", ()))[-20:].hex()
    assert "0x" + controller == harness.contracts.token_manager.lower()


def test_every_task_twice_has_the_effect_of_once(harness: LaunchHarness) -> None:
    before = [harness.json_rpc().transaction_count(signer.address) for signer in harness.signers]
    job = harness.new("twice")
    harness.anvil.rpc("evm_setAutomine", False)
    harness.times = 2
    assert harness.work(job)["step"] == "sign"
    harness.signer("sign", job)
    harness.work(job)
    harness.anvil.mine(2)
    assert harness.work(job)["status"] == "completed"
    harness.times = 1
    detail = harness.detail(job)
    assert [entry["event"] for entry in detail["events"]] == ["pending", "deploying", "signed", "signed", "completed"]
    after = [harness.json_rpc().transaction_count(signer.address) for signer in harness.signers]
    assert sum(after) - sum(before) == 2
    assert sum(signer.signatures for signer in harness.signers) == 2
    assert [entry["outcome"] for entry in harness.slipway.audit()] == ["accepted", "completed"]


def test_launches_share_an_account_without_sharing_a_nonce(harness: LaunchHarness) -> None:
    jobs = [harness.new() for _ in range(5)]
    signed = [entry for job in jobs for entry in harness.sign(job).values()]
    taken = {(entry["signer"], entry["nonce"]) for entry in signed}
    assert len(taken) == 10
    for signer in harness.signers:
        nonces = sorted(nonce for address, nonce in taken if address == signer.address)
        assert nonces == list(range(nonces[0], nonces[0] + len(nonces))) if nonces else True
    # Whatever order they are sent in.
    for job in reversed(jobs):
        harness.work(job)
    harness.anvil.mine(2)
    for job in jobs:
        assert harness.work(job)["status"] == "completed"


# ── What stops it ───────────────────────────────────────────────────────────────────────────────


def _failed(harness: LaunchHarness, job: str) -> str:
    status = harness.status(job)
    assert status["status"] == "failed", status
    return str(status["error"]["code"])


def test_a_model_that_changed_since_the_request_is_not_launched(harness: LaunchHarness) -> None:
    job = harness.new("fickle")
    harness.slipway.model("fickle", state=ModelState.REJECTED)
    assert harness.work(job)["step"] == "done"
    assert _failed(harness, job) == "MODEL_NOT_VALIDATED"


def test_a_model_that_got_a_token_since_the_request_is_not_launched(harness: LaunchHarness) -> None:
    job = harness.new("contested")
    # As another installation with the same registry may do; the manager is a contract.
    harness.registers("contested", harness.contracts.token_manager)
    assert harness.work(job)["step"] == "done"
    assert _failed(harness, job) == "TOKEN_EXISTS"
    assert sum(signer.signatures for signer in harness.signers) == 0


def test_an_order_that_makes_no_sense_is_refused(harness: LaunchHarness) -> None:
    job = harness.new()
    for operation in ("sign", "bump", "cancel"):
        with pytest.raises(ConflictError):
            harness.signer(operation, job)  # not checked yet
    with pytest.raises(NotFoundError):
        harness.work(str(uuid.uuid4()))
    with pytest.raises(NotFoundError):
        harness.signer("sign", str(uuid.uuid4()))
    assert transaction_for(job, "deploy") is None
    assert transaction_for(job, "register") is None


def test_nothing_is_signed_over_the_cap(harness: LaunchHarness) -> None:
    job = harness.new()
    harness.work(job)
    save_fee_cap(31337, 1)
    with pytest.raises(InsufficientGasError):
        harness.signer("sign", job)
    assert transaction_for(job, "deploy") is None
    save_fee_cap(31337, None)
    assert harness.signer("sign", job)["signed"]


def test_nothing_is_signed_that_the_account_cannot_pay(harness: LaunchHarness) -> None:
    job = harness.new()
    harness.work(job)
    for signer in harness.signers:
        harness.anvil.rpc("anvil_setBalance", signer.address, "0x1")
    with pytest.raises(SignerUnfundedError):
        harness.signer("sign", job)
    assert transaction_for(job, "deploy") is None


def test_failed_before_signing_the_model_can_be_launched_again(harness: LaunchHarness) -> None:
    job = harness.new("second-chance")
    harness.work(job)
    harness.times = 2
    harness.fail(job, "InsufficientGasError", "The fee is over the cap")
    harness.times = 1
    status = harness.status(job)
    assert (status["status"], status["error"]) == (
        "failed",
        {"code": "INSUFFICIENT_GAS", "message": "The fee is over the cap"},
    )
    assert [entry["outcome"] for entry in harness.slipway.audit()] == ["accepted", "INSUFFICIENT_GAS"]
    again = harness.new("second-chance")
    harness.launch(again)
    # The same symbol, because the failed launch let it go.
    assert harness.status(again)["token_symbol"] == harness.status(job)["token_symbol"]


def test_failed_after_broadcast_the_lock_stays(harness: LaunchHarness) -> None:
    job = harness.new("spent")
    deployed = harness.deploy(job)
    harness.fail(job, "KeyError", "internal detail")
    status = harness.status(job)
    assert status["error"]["code"] == "DEPLOYMENT_FAILED"
    assert "internal detail" not in json.dumps(status)
    # The one at which it failed: its token is there.
    assert status["error"]["transaction_hash"] == deployed["register"]["transaction_hash"]
    assert harness.slipway.launch("spent").code == "TOKEN_EXISTS"


def test_failed_while_signed_but_not_mined_the_lock_stays(harness: LaunchHarness) -> None:
    job = harness.new("waiting")
    signed = harness.sign(job)
    harness.fail(job)
    assert harness.slipway.launch("waiting").code == "TOKEN_EXISTS"
    assert harness.detail(job)["open"] == [{**entry, "refusal": None} for entry in signed.values()]


def test_nothing_moves_a_launch_that_has_ended(harness: LaunchHarness) -> None:
    job = harness.new()
    harness.work(job)
    harness.fail(job)
    with pytest.raises(ConflictError):
        harness.signer("sign", job)
    assert harness.work(job)["step"] == "done"
    assert harness.work(job, error="KeyError", cause="{}")["step"] == "done"
    assert [entry["event"] for entry in harness.detail(job)["events"]] == ["pending", "deploying", "failed"]
    assert sum(signer.signatures for signer in harness.signers) == 0


def _revert_creation(harness: LaunchHarness, job: str) -> None:
    """Let a launch's creation run out of gas when it is mined: the block takes it, and it reverts."""
    item = transaction_for(job, "deploy")
    assert item
    signer = next(signer for signer in harness.signers if signer.address == item.signer)
    call = replace(call_from_json(item.call), gas_limit=300_000)
    unsigned = UnsignedTransaction(31337, int(item.nonce), item.fees, call)
    signed = signer.sign(unsigned)
    raw, hashes = TransactionItem.raw.set(signed.raw), TransactionItem.hashes.set([signed.transaction_hash])
    item.update([raw, hashes, TransactionItem.transaction_hash.set(signed.transaction_hash)])


def _end_reverted(harness: LaunchHarness, model: str) -> str:
    """Launch a model to its end, with a creation that reverts."""
    job = harness.new(model)
    harness.sign(job)
    _revert_creation(harness, job)
    harness.work(job)
    harness.anvil.mine(2)
    assert harness.work(job)["step"] == "done"
    return job


def test_if_the_creation_reverts_the_registration_does_too_and_the_model_is_free(harness: LaunchHarness) -> None:
    job = _end_reverted(harness, "unlucky")
    status = harness.status(job)
    deploy, register = (transaction_for(job, purpose) for purpose in ("deploy", "register"))
    assert deploy
    assert register
    assert (_failed(harness, job), status["error"]["transaction_hash"]) == (
        "DEPLOYMENT_FAILED",
        deploy.transaction_hash,
    )
    assert (deploy.status, register.status) == ("reverted", "reverted")
    for item in (deploy, register):
        assert harness.anvil.rpc("eth_getTransactionReceipt", item.transaction_hash)["status"] == "0x0"
    assert "token_address" not in status
    assert int(status["total_cost"]) > 0, "what it cost all the same"
    assert harness.detail(job)["open"] == []
    assert (harness.token_of("unlucky"), harness.created()) == (None, [])
    assert harness.retry(job).status == 409
    harness.launch(harness.new("unlucky"))


@pytest.mark.parametrize("when", ["waiting", "spent"])
def test_a_model_that_was_registered_with_another_token_meanwhile(harness: LaunchHarness, when: str) -> None:
    job = harness.new("stolen")
    harness.deploy(job)
    harness.registers("stolen", harness.contracts.token_manager)
    if when == "spent":
        harness.uses(transaction_for(job, "deploy").signer)  # type: ignore[union-attr]
        harness.anvil.mine(2)
    harness.work(job)
    harness.anvil.mine(2)
    harness.work(job)
    assert _failed(harness, job) == ("TOKEN_EXISTS" if when == "spent" else "DEPLOYMENT_FAILED")
    assert harness.token_of("stolen") == harness.contracts.token_manager.lower()


def test_a_registration_that_the_node_does_not_show_yet_is_no_failure(
    harness: LaunchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = harness.new()
    harness.send(job)
    harness.anvil.mine(2)
    with monkeypatch.context() as behind:
        behind.setattr(calls, "registered_token", lambda *_: None)
        with pytest.raises(UpstreamUnavailableError, match="does not show"):
            harness.work(job)
    assert harness.status(job)["status"] == "deploying"
    assert harness.work(job)["step"] == "done"
    assert harness.status(job)["status"] == "completed"


def test_a_token_that_somebody_else_registered_is_completed(harness: LaunchHarness) -> None:
    job = harness.new("helped")
    harness.deploy(job)
    item = find_token(job)
    assert item
    harness.registers("helped", str(item.token_address))
    harness.work(job)
    harness.anvil.mine(2)
    harness.times = 2
    assert harness.work(job)["step"] == "done"
    harness.times = 1
    assert harness.status(job)["status"] == "completed"
    assert transaction_for(job, "register").status == "reverted"  # type: ignore[union-attr]
    assert [entry["outcome"] for entry in harness.slipway.audit()] == ["accepted", "completed"]


def test_two_calls_of_the_signer_at_once_sign_once(harness: LaunchHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slower one asks the chain when the faster one's transactions are mined."""
    job = harness.new()
    harness.work(job)
    estimate = JsonRpc.estimate_gas
    signed: list[Any] = []

    def late(rpc: JsonRpc, sender: str, call: Any) -> int:
        if not signed:
            signed.append(None)
            signed.append(harness.signer("sign", job))
            harness.work(job)
            harness.anvil.mine(1)
        return estimate(rpc, sender, call)

    monkeypatch.setattr(JsonRpc, "estimate_gas", late)
    assert harness.signer("sign", job) == signed[1]


def _use_earlier_registry(harness: LaunchHarness, name: str) -> None:
    node_modules = ROOT / "node_modules"
    source = {f"{name}.sol": (EARLIER_REGISTRIES / f"{name}.sol").read_text(encoding="utf-8")}
    with Compiler(node_modules / "solc" / "soljson.js") as compiler:
        output = compiler.compile(build_input(source, node_modules_resolver(node_modules)))
    compiled = output["contracts"][f"{name}.sol"][name]
    administrator = Account.from_key(ADMINISTRATOR).address
    factory = Web3().eth.contract(abi=compiled["abi"], bytecode=compiled["evm"]["bytecode"]["object"])
    nonce = harness.json_rpc().transaction_count(administrator)
    data = factory.constructor(administrator).data_in_transaction
    harness.anvil.rpc("anvil_impersonateAccount", administrator)
    harness.anvil.rpc("eth_sendTransaction", {"from": administrator, "data": data, "gas": hex(3 * 10**6)})
    registry = contract_address(administrator, nonce)
    addresses = [signer.address for signer in harness.signers]
    for address in addresses:
        _administer(harness, registry, "grantRole(bytes32,address)", keccak256(b"REGISTRAR_ROLE"), address)
    save_contracts(31337, registry, harness.contracts.token_manager, addresses)
    harness.anvil.mine(1)


def test_at_a_registry_that_looks_at_no_code_the_registration_is_signed_once_the_token_is_there(
    harness: LaunchHarness,
) -> None:
    """An installation from before the registry refused tokens without code."""
    _use_earlier_registry(harness, "FirstModelRegistry")
    job = harness.new("old-house")
    assert list(harness.sign(job)) == ["deploy"]
    harness.work(job)
    harness.anvil.mine(2)
    answer = harness.work(job)
    assert (answer["step"], answer["status"]) == ("sign", "registering")
    assert [entry["purpose"] for entry in harness.signer("sign", job)["signed"]] == ["deploy", "register"]
    harness.work(job)
    harness.anvil.mine(2)
    assert harness.work(job)["status"] == "completed"
    events = [entry["event"] for entry in harness.detail(job)["events"]]
    assert events == ["pending", "deploying", "signed", "registering", "signed", "completed"]


@pytest.mark.parametrize("name", ["FirstModelRegistry", "SecondModelRegistry"])
def test_at_an_earlier_registry_launches_go_on_and_supplies_are_refused(harness: LaunchHarness, name: str) -> None:
    _use_earlier_registry(harness, name)
    harness.slipway.model("modern")
    answer = harness.slipway.launch("modern", **SUPPLY)
    assert (answer.status, answer.body["error"]["code"]) == (409, "CONFLICT")
    assert "upgrade" in answer.body["error"]["message"]
    estimate = harness.slipway.api(
        "api_deployments_estimate",
        token=harness.slipway.token(),
        body={"model_id": "modern", "user_address": ALICE.address, "max_supply": "1"},
    )
    assert [refusal["code"] for refusal in estimate.body["refusals"]] == ["CONFLICT"]
    job = harness.new("modern")
    signed = harness.send(job)
    assert len(signed) == (1 if name == "FirstModelRegistry" else 2)
    harness.anvil.mine(2)
    if harness.work(job)["step"] == "sign":
        harness.signer("sign", job)
        harness.work(job)
        harness.anvil.mine(2)
        harness.work(job)
    assert harness.status(job)["status"] == "completed"
    token = launched_token(harness.status(job)["token_address"])
    assert token
    assert token.steward is None


# ── A supply ────────────────────────────────────────────────────────────────────────────────────


def _assert_supplied(harness: LaunchHarness, job: str) -> None:
    assert harness.status(job)["status"] == "completed"
    assert {holder: harness.balance(job, holder) for holder in SHARES} == SHARES
    found = harness.chain_status(job)
    assert found == calls.TokenStatus(ALICE.address, 2_000_000 * 10**18, sum(SHARES.values()), True)


def test_a_launch_with_a_supply(harness: LaunchHarness) -> None:
    job = harness.new("supplied", **SUPPLY)
    harness.anvil.rpc("evm_setAutomine", False)
    signed = harness.send(job)
    assert list(signed) == ["deploy", "register", "distribute"]
    first = signed["deploy"]["nonce"]
    assert [entry["nonce"] for entry in signed.values()] == [first, first + 1, first + 2]
    harness.anvil.mine(2)
    assert harness.work(job)["step"] == "done"
    _assert_supplied(harness, job)
    status, detail = harness.status(job), harness.detail(job)
    hashes = [entry["transaction_hash"] for entry in signed.values()]
    receipts = [harness.anvil.rpc("eth_getTransactionReceipt", one) for one in hashes]
    assert len({receipt["blockNumber"] for receipt in receipts}) == 1
    assert (status["kind"], status["chain_id"], status["allocation_tx_hash"]) == ("token", 31337, hashes[2])
    assert (status["initial_supply"], status["max_supply"]) == ("1000000.5", "2000000")
    assert status["gas_used"] == str(sum(int(receipt["gasUsed"], 16) for receipt in receipts))
    assert (detail["steward"], len(detail["allocations"])) == (ALICE.address, 3)
    assert [part["purpose"] for part in detail["transactions"]] == list(signed)
    assert int(str(find_token(job).estimated_gas_cost)) > int(status["total_cost"])  # type: ignore[union-attr]
    token = launched_token(status["token_address"].lower())
    assert token
    assert (token.deployment_id, token.steward, token.max_supply) == (job, ALICE.address, "2000000")
    assert [entry["transaction_hash"] for entry in token.transactions] == hashes


def test_every_task_of_a_supply_twice_has_the_effect_of_once(harness: LaunchHarness) -> None:
    job = harness.new(**SUPPLY)
    harness.anvil.rpc("evm_setAutomine", False)
    harness.times = 2
    harness.work(job)
    harness.signer("sign", job)
    harness.work(job)
    harness.anvil.mine(2)
    harness.work(job)
    harness.times = 1
    _assert_supplied(harness, job)
    assert sum(signer.signatures for signer in harness.signers) == 3


@pytest.mark.parametrize(
    "more", [{}, {"max_supply": "5"}, {"initial_supply": "0"}, {"initial_supply": "0", "max_supply": "0"}]
)
def test_without_a_first_supply_there_is_nothing_to_distribute(harness: LaunchHarness, more: dict[str, str]) -> None:
    job = harness.new(**more)
    harness.launch(job)
    assert "allocation_tx_hash" not in harness.status(job)
    most = int(more.get("max_supply", "0")) * 10**18
    assert harness.chain_status(job) == calls.TokenStatus(ALICE.address, most, 0, False)


def test_a_supply_without_allocations_is_the_callers_and_all_there_will_be(harness: LaunchHarness) -> None:
    job = harness.new(initial_supply="7")
    harness.launch(job)
    assert harness.balance(job, ALICE.address) == 7 * 10**18
    assert harness.chain_status(job).max_supply == 7 * 10**18


def test_two_hundred_allocations_take_one_block(harness: LaunchHarness) -> None:
    allocations = [{"address": f"0x{number:040x}", "amount": "1.5"} for number in range(1, 201)]
    job = harness.new(initial_supply="301", allocations=allocations)
    harness.anvil.rpc("evm_setAutomine", False)
    signed = harness.send(job)
    harness.anvil.mine(2)
    assert harness.work(job)["status"] == "completed"
    receipts = [harness.anvil.rpc("eth_getTransactionReceipt", one["transaction_hash"]) for one in signed.values()]
    assert len({receipt["blockNumber"] for receipt in receipts}) == 1
    assert harness.balance(job, f"0x{200:040x}") == 15 * 10**17
    assert harness.balance(job, ALICE.address) == 10**18


def test_what_does_not_fit_into_a_block_is_refused_by_name(harness: LaunchHarness) -> None:
    allocations = [{"address": f"0x{number:040x}", "amount": "1"} for number in range(1, 201)]
    harness.slipway.model("large")
    for limit in (4_000_000, 6_500_000):
        harness.anvil.rpc("evm_setBlockGasLimit", hex(limit))
        harness.anvil.mine(1)
        try:
            answer = harness.slipway.launch("large", initial_supply="200", allocations=allocations)
        finally:
            harness.anvil.rpc("evm_setBlockGasLimit", hex(30_000_000))
            harness.anvil.mine(1)
        assert (answer.status, answer.body["error"]["code"]) == (422, "GAS_LIMIT_EXCEEDED"), answer.body
    assert harness.slipway.launch("large", initial_supply="200", allocations=allocations).status == 202


def test_a_supply_that_somebody_else_had_distributed_is_complete(harness: LaunchHarness) -> None:
    job = harness.new(**SUPPLY)
    harness.anvil.rpc("evm_setAutomine", False)
    signed = harness.send(job)
    harness.anvil.rpc("anvil_dropTransaction", signed["distribute"]["transaction_hash"])
    harness.anvil.mine(1)
    harness.distributes(job)
    harness.work(job)
    harness.anvil.mine(2)
    harness.work(job)
    harness.anvil.mine(2)
    harness.work(job)
    _assert_supplied(harness, job)
    assert "block_number" in harness.detail(job)["transactions"][1]
    assert "block_number" not in harness.detail(job)["transactions"][2], "ours had no effect"


def test_a_distribution_whose_nonce_was_used_elsewhere_is_signed_anew(harness: LaunchHarness) -> None:
    job = harness.new(**SUPPLY)
    harness.anvil.rpc("evm_setAutomine", False)
    signed = harness.send(job)
    harness.anvil.rpc("anvil_dropTransaction", signed["distribute"]["transaction_hash"])
    harness.uses(signed["distribute"]["signer"])
    harness.anvil.mine(2)
    harness.clock.restart(7)
    while (answer := harness.work(job))["step"] != "sign":
        harness.anvil.mine(1)
    assert answer["status"] == "registering"
    again = {entry["purpose"]: entry for entry in harness.signer("sign", job)["signed"]}
    assert again["distribute"]["transaction_hash"] != signed["distribute"]["transaction_hash"]
    assert again["register"]["transaction_hash"] == signed["register"]["transaction_hash"]
    harness.work(job)
    harness.anvil.mine(2)
    harness.work(job)
    _assert_supplied(harness, job)


def test_a_registration_and_a_distribution_that_were_lost_are_signed_anew_one_after_the_other(
    harness: LaunchHarness,
) -> None:
    job = harness.new(**SUPPLY)
    harness.anvil.rpc("evm_setAutomine", False)
    signed = harness.send(job)
    for purpose in ("register", "distribute"):
        harness.anvil.rpc("anvil_dropTransaction", signed[purpose]["transaction_hash"])
    for _ in range(2):
        harness.uses(signed["deploy"]["signer"])
    harness.anvil.mine(2)
    harness.clock.restart(7)
    for _ in range(12):
        answer = harness.work(job)
        if answer["step"] == "sign":
            harness.signer("sign", job)
        harness.anvil.mine(1)
        if answer["status"] == "completed":
            break
    _assert_supplied(harness, job)


def test_a_supply_that_reverted_is_distributed_when_the_launch_is_taken_up_again(harness: LaunchHarness) -> None:
    job = harness.new(**SUPPLY)
    harness.work(job)
    harness.anvil.rpc("evm_setAutomine", False)
    with pytest.MonkeyPatch.context() as patch:
        # As if the chain had changed its prices after the estimate.
        patch.setattr("slipway.chain.signing.gas_limits", lambda _, found: (*found[:2], 60_000))
        harness.signer("sign", job)
    harness.work(job, asked=True)
    harness.anvil.mine(2)
    assert harness.work(job)["step"] == "done"
    assert _failed(harness, job) == "DEPLOYMENT_FAILED"
    status = harness.status(job)
    assert status["error"]["transaction_hash"] == status["allocation_tx_hash"]
    assert harness.retry(job).status == 202
    for _ in range(6):
        if harness.work(job)["step"] == "sign":
            harness.signer("sign", job)
        harness.anvil.mine(1)
    _assert_supplied(harness, job)


def test_if_the_creation_reverts_nothing_else_has_an_effect(harness: LaunchHarness) -> None:
    job = harness.new("doomed", **SUPPLY)
    harness.work(job)
    harness.anvil.rpc("evm_setAutomine", False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("slipway.chain.signing.gas_limits", lambda planned, found: (400_000, *found[1:]))
        signed = {entry["purpose"]: entry for entry in harness.signer("sign", job)["signed"]}
    harness.work(job, asked=True)
    harness.anvil.mine(2)
    harness.work(job)
    assert _failed(harness, job) == "DEPLOYMENT_FAILED"
    receipts = [harness.anvil.rpc("eth_getTransactionReceipt", one["transaction_hash"]) for one in signed.values()]
    assert [receipt["status"] for receipt in receipts] == ["0x0"] * 3
    assert (harness.token_of("doomed"), harness.detail(job)["open"]) == (None, [])
    again = harness.new("doomed", **SUPPLY)
    harness.launch(again)
    _assert_supplied(harness, again)


# ── Minting ─────────────────────────────────────────────────────────────────────────────────────


def _mint(harness: LaunchHarness, token: str, account: LocalAccount = ALICE, **body: Any) -> Answer:
    given = {"to": STRANGER, "amount": "10.5", **body}
    path = {"address": token}
    return harness.slipway.api("api_tokens_mint", token=harness.slipway.token(account), path=path, body=given)


def _sends(harness: LaunchHarness, wallet: str, to: str, data: str, gas: int = 10**6) -> bool:
    """Let a wallet send a transaction; return whether it had its effect."""
    harness.anvil.rpc("anvil_setBalance", wallet, hex(ETHER))
    harness.anvil.rpc("anvil_impersonateAccount", wallet)
    sent = harness.anvil.rpc("eth_sendTransaction", {"from": wallet, "to": to, "data": data, "gas": hex(gas)})
    harness.anvil.mine(1)
    return bool(harness.anvil.rpc("eth_getTransactionReceipt", sent)["status"] == "0x1")


def _launched(harness: LaunchHarness) -> tuple[str, str]:
    job = harness.new(**SUPPLY)
    harness.launch(job)
    return job, str(harness.status(job)["token_address"])


def test_the_steward_mints_with_the_wallet_and_nobody_else_does(harness: LaunchHarness) -> None:
    job, token = _launched(harness)
    answer = _mint(harness, token.lower())
    assert answer.status == 200, answer.body
    (transaction,) = answer.body["transactions"]
    manager = harness.contracts.token_manager
    assert (transaction["to"], transaction["value"], transaction["chainId"]) == (manager, "0x0", 31337)
    for thief in (
        *[signer.address for signer in harness.signers],
        Account.from_key(ADMINISTRATOR).address,
        BOB.address,
    ):
        assert not _sends(harness, thief, manager, transaction["data"])
    assert harness.balance(job, STRANGER) == 0
    assert _sends(harness, ALICE.address, manager, transaction["data"], transaction["gas"])
    assert harness.balance(job, STRANGER) == 10_500_000_000_000_000_000
    assert harness.slipway.audit()[-1]["outcome"] == "accepted"


def test_a_stranger_is_refused_before_the_chain_is_asked(
    harness: LaunchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = _launched(harness)
    monkeypatch.setattr(JsonRpc, "ask_nodes", lambda *_, **__: pytest.fail("the chain was asked"))
    for answer in (_mint(harness, token, BOB), _mint(harness, token, BOB, amount="999999999")):
        assert (answer.status, answer.body["error"]["code"]) == (403, "FORBIDDEN")
    answer = _mint(harness, STRANGER)
    assert (answer.status, answer.body["error"]["code"]) == (404, "NOT_FOUND")


def test_mints_are_refused_by_name(harness: LaunchHarness) -> None:
    _, token = _launched(harness)
    answer = _mint(harness, token, amount="999999.500000000000000001")
    assert (answer.status, answer.body["error"]["code"]) == (422, "MAX_SUPPLY_EXCEEDED")
    assert answer.body["error"]["details"] == {"left": "999999.5", "max_supply": "2000000"}
    assert _mint(harness, token, amount="999999.5").status == 200
    answer = _mint(harness, token, chain_id=1)
    assert (answer.status, answer.body["error"]["code"]) == (409, "WRONG_CHAIN")
    assert answer.body["error"]["details"] == {"chain_id": 31337}
    assert _mint(harness, token, chain_id=31337).status == 200
    wrong: tuple[tuple[str, Any], ...] = (
        ("to", "0x" + "0" * 40),
        ("to", "alice"),
        ("amount", "0"),
        ("amount", "-1"),
        ("amount", 1),
        ("amount", "0." + "1" * 19),
        ("chain_id", "31337"),
        ("more", 1),
    )
    for name, value in wrong:
        answer = _mint(harness, token, **{name: value})
        assert (answer.status, answer.body["error"]["code"]) == (400, "VALIDATION_ERROR")
        assert [entry["field"] for entry in answer.body["error"]["details"]["fields"]] == [name]
    assert _mint(harness, "0x12").status == 400


def test_a_token_of_an_earlier_version_has_no_steward(harness: LaunchHarness) -> None:
    _use_earlier_registry(harness, "SecondModelRegistry")
    job = harness.new()
    harness.launch(job)
    answer = _mint(harness, harness.status(job)["token_address"])
    assert (answer.status, answer.body["error"]["code"]) == (403, "FORBIDDEN")


def test_who_took_the_stewardship_over_mints_once_the_token_was_read(harness: LaunchHarness) -> None:
    _, token = _launched(harness)
    manager = harness.contracts.token_manager
    offer = call_data("offerStewardship(address,address)", (token, BOB.address))
    accept = call_data("acceptStewardship(address)", (token,))
    assert _sends(harness, ALICE.address, manager, "0x" + offer.hex())
    assert _mint(harness, token, BOB).status == 403
    assert _sends(harness, BOB.address, manager, "0x" + accept.hex())
    view = harness.slipway.api("api_tokens_token", path={"address": token})
    assert view.body["steward"] == BOB.address
    assert _mint(harness, token, BOB).status == 200
    assert _mint(harness, token, ALICE).status == 403
    renounce = call_data("renounceStewardship(address)", (token,))
    assert _sends(harness, BOB.address, manager, "0x" + renounce.hex())
    # What the chain says is kept: the next refusal takes no look at it.
    assert _mint(harness, token, BOB).status == 403
    found = launched_token(token)
    assert found
    assert found.steward is None


# ── Whatever nodes say ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("does", [True, False])
@pytest.mark.parametrize("message", ["huh?", "internal error", "Unable to complete request at this time."])
def test_a_launch_whose_sends_are_answered_with_nonsense_is_looked_at(
    harness: LaunchHarness, flaky_node: FlakyNode, message: str, does: bool
) -> None:
    job = harness.new()
    harness.sign(job)
    refusal = {"code": -32603, "message": message}
    flaky_node.says = lambda method, _: refusal if method == "eth_sendRawTransaction" else None
    flaky_node.does = does
    answer = harness.work(job, asked=True)
    assert answer["step"] == "confirm"
    assert 1 <= answer["pause_seconds"] <= 4
    if not does:
        flaky_node.says = lambda *_: None
        assert harness.work(job)["step"] == "confirm"
    harness.anvil.mine(2)
    assert harness.work(job)["step"] == "done"
    assert len(harness.created()) == 1


def test_a_launch_waits_for_nodes_as_long_as_it_has_time(harness: LaunchHarness, flaky_node: FlakyNode) -> None:
    job = harness.new()
    harness.sign(job)
    flaky_node.says = lambda method, _: {"code": -32000, "message": "insufficient funds"} if "send" in method else None
    cause = json.dumps({"errorMessage": "No node answered", "errorType": "UpstreamUnavailableError"})
    for _ in range(3):
        answer = harness.work(job, error="UpstreamUnavailableError", cause=cause)
        assert (answer["step"], answer["status"]) == ("confirm", "deploying")
    harness.clock.advance(901)
    assert harness.work(job)["step"] == "cancel", "its time is over"
    assert harness.work(job, error="UpstreamUnavailableError", cause=cause)["status"] == "failed"
    assert harness.created() == []


def test_a_creation_that_pays_too_little_is_signed_again_while_its_registration_has_no_place(
    harness: LaunchHarness, flaky_node: FlakyNode
) -> None:
    job = harness.new()
    signed = harness.sign(job)
    first = transaction_for(job, "deploy")
    assert first

    def says(method: str, params: list[Any]) -> Any:
        if method != "eth_sendRawTransaction":
            return None
        underpriced = {"code": -32000, "message": "transaction underpriced: minimum needed 25000000000"}
        return underpriced if params[0] == first.raw else {"code": -32000, "message": "nonce too high"}

    flaky_node.says = says
    assert harness.work(job, asked=True)["step"] == "confirm"
    assert harness.work(job)["step"] == "bump"
    harness.signer("bump", job)
    flaky_node.says = lambda *_: None
    assert harness.work(job, asked=True)["step"] == "confirm"
    harness.anvil.mine(2)
    assert harness.work(job)["step"] == "done"
    assert harness.status(job)["deployment_tx_hash"] != signed["deploy"]["transaction_hash"]


def test_what_a_node_wants_over_the_cap_is_no_verdict(harness: LaunchHarness, flaky_node: FlakyNode) -> None:
    job = harness.new()
    signed = harness.sign(job)
    refusal = {"code": -32000, "message": "transaction underpriced: minimum needed 710000000000"}
    flaky_node.says = lambda method, _: refusal if method == "eth_sendRawTransaction" else None
    harness.work(job, asked=True)
    assert harness.work(job)["step"] == "bump"
    harness.signer("bump", job)
    assert harness.work(job, asked=True)["step"] == "confirm"
    flaky_node.says = lambda *_: None
    assert harness.work(job)["step"] == "bump"
    harness.signer("bump", job)
    assert harness.work(job, asked=True)["step"] == "confirm"
    harness.anvil.mine(2)
    assert harness.work(job)["step"] == "done"
    assert harness.status(job)["deployment_tx_hash"] == signed["deploy"]["transaction_hash"]


def test_a_node_that_wants_what_no_cap_allows_holds_no_launch_for_longer_than_its_time_and_no_later_one(
    harness: LaunchHarness, flaky_node: FlakyNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As many as it takes until another account has its turn.
    monkeypatch.setenv("LAUNCH_LIMITS", '{"standard": {"hour": 100, "day": 100}}')
    tier_limit.cache_clear()
    absurd = "transaction gas price below minimum: gas tip cap 1000000000, minimum needed 90000000000000"
    flaky_node.says = lambda method, _: (
        {"code": -32000, "message": absurd} if method == "eth_sendRawTransaction" else None
    )
    held = harness.new()
    harness.anvil.rpc("evm_setAutomine", False)
    account = harness.sign(held)["deploy"]["signer"]
    harness.work(held, asked=True)
    # While it waits, its owner sees why.
    assert [entry["refusal"] for entry in harness.detail(held)["open"]] == [absurd, absurd]
    # In time it is called off; the self-transfers are refused as well, and then it fails with the reason.
    harness.clock.restart(901)
    assert harness.work(held)["step"] == "cancel"
    harness.signer("cancel", held)
    assert harness.work(held, asked=True)["step"] == "confirm"
    harness.clock.restart(1502)
    assert harness.work(held)["status"] == "failed"
    assert absurd in harness.status(held)["error"]["message"]
    # The next launch is not signed with such a tip, and a node that takes it gets it.
    flaky_node.says = lambda *_: None
    harness.clock.restart()
    job = harness.new()
    while harness.sign(job)["deploy"]["signer"] == account:
        job = harness.new()
    harness.work(job, asked=True)
    harness.anvil.mine(2)
    assert harness.work(job)["status"] == "completed"


def test_why_no_node_takes_a_transaction_is_seen_until_one_does(harness: LaunchHarness, flaky_node: FlakyNode) -> None:
    job = harness.new()
    harness.anvil.rpc("evm_setAutomine", False)
    harness.sign(job)
    refusal = {"code": -32000, "message": "txpool is full at https://node.test/v3/canary-key"}
    flaky_node.says = lambda method, _: refusal if method == "eth_sendRawTransaction" else None
    harness.work(job, asked=True)
    shown = str(harness.detail(job)["open"][0]["refusal"])
    assert "txpool is full" in shown
    assert "canary" not in shown
    flaky_node.says = lambda *_: None
    harness.work(job)
    assert [entry["refusal"] for entry in harness.detail(job)["open"]] == [None, None]


@pytest.mark.parametrize("answer", ["0x", "0x00", None, [], "0x" + "ff" * 32])
def test_an_answer_that_makes_no_sense_is_no_token(harness: LaunchHarness, flaky_node: FlakyNode, answer: Any) -> None:
    job = harness.new()
    flaky_node.says = lambda method, _: (
        httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, "result": answer}) if method == "eth_call" else None
    )
    with pytest.raises(UpstreamUnavailableError):
        harness.work(job)
    flaky_node.says = lambda *_: None
    harness.launch(job)


# ── Stuck, missing, too late ────────────────────────────────────────────────────────────────────


def test_stuck_transactions_are_replaced_at_their_nonces_and_any_signature_counts(harness: LaunchHarness) -> None:
    job = harness.new()
    harness.anvil.rpc("evm_setAutomine", False)
    first = harness.send(job)
    assert harness.work(job)["step"] == "confirm"
    harness.clock.restart(7)
    assert harness.work(job)["step"] == "bump"
    harness.signer("bump", job)
    for purpose, name in (("deploy", "deployment_tx_hash"), ("register", "registry_tx_hash")):
        bumped = transaction_for(job, purpose)
        assert bumped
        assert int(bumped.nonce) == first[purpose]["nonce"]
        assert bumped.transaction_hash != first[purpose]["transaction_hash"]
        assert harness.status(job)[name] == bumped.transaction_hash
    harness.clock.restart()
    assert harness.work(job, asked=True)["step"] == "confirm"
    harness.anvil.mine(2)
    assert harness.work(job)["step"] == "done"
    assert harness.status(job)["deployment_tx_hash"] == transaction_for(job, "deploy").transaction_hash  # type: ignore[union-attr]
    assert harness.anvil.rpc("eth_getTransactionReceipt", first["deploy"]["transaction_hash"]) is None


def test_a_bump_over_the_cap_is_left_out_and_waited_for(harness: LaunchHarness) -> None:
    job = harness.new()
    harness.anvil.rpc("evm_setAutomine", False)
    harness.send(job)
    before = transaction_for(job, "deploy")
    assert before
    save_fee_cap(31337, int(before.max_fee_per_gas))
    harness.clock.restart(7)
    assert harness.work(job)["step"] == "bump"
    harness.signer("bump", job)
    after = transaction_for(job, "deploy")
    assert after
    assert after.raw == before.raw
    answer = harness.work(job, asked=True)
    assert (answer["step"], answer["pause_seconds"] > 0) == ("confirm", True), "the signer is not asked without a pause"


def test_transactions_that_nodes_lost_are_sent_again(harness: LaunchHarness) -> None:
    job = harness.new()
    harness.anvil.rpc("evm_setAutomine", False)
    signed = harness.send(job)
    for entry in signed.values():
        harness.anvil.rpc("anvil_dropTransaction", entry["transaction_hash"])
    assert harness.work(job)["step"] == "confirm"
    harness.anvil.mine(2)
    assert harness.work(job)["step"] == "done"


def test_a_reorganisation_sends_a_launch_back_to_waiting(harness: LaunchHarness) -> None:
    job = harness.new()
    harness.sign(job)
    snapshot = harness.anvil.rpc("evm_snapshot")
    harness.work(job)
    harness.anvil.mine(1)
    harness.anvil.rpc("evm_revert", snapshot)
    assert harness.work(job)["step"] == "confirm"
    assert harness.status(job)["status"] == "deploying"
    harness.anvil.mine(2)
    assert harness.work(job)["step"] == "done"


def _late(harness: LaunchHarness, model_id: str) -> str:
    """Return a launch past its deadline that no block took."""
    job = harness.new(model_id)
    harness.anvil.rpc("evm_setAutomine", False)
    harness.send(job)
    harness.clock.restart(901)
    assert harness.work(job)["step"] == "cancel"
    harness.signer("cancel", job)
    return job


def test_past_its_deadline_a_launch_is_called_off_and_the_model_let_go(harness: LaunchHarness) -> None:
    job = _late(harness, "late")
    assert harness.work(job, asked=True)["step"] == "confirm"
    harness.anvil.mine(2)
    assert harness.work(job)["step"] == "done"
    assert "called off" in harness.status(job)["error"]["message"]
    assert [transaction_for(job, purpose).status for purpose in ("deploy", "register")] == ["cancelled", "cancelled"]  # type: ignore[union-attr]
    assert harness.created() == []
    assert harness.retry(job).status == 409
    harness.anvil.rpc("evm_setAutomine", True)
    assert harness.slipway.launch("late").status == 202


def test_called_off_too_late_a_launch_goes_on(harness: LaunchHarness) -> None:
    """The chain takes the creation all the same, and only the registration's nonce is used up."""
    job = _late(harness, "nearly")
    item = transaction_for(job, "register")
    assert item
    harness.anvil.rpc("anvil_dropTransaction", item.hashes[0])
    harness.anvil.mine(1)
    harness.anvil.rpc("eth_sendRawTransaction", item.raw)
    harness.anvil.mine(2)
    answer = harness.work(job, asked=False)
    assert (answer["step"], answer["status"]) == ("confirm", "deploying"), "what calls the creation off is sent first"
    answer = harness.work(job)
    assert (answer["step"], answer["status"]) == ("sign", "registering")
    harness.signer("sign", job)
    harness.anvil.rpc("evm_setAutomine", True)
    harness.work(job)
    harness.anvil.mine(2)
    assert harness.work(job)["status"] == "completed"
    assert len(harness.created()) == 1


def test_a_chain_that_takes_neither_fails_the_launch_and_leaves_the_nonces_to_be_closed(harness: LaunchHarness) -> None:
    job = _late(harness, "neither")
    harness.work(job, asked=True)
    harness.clock.restart(1600)
    assert harness.work(job)["step"] == "done"
    assert _failed(harness, job) == "DEPLOYMENT_FAILED"
    assert len(harness.detail(job)["open"]) == 2
    assert harness.slipway.launch("neither").code == "TOKEN_EXISTS"
    assert harness.retry(job).status == 409, "it was called off, so the chain decides"


# ── A nonce that somebody else used ─────────────────────────────────────────────────────────────


def _until_done(harness: LaunchHarness, job: str) -> dict[str, Any]:
    """Go on as the state machine does, a block a pause."""
    answer: dict[str, Any] = {}
    for _ in range(30):
        answer = harness.work(job, asked=answer.get("asked", False), polls=answer.get("polls", 0))
        if answer["step"] == "done":
            return harness.status(job)
        if answer["step"] in ("sign", "bump", "cancel"):
            harness.signer(answer["step"], job)
            answer = {"asked": True, "polls": answer["polls"]}
        else:
            harness.anvil.mine(1)
    raise AssertionError(answer)


@pytest.mark.parametrize("used", ["first", "second", "both", "more"])
@pytest.mark.parametrize("sent", [True, False])
def test_a_nonce_that_was_used_elsewhere_is_signed_anew_in_the_same_launch(
    harness: LaunchHarness, used: str, sent: bool
) -> None:
    job = harness.new("unique")
    signed = harness.sign(job)
    address = signed["deploy"]["signer"]
    harness.anvil.rpc("evm_setAutomine", False)
    if used == "second":
        item = transaction_for(job, "deploy")
        assert item
        harness.anvil.rpc("eth_sendRawTransaction", item.raw)
    for _ in range({"first": 1, "second": 1, "both": 2, "more": 4}[used]):
        harness.uses(address)
    harness.anvil.mine(1)
    if sent:
        harness.work(job)
    status = _until_done(harness, job)
    assert status["status"] == "completed"
    assert harness.created() == [status["token_address"]]
    assert harness.token_of("unique") == status["token_address"].lower()
    for purpose, name in (("deploy", "deployment_tx_hash"), ("register", "registry_tx_hash")):
        item = transaction_for(job, purpose)
        assert item
        assert (item.status, item.transaction_hash) == ("confirmed", status[name])
    ends = [item["status"] for item in harness.slipway.items("control") if item["sk"].startswith("TRANSACTION#")]
    assert ends.count("confirmed") == 2
    assert "void" in ends
    assert set(ends) <= {"confirmed", "void", "reverted"}
    count = harness.json_rpc().transaction_count(address, "latest")
    assert stored_nonce(31337, address) == count, "no nonce is left open"


def test_a_contract_of_somebody_else_at_the_tokens_address_is_not_the_token(harness: LaunchHarness) -> None:
    """The same key created another contract with the launch's nonce."""
    job = harness.new("squatted")
    signed = harness.sign(job)
    address = signed["deploy"]["signer"]
    other = calls.creation("Other", "OTHER", harness.contracts.token_manager).call()
    harness.anvil.rpc("evm_setAutomine", False)
    harness.anvil.rpc("anvil_impersonateAccount", address)
    harness.anvil.rpc("eth_sendTransaction", {"from": address, "data": "0x" + other.data.hex(), "gas": hex(2 * 10**6)})
    harness.uses(address)
    harness.anvil.rpc("anvil_stopImpersonatingAccount", address)
    harness.anvil.mine(1)
    status = _until_done(harness, job)
    assert status["status"] == "completed"
    assert status["token_address"] != contract_address(address, signed["deploy"]["nonce"])
    assert calls.token_name(harness.json_rpc(), status["token_address"]) == status["token_name"]


# ── Taken up again ──────────────────────────────────────────────────────────────────────────────


def test_a_launch_that_failed_half_done_is_finished_by_its_owner(harness: LaunchHarness) -> None:
    job = harness.new("half")
    harness.deploy(job)
    harness.fail(job, "KeyError")
    before = len(harness.slipway.executions())
    answer = harness.retry(job)
    assert (answer.status, answer.body["status"]) == (202, "registering")
    assert "error" not in answer.body
    assert len(harness.slipway.executions()) == before + 1
    assert harness.retry(job).code == "CONFLICT"
    assert _until_done(harness, job)["status"] == "completed"
    assert len(harness.created()) == 1
    outcomes = [entry["outcome"] for entry in harness.slipway.audit()]
    assert outcomes == ["accepted", "DEPLOYMENT_FAILED", "accepted", "CONFLICT", "completed"]
    assert [entry["event"] for entry in harness.detail(job)["events"]][-3:] == ["failed", "registering", "completed"]


def test_a_launch_that_failed_before_its_token_was_there_is_finished_too(harness: LaunchHarness) -> None:
    job = harness.new()
    harness.anvil.rpc("evm_setAutomine", False)
    harness.send(job)
    harness.fail(job, "KeyError")
    assert harness.retry(job).body["status"] == "deploying"
    harness.anvil.mine(1)
    assert _until_done(harness, job)["status"] == "completed"
    assert len(harness.created()) == 1


def test_a_retry_is_idempotent_by_its_key_and_counts_like_a_launch(harness: LaunchHarness) -> None:
    job = harness.new()
    harness.deploy(job)
    harness.fail(job)
    first = harness.retry(job, key="once")
    again = harness.retry(job, key="once")
    assert (first.status, again.status) == (202, 202)
    assert int(find_token(job).executions) == 2  # type: ignore[union-attr]
    for _ in range(3):
        harness.fail(job)
        assert harness.retry(job).status == 202
    harness.fail(job)
    refused = harness.retry(job)
    assert (refused.code, "retry-after" in refused.headers) == ("RATE_LIMIT_EXCEEDED", True)


@pytest.mark.parametrize("state", ["pending", "running", "completed", "unsigned"])
def test_there_is_nothing_to_resume(harness: LaunchHarness, state: str) -> None:
    job = harness.new()
    if state == "running":
        harness.send(job)
    if state == "completed":
        harness.launch(job)
    if state == "unsigned":
        harness.work(job)
        harness.fail(job)
    answer = harness.retry(job)
    assert (answer.status, answer.code) == (409, "CONFLICT")


def test_another_owners_launch_can_neither_be_resumed_nor_cancelled(harness: LaunchHarness) -> None:
    job = harness.new()
    assert harness.retry(job, BOB).code == "NOT_FOUND"
    assert harness.cancel(job, BOB).code == "NOT_FOUND"
    assert harness.status(job)["status"] == "pending"


def test_an_operator_finishes_a_launch_whose_registration_was_refused(harness: LaunchHarness) -> None:
    job = harness.new("refused")
    signed = harness.sign(job)
    registry, role = harness.contracts.model_registry, keccak256(b"REGISTRAR_ROLE")
    _administer(harness, registry, "revokeRole(bytes32,address)", role, signed["deploy"]["signer"])
    harness.work(job)
    harness.anvil.mine(2)
    assert harness.work(job)["step"] == "done"
    assert _failed(harness, job) == "DEPLOYMENT_FAILED"
    assert harness.slipway.launch("refused").code == "TOKEN_EXISTS", "its token is there, so it is taken up again"
    _administer(harness, registry, "grantRole(bytes32,address)", role, signed["deploy"]["signer"])
    resumed = harness.slipway.invoke("TokenRegisterTasks", {"state": "Resume", "job_id": job})
    assert resumed == {"execution": f"{job}-2"}
    # Once more: its answer was not heard.
    assert harness.slipway.invoke("TokenRegisterTasks", {"state": "Resume", "job_id": job}) == resumed
    assert _until_done(harness, job)["status"] == "completed"
    assert len(harness.created()) == 1
    with pytest.raises(ConflictError):
        harness.slipway.invoke("TokenRegisterTasks", {"state": "Resume", "job_id": job})


# ── What it costs, and for whom ─────────────────────────────────────────────────────────────────


def _gas(harness: LaunchHarness, query: str = "") -> dict[str, Any]:
    """Return what administrators see of the gas of users' jobs."""
    answer = harness.slipway.api("api_admin_gas", token=harness.slipway.token(ADMIN), query=query)
    assert answer.status == 200, answer.body
    return dict(answer.body)


@pytest.mark.parametrize("times", [1, 2])
def test_administrators_see_what_a_wallets_launches_cost(harness: LaunchHarness, times: int) -> None:
    assert (_gas(harness)["wallets"], _gas(harness)["transactions"]) == ([], [])
    harness.times = times
    jobs = [harness.new(), harness.new(**SUPPLY)]
    for job in jobs:
        harness.sign(job)
        harness.work(job, asked=True)
        harness.anvil.mine(2)
        assert harness.work(job)["status"] == "completed"
    found = _gas(harness, f"user={ALICE.address}")
    (wallet,) = found["wallets"]
    (cost,) = wallet["costs"]
    assert (wallet["wallet"], cost["chain_id"], cost["currency"]) == (ALICE.address, 31337, "ETH")
    shown = [harness.detail(job) for job in jobs]
    assert cost["cost"] == str(sum(int(one["total_cost"]) for one in shown))
    assert cost["gas_used"] == str(sum(int(one["gas_used"]) for one in shown))
    assert cost["transactions"] == 2 + 3
    rows = {row["transaction_hash"]: row for row in found["transactions"]}
    for detail in shown:
        for part in detail["transactions"]:
            row = rows.pop(part["transaction_hash"])
            assert (row["job_id"], row["kind"]) == (detail["deployment_id"], "token")
            assert (row["purpose"], row["cost"], row["gas_used"]) == (part["purpose"], part["cost"], part["gas_used"])
            assert row["explorer_url"] == part["explorer_url"]
    assert rows == {}
    assert [day["costs"] for day in found["days"]] == [[]] * (len(found["days"]) - 1) + [[cost]]
    assert _gas(harness, f"user={BOB.address}")["wallets"] == []


def test_what_failed_or_was_called_off_cost_something_too(harness: LaunchHarness) -> None:
    _end_reverted(harness, "unlucky")
    assert {row["purpose"] for row in _gas(harness)["transactions"]} == {"deploy", "register"}
    late = _late(harness, "late")
    harness.work(late, asked=True)
    harness.anvil.mine(2)
    assert harness.work(late)["step"] == "done"
    called_off = [row for row in _gas(harness)["transactions"] if row["job_id"] == late]
    assert [(row["purpose"], row["gas_used"]) for row in called_off] == [("cancel", "21000")] * 2


def test_what_reconcile_closes_is_counted_for_whose_launch_it_was(harness: LaunchHarness) -> None:
    job = _late(harness, "neither")
    harness.work(job, asked=True)
    harness.clock.restart(1600)
    harness.work(job)
    assert _failed(harness, job) == "DEPLOYMENT_FAILED"
    assert _gas(harness)["transactions"] == []
    harness.anvil.mine(2)
    chain = chain_settings().token_chain
    rpc = harness.json_rpc()
    for _ in range(2):
        for signer in harness.signers:
            SignerReconcile(chain, rpc, lambda _: TokenTransactions(rpc)).inspect(signer.address)
    rows = _gas(harness)["transactions"]
    assert [(row["purpose"], row["wallet"], row["job_id"]) for row in rows] == [("cancel", ALICE.address, job)] * 2


def _administer(harness: LaunchHarness, to: str, function: str, *arguments: Any) -> None:
    administrator = Account.from_key(ADMINISTRATOR).address
    data = "0x" + call_data(function, arguments).hex()
    harness.anvil.rpc("anvil_impersonateAccount", administrator)
    harness.anvil.rpc("eth_sendTransaction", {"from": administrator, "to": to, "data": data, "gas": hex(10**6)})
    harness.anvil.rpc("anvil_stopImpersonatingAccount", administrator)


def test_a_launch_that_is_not_signed_is_cancelled_and_its_model_free_at_once(harness: LaunchHarness) -> None:
    for begun in (False, True):
        job = harness.new("changed-my-mind")
        if begun:
            harness.work(job)
        answer = harness.cancel(job)
        assert (answer.status, answer.body["status"], answer.body["error"]["code"]) == (200, "failed", "CANCELLED")
        assert harness.cancel(job).status == 200, "the same again"
        with pytest.raises(ConflictError):
            harness.signer("sign", job)
        assert harness.work(job)["step"] == "done"
        assert harness.retry(job).status == 409
    assert harness.slipway.launch("changed-my-mind").status == 202
    assert [entry["outcome"] for entry in harness.slipway.audit()].count("accepted") == 5


def test_a_launch_that_is_signed_is_not_cancelled(harness: LaunchHarness) -> None:
    job = harness.new()
    harness.sign(job)
    assert harness.cancel(job).code == "CONFLICT"
    harness.work(job)
    harness.anvil.mine(2)
    assert harness.work(job)["status"] == "completed"
    assert harness.cancel(job).code == "CONFLICT"


# ── Reconcile ───────────────────────────────────────────────────────────────────────────────────


@dataclass
class Executions:
    """Step Functions as reconcile sees it."""

    states: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, given: str) -> None:
        self.states.setdefault(name, "RUNNING")

    def status(self, name: str) -> str | None:
        return self.states.get(name)


@pytest.fixture
def executions() -> Executions:
    return Executions()


@pytest.fixture
def reconcile(harness: LaunchHarness, executions: Executions) -> TokenReconcile:
    chain = chain_settings().token_chain
    return TokenReconcile(chain, harness.json_rpc(), executions.start, executions.status, harness.clock)


@pytest.fixture
def accounts(harness: LaunchHarness) -> SignerReconcile:
    rpc = harness.json_rpc()
    return SignerReconcile(chain_settings().token_chain, rpc, lambda _: TokenTransactions(rpc))


def _close(harness: LaunchHarness, accounts: SignerReconcile, address: str, nonces: list[int]) -> None:
    assert accounts.inspect(address) == nonces
    for nonce in nonces:
        held = {"chain_id": 31337, "address": address, "nonce": nonce}
        harness.slipway.invoke("SignerFunction", {"operation": "close", **held})
        harness.slipway.invoke("ReconcileTasks", {"state": "BroadcastNonce", **held})


def test_a_launch_that_was_never_started_is_found_and_started(
    harness: LaunchHarness, reconcile: TokenReconcile, executions: Executions
) -> None:
    job = harness.new()
    assert reconcile.find() == []
    harness.clock.restart(300 * 86400)
    assert reconcile.find() == [job]
    assert deployer_accounts(chain_settings()) == [(31337, signer.address) for signer in harness.signers]
    assert reconcile.reconcile_job(job) == "started"
    assert executions.states == {job: "RUNNING"}
    assert reconcile.reconcile_job(job) == "running"


def test_a_launch_whose_execution_died_gets_another_and_is_given_up_at_last(
    harness: LaunchHarness, reconcile: TokenReconcile, executions: Executions
) -> None:
    job = harness.new()
    executions.states[job] = "ABORTED"
    assert reconcile.reconcile_job(job) == "started"
    assert executions.states == {job: "ABORTED", f"{job}-2": "RUNNING"}
    for _ in range(30):
        executions.states = dict.fromkeys(executions.states, "FAILED")
        done = reconcile.reconcile_job(job)
        if done == "given up":
            break
    assert done == "given up"
    assert len(executions.states) == 20
    assert harness.status(job)["status"] == "failed"
    assert reconcile.reconcile_job(job) == "ended"


def test_a_launch_that_failed_half_done_is_taken_up_again_by_itself(
    harness: LaunchHarness, reconcile: TokenReconcile, executions: Executions
) -> None:
    job = harness.new("mended")
    harness.deploy(job)
    harness.fail(job, "KeyError")
    assert reconcile.find() == []
    harness.clock.restart(31)
    assert reconcile.find() == [job]
    assert reconcile.reconcile_job(job) == "resumed"
    assert executions.states == {f"{job}-2": "RUNNING"}
    assert reconcile.reconcile_job(job) == "running"
    assert _until_done(harness, job)["status"] == "completed"
    assert reconcile.reconcile_job(job) == "ended"
    assert len(harness.created()) == 1


def test_a_launch_that_can_not_be_finished_is_given_up_and_its_model_let_go(
    harness: LaunchHarness, reconcile: TokenReconcile, executions: Executions
) -> None:
    job = harness.new("hopeless")
    signed = harness.sign(job)
    role = keccak256(b"REGISTRAR_ROLE")
    for signer in harness.signers:
        _administer(harness, harness.contracts.model_registry, "revokeRole(bytes32,address)", role, signer.address)
    harness.work(job)
    harness.anvil.mine(2)
    assert harness.work(job)["status"] == "failed"
    pauses = []
    while (item := find_token(job)) and item.open_shard:
        pauses.append(round((from_text(str(item.open_until)) - times.now(harness.clock)).total_seconds()))
        harness.clock.advance(pauses[-1] + 1)
        assert reconcile.reconcile_job(job) == "resumed"
        assert harness.work(job)["step"] == "sign"
        with pytest.raises(DeploymentFailedError, match="refuse"):
            harness.signer("sign", job)
        harness.fail(job, message="The chain would refuse the transaction")
    assert len(pauses) == 19
    assert pauses[:3] == [30, 60, 120]
    assert max(pauses) == 3600
    assert sum(signer.signatures for signer in harness.signers) == 2
    assert transaction_for(job, "register").transaction_hash == signed["register"]["transaction_hash"]  # type: ignore[union-attr]
    assert reconcile.reconcile_job(job) == "ended"
    for signer in harness.signers:
        _administer(harness, harness.contracts.model_registry, "grantRole(bytes32,address)", role, signer.address)
    assert harness.slipway.launch("hopeless").status == 202


def test_nonces_whose_launch_failed_before_it_was_sent_are_closed_and_the_model_let_go(
    harness: LaunchHarness, accounts: SignerReconcile
) -> None:
    job = harness.new("abandoned")
    signed = harness.sign(job)
    harness.fail(job)
    address, nonce = signed["deploy"]["signer"], signed["deploy"]["nonce"]
    harness.anvil.rpc("evm_setAutomine", False)
    _close(harness, accounts, address, [nonce, nonce + 1])
    harness.anvil.mine(1)
    assert accounts.inspect(address) == []
    assert harness.slipway.launch("abandoned").code == "TOKEN_EXISTS", "one block may still be replaced"
    harness.anvil.mine(1)
    assert accounts.inspect(address) == []
    assert harness.detail(job)["open"] == []
    assert harness.slipway.launch("abandoned").status == 202
    assert harness.token_of("abandoned") is None


def test_a_launch_that_was_mined_instead_of_closed_is_taken_up_again(
    harness: LaunchHarness, accounts: SignerReconcile, reconcile: TokenReconcile
) -> None:
    job = harness.new("survivor")
    signed = harness.sign(job)
    harness.fail(job)
    address, nonce = signed["deploy"]["signer"], signed["deploy"]["nonce"]
    harness.anvil.rpc("evm_setAutomine", False)
    item = transaction_for(job, "deploy")
    assert item
    # It had left the process that then died.
    harness.anvil.rpc("eth_sendRawTransaction", item.raw)
    harness.anvil.mine(1)
    _close(harness, accounts, address, [nonce + 1])
    harness.anvil.mine(2)
    assert accounts.inspect(address) == []
    harness.clock.restart(1)
    assert reconcile.find() == [job]
    assert reconcile.reconcile_job(job) == "resumed"
    status = _until_done(harness, job)
    assert (status["status"], harness.created()) == ("completed", [status["token_address"]])


def test_nonces_of_a_failed_launch_that_were_used_elsewhere_let_its_model_go(
    harness: LaunchHarness, accounts: SignerReconcile
) -> None:
    job = harness.new("elsewhere")
    address = harness.sign(job)["deploy"]["signer"]
    harness.fail(job)
    for _ in range(2):
        harness.uses(address)
    harness.anvil.mine(2)
    assert accounts.inspect(address) == []
    assert harness.detail(job)["open"] == []
    assert harness.slipway.launch("elsewhere").status == 202


def test_a_superseded_nonce_is_closed_while_its_launch_goes_on(
    harness: LaunchHarness, accounts: SignerReconcile
) -> None:
    job = harness.new()
    signed = harness.sign(job)["register"]
    other = harness.sign(harness.new())["register"]
    intent = TransactionIntent(*TransactionIntent.key(job, "register"))
    intent.refresh(consistent_read=True)
    # As if the registration had been signed anew.
    intent.update([TransactionIntent.signer.set(other["signer"]), TransactionIntent.nonce.set(other["nonce"])])
    _close(harness, accounts, signed["signer"], [signed["nonce"]])
    harness.anvil.mine(1)
    count = harness.json_rpc().transaction_count(signed["signer"], "latest")
    assert count == stored_nonce(31337, signed["signer"])
    closed = transaction_at(31337, signed["signer"], signed["nonce"])
    assert closed
    assert harness.json_rpc().receipt(closed.cancel_hashes[0])
    assert harness.status(job)["status"] == "deploying"


def test_a_nonce_that_nothing_holds_is_closed(harness: LaunchHarness, accounts: SignerReconcile) -> None:
    job = harness.new()
    signed = harness.sign(job)
    address, nonce = signed["register"]["signer"], signed["register"]["nonce"]
    harness.work(job)
    harness.anvil.mine(1)
    harness.anvil.rpc("anvil_setNonce", address, hex(nonce))
    item = transaction_for(job, "register")
    assert item
    item.delete()
    assert accounts.inspect(address) == [nonce]
    harness.slipway.invoke(
        "SignerFunction", {"operation": "close", "chain_id": 31337, "address": address, "nonce": nonce}
    )
    harness.slipway.invoke(
        "ReconcileTasks", {"state": "BroadcastNonce", "chain_id": 31337, "address": address, "nonce": nonce}
    )
    # The node mines at once, but answers before it has.
    eventually(
        lambda: harness.json_rpc().transaction_count(address, "latest"), lambda count: count == nonce + 1, every=0.02
    )


def test_a_transaction_that_nodes_lost_is_sent_again_while_its_launch_runs(
    harness: LaunchHarness, accounts: SignerReconcile
) -> None:
    job = harness.new()
    signed = harness.sign(job)
    assert accounts.inspect(signed["deploy"]["signer"]) == []
    for entry in signed.values():
        assert harness.json_rpc().knows(entry["transaction_hash"])


def test_an_account_that_was_used_elsewhere_catches_up(harness: LaunchHarness, accounts: SignerReconcile) -> None:
    signed = harness.sign(harness.new())["deploy"]
    address = signed["signer"]
    harness.anvil.rpc("anvil_setNonce", address, hex(signed["nonce"] + 10))
    assert accounts.inspect(address) == []
    assert stored_nonce(31337, address) == signed["nonce"] + 10


def test_a_transaction_that_settled_is_not_looked_at_again(
    harness: LaunchHarness, accounts: SignerReconcile, monkeypatch: pytest.MonkeyPatch
) -> None:
    completed, failed = harness.new(), harness.new("fails")
    harness.launch(completed)
    signed = harness.sign(failed)
    looked_at: list[tuple[str, int]] = []

    def transaction(chain_id: int, address: str, nonce: int) -> Any:
        looked_at.append((address, nonce))
        return transaction_at(chain_id, address, nonce)

    monkeypatch.setattr("slipway.chain.reconcile.transaction_at", transaction)
    harness.work(failed)
    harness.anvil.mine(2)
    for signer in harness.signers:
        assert accounts.inspect(signer.address) == []
    # What its launch has not settled itself is looked at until it has, or has ended.
    looked_at.clear()
    for signer in harness.signers:
        assert accounts.inspect(signer.address) == []
    assert looked_at == [(entry["signer"], entry["nonce"]) for entry in signed.values()]
    harness.fail(failed)
    for _ in range(2):
        looked_at.clear()
        assert accounts.inspect(signed["deploy"]["signer"]) == []
    assert looked_at == []
    item = transaction_for(failed, "deploy")
    assert item
    assert item.status == "confirmed"


def test_balances_are_measured_every_few_minutes_and_nonces_each_time(
    harness: LaunchHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, rpc = ManualClock(), harness.json_rpc()
    accounts = SignerReconcile(chain_settings().token_chain, rpc, lambda _: TokenTransactions(rpc), clock)
    signed = harness.sign(harness.new())
    measured = []
    for minute in range(20):
        # Now and then a run comes some seconds early or late.
        clock.seconds = 60 * minute + 5 * (-1) ** minute
        capsys.readouterr()
        accounts.inspect(signed["deploy"]["signer"])
        if "SignerBalance" in capsys.readouterr().out:
            measured.append(clock.seconds)
    assert len(measured) == 5
    assert all(after - before <= 300 for before, after in itertools.pairwise(measured))


def _overdue(job: str) -> None:
    token = find_token(job)
    assert token
    token.update(actions=[Deployment.open_until.set("2020-01-01T00:00:00.000Z")])


def test_runs_of_reconcile_that_overlap_start_a_launch_once(harness: LaunchHarness) -> None:
    job, invoke = harness.new(), harness.slipway.invoke
    boto3.client("stepfunctions").stop_execution(executionArn=harness.slipway.executions()[0]["executionArn"])
    _overdue(job)
    (slow,) = invoke("ReconcileTasks", event("reconcile_find_launches"))["steps"]
    whole = invoke("ReconcileTasks", event("reconcile_find"))
    assert [step["done"] for step in whole["done"] if step["state"] == "ReconcileJob"] == ["started"]
    assert invoke("ReconcileTasks", slow) == {"done": "running"}
    assert {entry["name"] for entry in harness.slipway.executions()} == {job, f"{job}-2"}


def test_what_fails_is_left_to_the_state_machine_and_stops_nothing_else(
    harness: LaunchHarness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = harness.new()
    _overdue(job)

    def refuse(*_: Any) -> Any:
        raise KeyError("a surprise")

    monkeypatch.setattr(TokenReconcile, "reconcile_job", refuse)
    monkeypatch.setattr("slipway.stacks.reconcile.StackReconcile.find", refuse)
    found = harness.slipway.invoke("ReconcileTasks", event("reconcile_find"))
    assert found["rest"] == [{"state": "ReconcileJob", "deployment_id": job}]
    assert found["failed"] == ["FindStacks"]
    assert [step["state"] for step in found["done"]] == ["InspectSigner"] * len(harness.signers)
    told = capsys.readouterr().out
    assert '"state":"FindStacks","StepsFailed"' in told
    assert '"state":"ReconcileJob","StepsFailed"' in told
    # After a process that died, each is left alone.
    again = harness.slipway.invoke("ReconcileTasks", {**event("reconcile_find"), "tries": 1})
    assert [step["state"] for step in again["rest"]] == ["ReconcileJob"] + ["InspectSigner"] * len(harness.signers)
    assert again["done"] == []


def test_an_account_that_was_never_used_is_left_alone(accounts: SignerReconcile) -> None:
    assert accounts.inspect(ALICE.address) == []


def test_the_reconcile_function_may_do_all_of_it(harness: LaunchHarness) -> None:
    harness.new()
    found = harness.slipway.invoke("ReconcileTasks", event("reconcile_find"))
    assert (found["rest"], found["failed"]) == ([], [])
    accounts = [{"state": "InspectSigner", "chain_id": 31337, "address": signer.address} for signer in harness.signers]
    assert found["done"] == [{**account, "nonces": [], "again": False} for account in accounts]
    job = harness.new()
    done = harness.slipway.invoke("ReconcileTasks", {"state": "ReconcileJob", "deployment_id": job})
    assert done["done"] in ("running", "started")
