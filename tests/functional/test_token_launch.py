"""A launch through the real functions under their policies, on a real chain."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from eth_account import Account
from moto import mock_aws

from local.anvil import AnvilError, free_port, start_anvil, stop_anvil
from slipway import times
from slipway.chain.broadcast import Progress
from slipway.chain.install import InstalledContracts
from slipway.chain.install import install as install_contracts
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.reconcile import SignerReconcile, deployer_accounts
from slipway.chain.signing import ChainSigning
from slipway.chain.store import save_contracts, save_fee_cap, stored_nonce, transaction_at, transaction_for
from slipway.chain.write_ahead import WriteAhead
from slipway.errors import (
    ConflictError,
    DeploymentFailedError,
    InsufficientGasError,
    ModelNotValidatedError,
    NotFoundError,
    SignerUnfundedError,
    TokenExistsError,
    UpstreamUnavailableError,
)
from slipway.jobs.deployments import Deployment
from slipway.settings import chain_settings
from slipway.tokens import calls, workflow
from slipway.tokens.models import ModelState
from slipway.tokens.reconcile import TokenReconcile, TokenTransactions
from slipway.tokens.store import find_deployment
from tests.support.clock import ManualClock
from tests.support.functions import event, function_app
from tests.support.installation import Installation, install
from tests.support.keys import LocalSigner
from tests.support.nodes import FakeNode
from tests.support.wallets import ALICE

CHAIN = {
    "chain_id": 31337,
    "name": "anvil",
    "explorer_url": "https://explorer.test",
    "confirmations": 2,
    "block_seconds": 1,
    "max_fee_per_gas": "200000000000",
}
ADMINISTRATOR = "0x" + "ad" * 32
POOL = ["0x" + "d1" * 32, "0x" + "d2" * 32]
ETHER = 10**18


@dataclass
class Anvil:
    """The chain, with what tests do to it."""

    url: str
    contracts: InstalledContracts
    client: httpx.Client = field(default_factory=httpx.Client)

    def rpc(self, method: str, *params: Any) -> Any:
        answer = self.client.post(self.url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        found = answer.json()
        assert "error" not in found, found
        return found["result"]

    def mine(self, blocks: int = 1) -> None:
        self.rpc("anvil_mine", hex(blocks))


def _start(log: Path) -> tuple[Any, str]:
    for attempt in range(3):
        port = free_port()
        try:
            return start_anvil(port, 31337, log=log), f"http://127.0.0.1:{port}"
        except AnvilError as error:
            # Another program may have taken the port in between.
            if attempt == 2 or "npm ci" in str(error):
                pytest.fail(f"These tests need a chain: {error}")
    raise AssertionError


@pytest.fixture(scope="module")
def _chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    process, url = _start(tmp_path_factory.mktemp("anvil") / "anvil.log")
    try:
        client = httpx.Client()
        for account in [ADMINISTRATOR, *POOL]:
            address = Account.from_key(account).address
            params = [address, hex(1000 * ETHER)]
            client.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "anvil_setBalance", "params": params})
        registrars = [Account.from_key(key).address for key in POOL]
        yield Anvil(url, install_contracts(url, ADMINISTRATOR, registrars), client)
    finally:
        stop_anvil(process)


@dataclass
class Launchpad:
    """One launch after another, state by state, as the state machines do it."""

    slipway: Installation
    anvil: Anvil
    signers: list[LocalSigner]
    times: int = 1

    def _each(self, function: str, payload: dict[str, Any]) -> Any:
        answers = [self.slipway.invoke(function, payload) for _ in range(self.times)]
        return answers[-1]

    def deploy_task(self, state: str, job: str, **more: Any) -> Any:
        return self._each("TokenDeployTasks", {"state": state, "job_id": job, **more})

    def register_task(self, state: str, job: str, **more: Any) -> Any:
        return self._each("TokenRegisterTasks", {"state": state, "job_id": job, **more})

    def signer(self, operation: str, job: str, purpose: str = "deploy") -> Any:
        return self._each("SignerFunction", {"operation": operation, "job_id": job, "purpose": purpose})

    def fail(self, job: str, error: str = "DeploymentFailedError", message: str = "It failed") -> None:
        cause = json.dumps({"errorMessage": message, "errorType": error})
        self.deploy_task("RecordFailure", job, error=error, cause=cause)

    def new(self, model_id: str | None = None) -> str:
        """A launch that was accepted."""
        model_id = model_id or f"model-{uuid.uuid4().hex[:8]}"
        self.slipway.model(model_id)
        answer = self.slipway.launch(model_id)
        assert answer.status == 202, answer.body
        return str(answer.body["deployment_id"])

    def sign(self, job: str) -> Any:
        """Up to the signed deployment."""
        self.deploy_task("Check", job)
        return self.signer("sign", job)

    def deploy(self, job: str) -> None:
        """Up to the confirmed deployment."""
        self.sign(job)
        self.deploy_task("BroadcastDeployment", job)
        self.anvil.mine(2)
        assert self.deploy_task("ConfirmDeployment", job, polls=0)["progress"] == "confirmed"

    def register(self, job: str) -> None:
        """token_register."""
        assert not self.register_task("CheckRegistration", job)["registered"]
        self.signer("sign", job, "register")
        self.register_task("BroadcastRegistration", job)
        self.anvil.mine(2)
        assert self.register_task("ConfirmRegistration", job, polls=0)["progress"] == "confirmed"

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

    def json_rpc(self) -> JsonRpc:
        return JsonRpc(chain_settings().token_chain, self.anvil.client)

    def token_of(self, model_id: str) -> str | None:
        return calls.registered_token(self.json_rpc(), self.anvil.contracts.model_registry, model_id)


@pytest.fixture
def pad(monkeypatch: pytest.MonkeyPatch, _chain: Anvil) -> Iterator[Launchpad]:
    _chain.rpc("evm_setAutomine", True)
    snapshot = _chain.rpc("evm_snapshot")
    with mock_aws():
        slipway = install(monkeypatch, FakeNode(), _chain.url, CHAIN)
        signers = [LocalSigner(key) for key in POOL]
        addresses = [signer.address for signer in signers]
        save_contracts(31337, _chain.contracts.model_registry, _chain.contracts.token_manager, addresses)
        chain = chain_settings().token_chain
        rpc = JsonRpc(chain, _chain.client)
        signing = ChainSigning(chain, rpc, WriteAhead(signers, chain, rpc))
        monkeypatch.setattr(function_app("signer"), "_chain_signing", lambda _: signing)
        yield Launchpad(slipway, _chain, signers)
    _chain.rpc("evm_revert", snapshot)


# ── To the end ──────────────────────────────────────────────────────────────────────────────────


def test_a_launch_to_its_end(pad: Launchpad) -> None:
    job = pad.new("the-model")
    assert pad.status(job)["status"] == "pending"
    signed = pad.sign(job)
    status = pad.status(job)
    assert (status["status"], status["deployment_tx_hash"]) == ("deploying", signed["transaction_hash"])
    assert "token_address" not in status
    pad.deploy_task("BroadcastDeployment", job)
    assert pad.deploy_task("ConfirmDeployment", job, polls=0)["progress"] == "pending"
    pad.anvil.mine(1)
    assert pad.deploy_task("ConfirmDeployment", job, polls=1)["progress"] == "confirmed"
    status = pad.status(job)
    assert status["status"] == "registering"
    assert status["token_address"]
    pad.register(job)
    status = pad.status(job)
    assert status["status"] == "completed"
    receipts = [
        pad.anvil.rpc("eth_getTransactionReceipt", status[name]) for name in ("deployment_tx_hash", "registry_tx_hash")
    ]
    used = [(int(receipt["gasUsed"], 16), int(receipt["effectiveGasPrice"], 16)) for receipt in receipts]
    assert status["gas_used"] == str(sum(gas for gas, _ in used))
    assert status["total_cost"] == str(sum(gas * price for gas, price in used))
    assert status["gas_price"] == str(used[1][1])
    assert status["block_number"] == int(receipts[1]["blockNumber"], 16)
    assert status["explorer_url"] == f"https://explorer.test/tx/{status['deployment_tx_hash']}"
    assert status["token_address"].lower() == receipts[0]["contractAddress"].lower()
    assert pad.token_of("the-model") == status["token_address"].lower()
    detail = pad.detail(job)
    assert [part["purpose"] for part in detail["transactions"]] == ["deploy", "register"]
    assert [part["cost"] for part in detail["transactions"]] == [str(gas * price) for gas, price in used]
    assert detail["model"]["owner"] == ALICE.address
    assert detail["controller"] == pad.anvil.contracts.token_manager
    assert [entry["event"] for entry in detail["events"]] == [
        "pending",
        "deploying",
        "signed",
        "registering",
        "signed",
        "completed",
    ]
    item = find_deployment(job)
    assert item
    assert (item.open_shard, item.open_until) == (None, None)
    assert [entry["outcome"] for entry in pad.slipway.audit()] == ["accepted", "completed"]


def test_the_token_on_chain_is_what_was_asked_for(pad: Launchpad) -> None:
    pad.slipway.model("named")
    job = pad.slipway.launch("named", token_name="Τόκεν 🚀", token_symbol="TKN-1").body["deployment_id"]
    pad.deploy(job)
    token = pad.status(job)["token_address"]
    rpc = pad.json_rpc()

    def text(signature: str) -> str:
        answer = rpc.eth_call(token, calls.call_data(signature, ()))
        length = int.from_bytes(answer[32:64], "big")
        return answer[64 : 64 + length].decode()

    assert (text("name()"), text("symbol()")) == ("Τόκεν 🚀", "TKN-1")
    controller = rpc.eth_call(token, calls.call_data("controller()", ()))[-20:].hex()
    assert "0x" + controller == pad.anvil.contracts.token_manager.lower()


def test_every_state_twice_has_the_effect_of_once(pad: Launchpad) -> None:
    before = [pad.json_rpc().transaction_count(signer.address) for signer in pad.signers]
    pad.times = 2
    job = pad.new("twice")
    pad.deploy(job)
    pad.register(job)
    pad.times = 1
    detail = pad.detail(job)
    assert detail["status"] == "completed"
    assert [entry["event"] for entry in detail["events"]] == [
        "pending",
        "deploying",
        "signed",
        "registering",
        "signed",
        "completed",
    ]
    after = [pad.json_rpc().transaction_count(signer.address) for signer in pad.signers]
    assert sum(after) - sum(before) == 2
    assert sum(signer.signatures for signer in pad.signers) == 2
    assert [entry["outcome"] for entry in pad.slipway.audit()] == ["accepted", "completed"]


def test_token_register_alone_completes_a_launch(pad: Launchpad) -> None:
    job = pad.new()
    pad.deploy(job)
    pad.register(job)
    assert pad.status(job)["status"] == "completed"


def test_two_launches_share_an_account_without_sharing_a_nonce(pad: Launchpad) -> None:
    jobs = [pad.new() for _ in range(5)]
    signed = [pad.sign(job) for job in jobs]
    taken = {(entry["signer"], entry["nonce"]) for entry in signed}
    assert len(taken) == 5
    for signer in pad.signers:
        nonces = sorted(nonce for address, nonce in taken if address == signer.address)
        assert nonces == list(range(nonces[0], nonces[0] + len(nonces))) if nonces else True
    # Whatever order they are sent in.
    for job in reversed(jobs):
        pad.deploy_task("BroadcastDeployment", job)
    pad.anvil.mine(2)
    for job in jobs:
        assert pad.deploy_task("ConfirmDeployment", job, polls=0)["progress"] == "confirmed"


# ── What stops it ───────────────────────────────────────────────────────────────────────────────


def test_a_model_that_changed_since_the_request_is_not_launched(pad: Launchpad) -> None:
    job = pad.new("fickle")
    pad.slipway.model("fickle", state=ModelState.REJECTED)
    with pytest.raises(ModelNotValidatedError):
        pad.deploy_task("Check", job)


def test_a_model_that_got_a_token_since_the_request_is_not_launched(pad: Launchpad) -> None:
    first = pad.new("contested")
    pad.deploy(first)
    pad.register(first)
    # As another installation would see it.
    table = {item["pk"]: item for item in pad.slipway.items("jobs") if item["sk"] == "LOCK"}
    assert "MODEL#contested" in table
    second = pad.new("innocent")
    find_deployment(second).update(actions=[type(find_deployment(second)).model_id.set("contested")])  # type: ignore[union-attr]
    with pytest.raises(TokenExistsError):
        pad.deploy_task("Check", second)


def test_an_order_that_makes_no_sense_is_refused(pad: Launchpad) -> None:
    job = pad.new()
    with pytest.raises(ConflictError):
        pad.signer("sign", job)  # not checked yet
    with pytest.raises(ConflictError):
        pad.deploy_task("BroadcastDeployment", job)  # not signed yet
    with pytest.raises(ConflictError):
        pad.register_task("CheckRegistration", job)  # not deployed yet
    with pytest.raises(ConflictError):
        pad.signer("bump", job)
    with pytest.raises(NotFoundError):
        pad.deploy_task("Check", str(uuid.uuid4()))
    with pytest.raises(NotFoundError):
        pad.signer("sign", str(uuid.uuid4()))
    pad.deploy_task("Check", job)
    with pytest.raises(ConflictError):
        pad.signer("sign", job, "register")
    assert transaction_for(job, "deploy") is None
    assert transaction_for(job, "register") is None


def test_nothing_is_signed_over_the_cap(pad: Launchpad) -> None:
    job = pad.new()
    pad.deploy_task("Check", job)
    save_fee_cap(31337, 1)
    with pytest.raises(InsufficientGasError):
        pad.signer("sign", job)
    assert transaction_for(job, "deploy") is None
    save_fee_cap(31337, None)
    assert pad.signer("sign", job)["transaction_hash"]


def test_nothing_is_signed_that_the_account_cannot_pay(pad: Launchpad) -> None:
    job = pad.new()
    pad.deploy_task("Check", job)
    for signer in pad.signers:
        pad.anvil.rpc("anvil_setBalance", signer.address, "0x1")
    with pytest.raises(SignerUnfundedError):
        pad.signer("sign", job)
    assert transaction_for(job, "deploy") is None


def test_failed_before_signing_the_model_can_be_launched_again(pad: Launchpad) -> None:
    job = pad.new("second-chance")
    pad.deploy_task("Check", job)
    pad.times = 2
    pad.fail(job, "InsufficientGasError", "The fee is over the cap")
    pad.times = 1
    status = pad.status(job)
    assert (status["status"], status["error"]) == (
        "failed",
        {"code": "INSUFFICIENT_GAS", "message": "The fee is over the cap"},
    )
    assert [entry["outcome"] for entry in pad.slipway.audit()] == ["accepted", "INSUFFICIENT_GAS"]
    again = pad.new("second-chance")
    pad.deploy(again)
    pad.register(again)
    assert pad.status(again)["status"] == "completed"
    # The same symbol, because the failed launch let it go.
    assert pad.status(again)["token_symbol"] == pad.status(job)["token_symbol"]


def test_failed_after_broadcast_the_lock_stays(pad: Launchpad) -> None:
    job = pad.new("spent")
    pad.deploy(job)
    deployed = pad.status(job)
    pad.fail(job, "KeyError", "internal detail")
    status = pad.status(job)
    assert status["error"]["code"] == "DEPLOYMENT_FAILED"
    assert "internal detail" not in json.dumps(status)
    assert status["error"]["transaction_hash"] == deployed["deployment_tx_hash"]
    assert pad.slipway.launch("spent").code == "TOKEN_EXISTS"


def test_failed_while_signed_but_not_mined_the_lock_stays(pad: Launchpad) -> None:
    job = pad.new("waiting")
    pad.sign(job)
    pad.fail(job)
    assert pad.slipway.launch("waiting").code == "TOKEN_EXISTS"


def test_nothing_moves_a_launch_that_has_ended(pad: Launchpad) -> None:
    job = pad.new()
    pad.deploy_task("Check", job)
    pad.fail(job)
    for state in ("BroadcastDeployment", "Check"):
        with pytest.raises(ConflictError):
            pad.deploy_task(state, job)
    with pytest.raises(ConflictError):
        pad.signer("sign", job)
    pad.register_task("Complete", job)
    assert pad.status(job)["status"] == "failed"


def test_a_registration_that_the_chain_refuses_fails_with_its_reason(pad: Launchpad) -> None:
    job = pad.new("stolen")
    pad.deploy(job)
    other = pad.new("thief")
    pad.deploy(other)
    model = type(find_deployment(other))
    find_deployment(other).update(actions=[model.model_id.set("stolen")])  # type: ignore[union-attr]
    pad.register(other)
    with pytest.raises(TokenExistsError):
        pad.register_task("CheckRegistration", job)
    with pytest.raises(DeploymentFailedError, match="refuse"):
        pad.signer("sign", job, "register")
    with pytest.raises(DeploymentFailedError):
        pad.register_task("Complete", job)


def test_a_registration_that_the_node_does_not_show_yet_is_no_failure(
    pad: Launchpad, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = pad.new()
    pad.deploy(job)
    pad.register_task("CheckRegistration", job)
    pad.signer("sign", job, "register")
    pad.register_task("BroadcastRegistration", job)
    pad.anvil.mine(2)
    with monkeypatch.context() as behind:
        behind.setattr(calls, "registered_token", lambda *_: None)
        with pytest.raises(UpstreamUnavailableError, match="does not show"):
            pad.register_task("ConfirmRegistration", job, polls=0)
    assert pad.status(job)["status"] == "registering"
    assert pad.register_task("ConfirmRegistration", job, polls=1)["progress"] == "confirmed"
    assert pad.status(job)["status"] == "completed"


def test_a_token_that_somebody_else_registered_is_completed_without_a_transaction(pad: Launchpad) -> None:
    job = pad.new("helped")
    pad.deploy(job)
    item = find_deployment(job)
    assert item
    call = calls.registration(pad.anvil.contracts.model_registry, "helped", str(item.token_address)).call()
    registrar = pad.signers[0].address
    pad.anvil.rpc("anvil_impersonateAccount", registrar)
    pad.anvil.rpc("eth_sendTransaction", {"from": registrar, "to": call.to, "data": "0x" + call.data.hex()})
    pad.anvil.mine(1)
    assert pad.register_task("CheckRegistration", job)["registered"]
    pad.times = 2
    pad.register_task("Complete", job)
    pad.times = 1
    assert pad.status(job)["status"] == "completed"
    assert transaction_for(job, "register") is None
    assert [entry["outcome"] for entry in pad.slipway.audit()] == ["accepted", "completed"]


def test_a_registration_that_was_signed_and_mined_meanwhile_is_no_refusal(
    pad: Launchpad, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two calls of the signer at once: the slower one asks the chain when the faster one's transaction is mined."""
    job = pad.new()
    pad.deploy(job)
    estimate = JsonRpc.estimate_gas
    signed: list[Any] = []

    def late(rpc: JsonRpc, sender: str, call: Any) -> int:
        if not signed:
            signed.append(None)
            signed.append(pad.signer("sign", job, "register"))
            pad.register_task("BroadcastRegistration", job)
            pad.anvil.mine(1)
        return estimate(rpc, sender, call)

    monkeypatch.setattr(JsonRpc, "estimate_gas", late)
    assert pad.signer("sign", job, "register") == signed[1]


# ── Stuck, missing, too late ────────────────────────────────────────────────────────────────────


def _later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    def now() -> Any:
        return times.now() + timedelta(seconds=seconds)

    monkeypatch.setattr(workflow, "now", now)


def test_a_stuck_transaction_is_replaced_at_its_nonce_and_any_signature_counts(
    pad: Launchpad, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = pad.new()
    first = pad.sign(job)
    pad.anvil.rpc("evm_setAutomine", False)
    pad.deploy_task("BroadcastDeployment", job)
    assert pad.deploy_task("ConfirmDeployment", job, polls=0)["progress"] == "pending"
    _later(monkeypatch, 7)
    assert pad.deploy_task("ConfirmDeployment", job, polls=1)["progress"] == "stuck"
    pad.signer("bump", job)
    bumped = transaction_for(job, "deploy")
    assert bumped
    assert int(bumped.nonce) == first["nonce"]
    assert bumped.transaction_hash != first["transaction_hash"]
    assert pad.status(job)["deployment_tx_hash"] == bumped.transaction_hash
    pad.deploy_task("BroadcastDeployment", job)
    pad.anvil.mine(2)
    assert pad.deploy_task("ConfirmDeployment", job, polls=2)["progress"] == "confirmed"
    assert pad.status(job)["deployment_tx_hash"] == bumped.transaction_hash
    assert pad.anvil.rpc("eth_getTransactionReceipt", first["transaction_hash"]) is None


def test_a_bump_over_the_cap_is_left_out(pad: Launchpad) -> None:
    job = pad.new()
    pad.sign(job)
    before = transaction_for(job, "deploy")
    assert before
    save_fee_cap(31337, int(before.max_fee_per_gas))
    pad.signer("bump", job)
    after = transaction_for(job, "deploy")
    assert after
    assert after.raw == before.raw


def test_a_transaction_that_nodes_lost_is_sent_again(pad: Launchpad) -> None:
    job = pad.new()
    signed = pad.sign(job)
    pad.anvil.rpc("evm_setAutomine", False)
    pad.deploy_task("BroadcastDeployment", job)
    pad.anvil.rpc("anvil_dropTransaction", signed["transaction_hash"])
    assert pad.deploy_task("ConfirmDeployment", job, polls=0)["progress"] == "missing"
    pad.deploy_task("BroadcastDeployment", job)
    pad.anvil.mine(2)
    assert pad.deploy_task("ConfirmDeployment", job, polls=1)["progress"] == "confirmed"


def test_a_reorganisation_sends_a_launch_back_to_waiting(pad: Launchpad) -> None:
    job = pad.new()
    pad.sign(job)
    snapshot = pad.anvil.rpc("evm_snapshot")
    pad.deploy_task("BroadcastDeployment", job)
    pad.anvil.mine(1)
    pad.anvil.rpc("evm_revert", snapshot)
    assert pad.deploy_task("ConfirmDeployment", job, polls=0)["progress"] == "missing"
    assert pad.status(job)["status"] == "deploying"
    pad.deploy_task("BroadcastDeployment", job)
    pad.anvil.mine(2)
    assert pad.deploy_task("ConfirmDeployment", job, polls=1)["progress"] == "confirmed"


def test_past_its_deadline_a_launch_is_called_off_and_the_model_let_go(
    pad: Launchpad, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = pad.new("late")
    pad.sign(job)
    pad.anvil.rpc("evm_setAutomine", False)
    pad.deploy_task("BroadcastDeployment", job)
    _later(monkeypatch, 901)
    assert pad.deploy_task("ConfirmDeployment", job, polls=9)["progress"] == str(Progress.EXPIRED)
    pad.signer("cancel", job)
    pad.deploy_task("BroadcastDeployment", job)
    pad.anvil.mine(2)
    with pytest.raises(DeploymentFailedError, match="called off"):
        pad.deploy_task("ConfirmDeployment", job, polls=10)
    pad.fail(job, message="It was called off")
    assert pad.status(job)["status"] == "failed"
    pad.anvil.rpc("evm_setAutomine", True)
    assert pad.slipway.launch("late").status == 202


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
def reconcile(pad: Launchpad, executions: Executions) -> TokenReconcile:
    chain = chain_settings().token_chain
    return TokenReconcile(chain, pad.json_rpc(), executions.start, executions.status)


@pytest.fixture
def accounts(pad: Launchpad) -> SignerReconcile:
    rpc = pad.json_rpc()
    return SignerReconcile(chain_settings().token_chain, rpc, lambda _: TokenTransactions(rpc))


def test_a_launch_that_was_never_started_is_found_and_started(
    pad: Launchpad, reconcile: TokenReconcile, executions: Executions, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = pad.new()
    assert reconcile.find() == []
    monkeypatch.setattr("slipway.tokens.reconcile.now_text", lambda: "2999-01-01T00:00:00.000Z")
    assert reconcile.find() == [job]
    assert deployer_accounts(chain_settings()) == [(31337, signer.address) for signer in pad.signers]
    assert reconcile.reconcile_job(job) == "started"
    assert executions.states == {job: "RUNNING"}
    assert reconcile.reconcile_job(job) == "running"


def test_a_launch_whose_execution_died_gets_another_and_is_given_up_at_last(
    pad: Launchpad, reconcile: TokenReconcile, executions: Executions
) -> None:
    job = pad.new()
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
    assert pad.status(job)["status"] == "failed"
    assert reconcile.reconcile_job(job) == "ended"


def test_a_nonce_whose_launch_failed_is_closed_and_the_model_let_go(pad: Launchpad, accounts: SignerReconcile) -> None:
    job = pad.new("abandoned")
    signed = pad.sign(job)
    pad.fail(job)
    address, nonce = signed["signer"], signed["nonce"]
    assert accounts.inspect(address) == [nonce]
    pad.slipway.invoke("SignerFunction", {"operation": "close", "chain_id": 31337, "address": address, "nonce": nonce})
    accounts.send_closing(address, nonce)
    pad.anvil.mine(1)
    assert pad.json_rpc().transaction_count(address, "latest") == nonce + 1
    assert accounts.inspect(address) == []
    assert pad.slipway.launch("abandoned").status == 202
    assert pad.token_of("abandoned") is None


def test_a_nonce_that_nothing_holds_is_closed(pad: Launchpad, accounts: SignerReconcile) -> None:
    job = pad.new()
    signed = pad.sign(job)
    address, nonce = signed["signer"], signed["nonce"]
    item = transaction_for(job, "deploy")
    assert item
    item.delete()
    assert accounts.inspect(address) == [nonce]
    pad.slipway.invoke("SignerFunction", {"operation": "close", "chain_id": 31337, "address": address, "nonce": nonce})
    pad.slipway.invoke(
        "ReconcileTasks", {"state": "BroadcastNonce", "chain_id": 31337, "address": address, "nonce": nonce}
    )
    # The node mines at once, but answers before it has.
    ends_at = time.monotonic() + 5
    while pad.json_rpc().transaction_count(address, "latest") != nonce + 1:
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def test_a_transaction_that_nodes_lost_is_sent_again_while_its_launch_runs(
    pad: Launchpad, accounts: SignerReconcile
) -> None:
    job = pad.new()
    signed = pad.sign(job)
    assert accounts.inspect(signed["signer"]) == []
    assert pad.json_rpc().knows(signed["transaction_hash"])


def test_an_account_that_was_used_elsewhere_catches_up(pad: Launchpad, accounts: SignerReconcile) -> None:
    signed = pad.sign(pad.new())
    address = signed["signer"]
    pad.anvil.rpc("anvil_setNonce", address, hex(signed["nonce"] + 10))
    assert accounts.inspect(address) == []
    assert stored_nonce(31337, address) == signed["nonce"] + 10


def test_a_transaction_that_settled_is_not_looked_at_again(
    pad: Launchpad, accounts: SignerReconcile, monkeypatch: pytest.MonkeyPatch
) -> None:
    completed, failed = pad.new(), pad.new("fails")
    pad.deploy(completed)
    pad.register(completed)
    signed = pad.sign(failed)
    looked_at: list[tuple[str, int]] = []

    def transaction(chain_id: int, address: str, nonce: int) -> Any:
        looked_at.append((address, nonce))
        return transaction_at(chain_id, address, nonce)

    monkeypatch.setattr("slipway.chain.reconcile.transaction_at", transaction)
    pad.deploy_task("BroadcastDeployment", failed)
    pad.anvil.mine(2)
    for signer in pad.signers:
        assert accounts.inspect(signer.address) == []
    # What its launch has not settled itself is looked at until it has, or has ended.
    looked_at.clear()
    for signer in pad.signers:
        assert accounts.inspect(signer.address) == []
    assert looked_at == [(signed["signer"], signed["nonce"])]
    pad.fail(failed)
    for _ in range(2):
        looked_at.clear()
        assert accounts.inspect(signed["signer"]) == []
    assert looked_at == []
    item = transaction_for(failed, "deploy")
    assert item
    assert item.status == "confirmed"


def test_balances_are_measured_every_few_minutes_and_nonces_each_time(
    pad: Launchpad, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, rpc = ManualClock(), pad.json_rpc()
    accounts = SignerReconcile(chain_settings().token_chain, rpc, lambda _: TokenTransactions(rpc), clock)
    signed = pad.sign(pad.new())
    measured = []
    for minute in range(20):
        # Now and then a run comes some seconds early or late.
        clock.seconds = 60 * minute + 5 * (-1) ** minute
        capsys.readouterr()
        accounts.inspect(signed["signer"])
        if "SignerBalance" in capsys.readouterr().out:
            measured.append(clock.seconds)
    assert len(measured) == 5
    assert all(after - before <= 300 for before, after in itertools.pairwise(measured))


def _overdue(job: str) -> None:
    deployment = find_deployment(job)
    assert deployment
    deployment.update(actions=[Deployment.open_until.set("2020-01-01T00:00:00.000Z")])


def test_runs_of_reconcile_that_overlap_start_a_launch_once(pad: Launchpad) -> None:
    job, invoke = pad.new(), pad.slipway.invoke
    boto3.client("stepfunctions").stop_execution(executionArn=pad.slipway.executions()[0]["executionArn"])
    _overdue(job)
    (slow,) = invoke("ReconcileTasks", event("reconcile_find_launches"))["steps"]
    whole = invoke("ReconcileTasks", event("reconcile_find"))
    assert [step["done"] for step in whole["done"] if step["state"] == "ReconcileJob"] == ["started"]
    assert invoke("ReconcileTasks", slow) == {"done": "running"}
    assert {entry["name"] for entry in pad.slipway.executions()} == {job, f"{job}-2"}


def test_what_fails_is_left_to_the_state_machine_and_stops_nothing_else(
    pad: Launchpad, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = pad.new()
    _overdue(job)

    def refuse(*_: Any) -> Any:
        raise KeyError("a surprise")

    monkeypatch.setattr(TokenReconcile, "reconcile_job", refuse)
    monkeypatch.setattr("slipway.stacks.reconcile.StackReconcile.find", refuse)
    found = pad.slipway.invoke("ReconcileTasks", event("reconcile_find"))
    assert found["rest"] == [{"state": "ReconcileJob", "deployment_id": job}]
    assert found["failed"] == ["FindStacks"]
    assert [step["state"] for step in found["done"]] == ["InspectSigner"] * len(pad.signers)
    told = capsys.readouterr().out
    assert '"state":"FindStacks","StepsFailed"' in told
    assert '"state":"ReconcileJob","StepsFailed"' in told
    # After a process that died, each is left alone.
    again = pad.slipway.invoke("ReconcileTasks", {**event("reconcile_find"), "tries": 1})
    assert [step["state"] for step in again["rest"]] == ["ReconcileJob"] + ["InspectSigner"] * len(pad.signers)
    assert again["done"] == []


def test_an_account_that_was_never_used_is_left_alone(accounts: SignerReconcile) -> None:
    assert accounts.inspect(ALICE.address) == []


def test_the_reconcile_function_may_do_all_of_it(pad: Launchpad) -> None:
    pad.new()
    found = pad.slipway.invoke("ReconcileTasks", event("reconcile_find"))
    assert (found["rest"], found["failed"]) == ([], [])
    accounts = [{"state": "InspectSigner", "chain_id": 31337, "address": signer.address} for signer in pad.signers]
    assert found["done"] == [{**account, "nonces": [], "again": False} for account in accounts]
    job = pad.new()
    done = pad.slipway.invoke("ReconcileTasks", {"state": "ReconcileJob", "deployment_id": job})
    assert done["done"] in ("running", "started")
