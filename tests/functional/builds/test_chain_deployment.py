"""A build's contract on two chains, through the real functions under their policies: once each, whatever happens."""

from __future__ import annotations

import dataclasses
import functools
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from eth_account import Account
from moto import mock_aws

from slipway.addresses import keccak256
from slipway.builds.api.service import build_service
from slipway.builds.api.views import detail_of
from slipway.builds.pipeline import completion
from slipway.builds.pipeline.deployment import BuildTransactions, ChainDeploymentWorkflow
from slipway.builds.pipeline.rules import creation_code, digest_of
from slipway.builds.states import ChainStatus, Progress, Stage, Status, Step
from slipway.builds.store import (
    BuildItem,
    ChainDeploymentItem,
    build_key,
    chain_deployments,
    change_build,
    find_build,
    find_chain_deployment,
    number_key,
    owner_key,
    running,
    updates_after,
)
from slipway.chain import contracts
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.signing import ChainSigning
from slipway.chain.store import save_contracts, save_fee_cap, transaction_at, transaction_for
from slipway.chain.write_ahead import WriteAhead
from slipway.configuration import chain_settings
from slipway.errors import (
    CodeMismatchError,
    ConflictError,
    DeploymentFailedError,
    InsufficientGasError,
    NotFoundError,
    SignerUnfundedError,
    UpstreamUnavailableError,
)
from slipway.times import now_text
from tests.support.chains import CHAIN, ETHER, Anvil, running_anvil
from tests.support.clock import ManualClock
from tests.support.functions import function_app
from tests.support.installation import BUCKET, Installation, install
from tests.support.keys import LocalSigner
from tests.support.nodes import FakeNode
from tests.support.wallets import ADMIN, ALICE, BOB

FIRST, SECOND = 31337, 5001
POOL = ["0x" + "d1" * 32, "0x" + "d2" * 32]
POOL_ADDRESS = Account.from_key(POOL[0]).address
ARGUMENTS = [
    {"name": "name", "type": "string", "value": "Harbour"},
    {"name": "symbol", "type": "string", "value": "HRB"},
    {"name": "controller", "type": "address", "value": ALICE.address},
]


@pytest.fixture(scope="module")
def _chains() -> Iterator[dict[int, Anvil]]:
    with running_anvil(FIRST) as first, running_anvil(SECOND) as second:
        for anvil in (first, second):
            anvil.fund(*(Account.from_key(key).address for key in POOL))
        yield {FIRST: first, SECOND: second}


def _digest(bytecode: str, arguments: list[dict[str, Any]]) -> str | None:
    """Return what the audit keeps; None of arguments that no audit would have let pass."""
    try:
        return digest_of(creation_code(bytecode, arguments))
    except DeploymentFailedError:
        return None


@dataclass
class BuildHarness:
    """Builds at the stage of their deployment, state by state, as the state machine's branches do it."""

    slipway: Installation
    chains: dict[int, Anvil]
    signers: list[LocalSigner]
    times: int = 1

    def build(self, *chain_ids: int, deployable: bool = True, arguments: Any = None, signer: str | None = None) -> str:
        """Return a build whose contract passed its audit; complete, where a wallet signs."""
        build_id, moment = str(uuid.uuid4()), now_text()
        artifact = contracts.load("HokusaiToken")
        body = json.dumps({"abi": artifact.abi, "bytecode": artifact.bytecode}).encode()
        boto3.client("s3").put_object(Bucket=BUCKET, Key=f"builds/{build_id}/contract-0.json", Body=body)
        BuildItem(
            *build_key(build_id),
            build_id=build_id,
            number=1,
            wallet=ALICE.address,
            status=str(Status.COMPLETE if signer else Status.DEPLOYING),
            job_id=build_id,
            run_began_at=moment,
            stage=str(Stage.DEPLOY),
            step=str(Step.DEPLOYMENT),
            sequence=1,
            progress=70,
            prompt="Create a token called Harbour",
            chains=list(chain_ids or (FIRST, SECOND)),
            run_chains=list(chain_ids or (FIRST, SECOND)),
            constructor_arguments=ARGUMENTS if arguments is None else arguments,
            contract_name="HokusaiToken",
            revision=0,
            deployable=deployable,
            signer=signer,
            creation_digest=_digest(artifact.bytecode, ARGUMENTS if arguments is None else arguments),
            stage_began_at=moment,
            created_at=moment,
            updated_at=moment,
            owner_key=owner_key(ALICE.address),
            owner_sort=number_key(1),
        ).save()
        return build_id

    def run_again(self, build_id: str) -> str:
        """Begin a run that only deploys, after the build has ended, and return its job's id."""
        build = self.item(build_id)
        job_id = str(uuid.uuid4())
        build.update(
            actions=[
                BuildItem.job_id.set(job_id),
                BuildItem.status.set(str(Status.DEPLOYING)),
                BuildItem.stage.set(str(Stage.DEPLOY)),
            ]
        )
        return job_id

    def end(self, build_id: str, status: Status) -> None:
        """End a build, as cancelling or the run's last task does."""
        build = self.item(build_id)
        told = Progress(status, int(build.progress), Step.CANCELLED, "Over")
        assert change_build(build, [], running(build.job_id), update=told)

    def complete(self, build_id: str) -> str:
        """Do the run's last task and return the stage that follows."""
        payload = {"state": "Complete", "build_id": build_id, "job_id": self.item(build_id).job_id}
        return str(self.slipway.invoke("BuildTasks", payload)["stage"])

    def item(self, build_id: str) -> BuildItem:
        found = find_build(build_id)
        assert found
        return found

    def deployment(self, build_id: str, chain_id: int = FIRST) -> ChainDeploymentItem:
        found = find_chain_deployment(build_id, chain_id)
        assert found
        return found

    def _each(self, function: str, payload: dict[str, Any]) -> Any:
        answers = [self.slipway.invoke(function, payload) for _ in range(self.times)]
        return answers[-1]

    def task(self, state: str, build_id: str, chain_id: int = FIRST, **more: Any) -> Any:
        job_id = more.pop("job_id", None) or self.item(build_id).job_id
        payload = {"state": state, "build_id": build_id, "job_id": job_id, "chain_id": chain_id, **more}
        return self._each("ChainDeploymentTasks", payload)

    def signer(self, operation: str, build_id: str, chain_id: int = FIRST, job_id: str | None = None) -> Any:
        payload = {
            "operation": operation,
            "purpose": "build",
            "build_id": build_id,
            "job_id": job_id or self.item(build_id).job_id,
            "chain_id": chain_id,
        }
        answer = self._each("SignerFunction", payload)
        # A build signs one transaction at a time.
        return answer["signed"][0] if operation == "sign" else answer

    def sign(self, build_id: str, chain_id: int = FIRST) -> Any:
        assert self.task("BeginDeployment", build_id, chain_id)["progress"] == "sign"
        return self.signer("sign", build_id, chain_id)

    def send(self, build_id: str, chain_id: int = FIRST) -> Any:
        signed = self.sign(build_id, chain_id)
        assert self.task("BroadcastDeployment", build_id, chain_id)["progress"] == "broadcast"
        return signed

    def deploy(self, build_id: str, chain_id: int = FIRST) -> str:
        """One branch to its end; the contract's address."""
        self.send(build_id, chain_id)
        self.chains[chain_id].mine(2)
        assert self.task("ConfirmDeployment", build_id, chain_id, polls=0)["progress"] == "confirmed"
        return str(self.deployment(build_id, chain_id).address)

    def fail(self, build_id: str, error: str, message: str = "It failed", chain_id: int = FIRST) -> None:
        cause = json.dumps({"errorMessage": message, "errorType": error})
        self.task("RecordChainFailure", build_id, chain_id, error=error, cause=cause)

    def messages(self, build_id: str) -> list[str]:
        return [str(update.message) for update in updates_after(build_id, 0)]

    def json_rpc(self, chain_id: int = FIRST) -> JsonRpc:
        return JsonRpc(chain_settings().chains[chain_id], self.chains[chain_id].client)

    def created(self, chain_id: int = FIRST) -> list[str]:
        """Every contract that the deployer accounts created on a chain."""
        found = []
        for signer in self.signers:
            for nonce in range(self.json_rpc(chain_id).transaction_count(signer.address, "latest")):
                item = transaction_at(chain_id, signer.address, nonce)
                if item and item.contract_address and self.json_rpc(chain_id).code_at(item.contract_address):
                    found.append(str(item.contract_address))
        return found

    def inspect(self, address: str, chain_id: int = FIRST) -> list[int]:
        """Do what reconcile does for a deployer account, and return nonces that are left to close."""
        payload = {"state": "InspectSigner", "chain_id": chain_id, "address": address}
        return list(self.slipway.invoke("ReconcileTasks", payload)["nonces"])

    def close(self, address: str, nonce: int, chain_id: int = FIRST) -> None:
        """Do what reconcile's states do for a nonce that nobody serves."""
        held = {"chain_id": chain_id, "address": address, "nonce": nonce}
        self.slipway.invoke("SignerFunction", {"operation": "close", **held})
        self.slipway.invoke("ReconcileTasks", {"state": "BroadcastNonce", **held})


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch, _chains: dict[int, Anvil]) -> Iterator[BuildHarness]:
    snapshots = {}
    for chain_id, anvil in _chains.items():
        anvil.rpc("evm_setAutomine", True)
        snapshots[chain_id] = anvil.rpc("evm_snapshot")
    with mock_aws():
        first, second = _chains[FIRST], _chains[SECOND]
        slipway = install(monkeypatch, FakeNode(), first.url, CHAIN | {"name": "first"}, [(SECOND, second.url)])
        signers = [LocalSigner(key) for key in POOL]
        save_contracts(FIRST, ALICE.address, ALICE.address, [signer.address for signer in signers])

        def signing(chain_id: int, *, builds: bool = False) -> ChainSigning:
            # Closing a nonce is for every account, a build's own too.
            chain = chain_settings().chains[chain_id]
            rpc = JsonRpc(chain, _chains[chain_id].client)
            return ChainSigning(chain, rpc, WriteAhead(signers, chain, rpc))

        monkeypatch.setattr(function_app("signer"), "_chain_signing", signing)
        branch = function_app("tasks/chain_deployment")
        deployment = functools.partial(branch.chain_deployment, clock=slipway.clock)
        monkeypatch.setattr(branch, "chain_deployment", deployment)
        yield BuildHarness(slipway, _chains, signers)
    for chain_id, anvil in _chains.items():
        anvil.rpc("evm_revert", snapshots[chain_id])


# ── To the end ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("often", [1, 2])
def test_a_build_on_two_chains_to_its_end(harness: BuildHarness, often: int) -> None:
    """Each state called twice, as after an answer that was not heard, does the same as called once."""
    build_id = harness.build()
    harness.times = often
    for chain_id in (FIRST, SECOND):
        assert harness.task("BeginDeployment", build_id, chain_id)["progress"] == "sign"
        assert harness.deployment(build_id, chain_id).status == "pending"
        signed = harness.signer("sign", build_id, chain_id)
        stored = harness.deployment(build_id, chain_id)
        assert (stored.status, stored.transaction_hash) == ("signed", signed["transaction_hash"])
        assert harness.task("BroadcastDeployment", build_id, chain_id) == {"progress": "broadcast", "pause_seconds": 2}
        assert harness.deployment(build_id, chain_id).status == "broadcast"
        assert harness.task("ConfirmDeployment", build_id, chain_id, polls=0)["progress"] == "pending"
        harness.chains[chain_id].mine(1)
        done = harness.task("ConfirmDeployment", build_id, chain_id, polls=1)["progress"]
        assert done == ("confirmed" if often == 1 else "ended")
        stored = harness.deployment(build_id, chain_id)
        receipt = harness.json_rpc(chain_id).receipt(signed["transaction_hash"])
        assert receipt
        assert (stored.status, stored.address) == ("deployed", harness.created(chain_id)[0])
        assert (int(stored.gas_used), int(stored.block_number)) == (receipt.gas_used, receipt.block_number)
        assert int(stored.cost) == receipt.gas_used * receipt.effective_gas_price
        assert len(harness.created(chain_id)) == 1
        item = transaction_for(build_id, f"build:{chain_id}:1")
        assert item
        assert item.status == "confirmed"
    address = harness.deployment(build_id).address
    assert harness.messages(build_id) == [
        "Sent to first",
        f"Deployed to first at {address}",
        "Sent to chain 5001",
        f"Deployed to chain 5001 at {harness.deployment(build_id, SECOND).address}",
    ]
    progress = [int(update.progress) for update in updates_after(build_id, 0)]
    assert progress == [70, 82, 82, 95]


def test_a_run_is_not_over_before_every_chain_is(harness: BuildHarness) -> None:
    build_id = harness.build()
    harness.deploy(build_id)
    assert harness.complete(build_id) == "deploy"
    harness.send(build_id, SECOND)
    assert harness.complete(build_id) == "deploy"
    harness.chains[SECOND].mine(2)
    harness.task("ConfirmDeployment", build_id, SECOND, polls=0)
    assert harness.complete(build_id) == "done"
    assert harness.item(build_id).status == "complete"


def test_the_contract_is_made_with_the_builds_arguments(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    address = harness.deploy(build_id)
    name = harness.json_rpc().eth_call(address, bytes.fromhex("06fdde03"))
    assert b"Harbour" in name


def test_a_branch_that_begins_again_finds_what_was_done(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    signed = harness.sign(build_id)
    assert harness.task("BeginDeployment", build_id)["progress"] == "sign"
    assert harness.signer("sign", build_id) == signed
    harness.task("BroadcastDeployment", build_id)
    assert harness.task("BeginDeployment", build_id)["progress"] == "sign"
    assert harness.signer("sign", build_id) == signed
    harness.chains[FIRST].mine(2)
    harness.task("ConfirmDeployment", build_id, polls=0)
    assert harness.task("BeginDeployment", build_id)["progress"] == "ended"
    assert len(harness.created()) == 1


# ── What is not signed ──────────────────────────────────────────────────────────────────────────


def test_nothing_is_signed_that_has_not_begun_or_did_not_pass_its_audit(harness: BuildHarness) -> None:
    with pytest.raises(NotFoundError):
        harness.signer("sign", harness.build())
    unaudited = harness.build(FIRST, deployable=False)
    harness.task("BeginDeployment", unaudited)
    with pytest.raises(ConflictError):
        harness.signer("sign", unaudited)
    other_run = harness.build(FIRST)
    harness.task("BeginDeployment", other_run)
    with pytest.raises(ConflictError):
        harness.signer("sign", other_run, job_id="another")
    with pytest.raises(ConflictError):
        harness.task("BroadcastDeployment", other_run)
    with pytest.raises(ConflictError):
        harness.signer("bump", other_run)
    assert [signer.signatures for signer in harness.signers] == [0, 0]


def test_a_revision_that_changed_while_it_was_looked_at_is_not_signed(
    harness: BuildHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_id = harness.build(FIRST)
    harness.task("BeginDeployment", build_id)
    estimate = JsonRpc.estimate_gas

    def late(rpc: JsonRpc, sender: str, call: Any) -> int:
        harness.item(build_id).update(actions=[BuildItem.revision.set(1)])
        return estimate(rpc, sender, call)

    monkeypatch.setattr(JsonRpc, "estimate_gas", late)
    with pytest.raises(ConflictError):
        harness.signer("sign", build_id)
    assert transaction_for(build_id, "build:31337:1") is None


def test_code_that_was_swapped_after_its_audit_is_not_signed(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    s3, key = boto3.client("s3"), f"builds/{build_id}/contract-0.json"
    audited = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    other = contracts.load("TokenManager")
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps({"abi": other.abi, "bytecode": other.bytecode}).encode())
    harness.task("BeginDeployment", build_id)
    with pytest.raises(DeploymentFailedError, match="not the code that passed the audit"):
        harness.signer("sign", build_id)
    assert transaction_for(build_id, "build:31337:1") is None
    assert [signer.signatures for signer in harness.signers] == [0, 0]
    s3.put_object(Bucket=BUCKET, Key=key, Body=audited)
    assert harness.deploy(build_id)


def test_arguments_that_changed_after_the_audit_are_not_signed(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    harness.task("BeginDeployment", build_id)
    stolen = [*ARGUMENTS[:2], {**ARGUMENTS[2], "value": "0x" + "66" * 20}]
    harness.item(build_id).update(actions=[BuildItem.constructor_arguments.set(stolen)])
    with pytest.raises(DeploymentFailedError, match="not the code that passed the audit"):
        harness.signer("sign", build_id)
    assert transaction_for(build_id, "build:31337:1") is None


def test_the_write_that_signs_holds_the_code_to_the_audit(
    harness: BuildHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_id = harness.build(FIRST)
    harness.task("BeginDeployment", build_id)
    estimate = JsonRpc.estimate_gas

    def late(rpc: JsonRpc, sender: str, call: Any) -> int:
        harness.item(build_id).update(actions=[BuildItem.creation_digest.set("0x" + "00" * 32)])
        return estimate(rpc, sender, call)

    monkeypatch.setattr(JsonRpc, "estimate_gas", late)
    with pytest.raises(ConflictError):
        harness.signer("sign", build_id)
    assert transaction_for(build_id, "build:31337:1") is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "refuse"),
        ([{"name": "a", "type": "uint256", "value": "-1"}], "arguments"),
        ([{"name": "a", "type": "address", "value": "0x00"}], "arguments"),
    ],
)
def test_arguments_that_do_not_fit_fail_with_the_reason(harness: BuildHarness, arguments: Any, told: str) -> None:
    build_id = harness.build(FIRST, arguments=arguments)
    harness.task("BeginDeployment", build_id)
    with pytest.raises(DeploymentFailedError, match=told):
        harness.signer("sign", build_id)
    assert transaction_for(build_id, "build:31337:1") is None


def test_nothing_is_signed_over_the_cap_or_that_nobody_can_pay(harness: BuildHarness) -> None:
    build_id = harness.build(SECOND)
    harness.task("BeginDeployment", build_id, SECOND)
    save_fee_cap(SECOND, 1)
    with pytest.raises(InsufficientGasError):
        harness.signer("sign", build_id, SECOND)
    save_fee_cap(SECOND, None)
    for signer in harness.signers:
        harness.chains[SECOND].rpc("anvil_setBalance", signer.address, "0x1")
    with pytest.raises(SignerUnfundedError):
        harness.signer("sign", build_id, SECOND)
    assert transaction_for(build_id, "build:5001:1") is None


# ── Cancelled ───────────────────────────────────────────────────────────────────────────────────


def test_cancelled_before_signing_nothing_is_signed(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    harness.task("BeginDeployment", build_id)
    harness.end(build_id, Status.CANCELLED)
    with pytest.raises(ConflictError):
        harness.signer("sign", build_id)
    assert harness.task("BeginDeployment", build_id)["progress"] == "ended"
    harness.fail(build_id, "ConflictError")
    assert harness.deployment(build_id).status == "cancelled"
    assert transaction_for(build_id, "build:31337:1") is None


def test_cancelled_while_it_is_signed_nothing_is_reserved(
    harness: BuildHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_id = harness.build(FIRST)
    harness.task("BeginDeployment", build_id)
    estimate = JsonRpc.estimate_gas

    def late(rpc: JsonRpc, sender: str, call: Any) -> int:
        if not harness.item(build_id).ended:
            harness.end(build_id, Status.CANCELLED)
        return estimate(rpc, sender, call)

    monkeypatch.setattr(JsonRpc, "estimate_gas", late)
    with pytest.raises(ConflictError):
        harness.signer("sign", build_id)
    assert transaction_for(build_id, "build:31337:1") is None


def test_cancelled_after_signing_nothing_is_sent_and_the_nonce_is_closed(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    signed = harness.sign(build_id)
    harness.end(build_id, Status.CANCELLED)
    assert harness.task("BroadcastDeployment", build_id)["progress"] == "ended"
    assert harness.task("ConfirmDeployment", build_id, polls=0)["progress"] == "ended"
    rpc, (address, nonce) = harness.json_rpc(), (signed["signer"], signed["nonce"])
    assert not rpc.knows(signed["transaction_hash"])
    assert harness.inspect(address) == [nonce]
    assert not rpc.knows(signed["transaction_hash"])
    harness.close(address, nonce)
    harness.chains[FIRST].mine(2)
    assert rpc.transaction_count(address, "latest") == nonce + 1
    assert harness.inspect(address) == []
    assert harness.deployment(build_id).status == "cancelled"
    assert harness.created() == []
    # The line moves on.
    assert harness.deploy(harness.build(FIRST))


def test_a_nonce_that_is_too_dear_to_close_does_not_send_the_cancelled_contract(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    signed = harness.sign(build_id)
    harness.end(build_id, Status.CANCELLED)
    item = transaction_for(build_id, "build:31337:1")
    assert item
    save_fee_cap(FIRST, int(item.max_fee_per_gas))
    harness.close(signed["signer"], signed["nonce"])
    assert not harness.json_rpc().knows(signed["transaction_hash"])
    assert harness.created() == []


def test_cancelled_after_sending_the_truth_is_reported_in_the_end(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    harness.chains[FIRST].rpc("evm_setAutomine", False)
    signed = harness.send(build_id)
    harness.end(build_id, Status.CANCELLED)
    harness.chains[FIRST].mine(2)
    assert harness.inspect(signed["signer"]) == []
    stored = harness.deployment(build_id)
    assert (stored.status, stored.address) == ("deployed", harness.created()[0])
    assert stored.gas_used
    assert harness.messages(build_id)[-1] == "Over"


def test_nothing_is_sent_again_for_a_build_that_is_cancelled_meanwhile(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    signed = harness.sign(build_id)
    assert harness.inspect(signed["signer"]) == []
    assert harness.json_rpc().knows(signed["transaction_hash"]), (
        "what a node lost is sent again while the build goes on"
    )
    second = harness.build(FIRST)
    signed = harness.sign(second)
    item = transaction_for(second, "build:31337:1")
    assert item
    harness.end(second, Status.CANCELLED)
    BuildTransactions(chain_settings().chains[FIRST], harness.json_rpc()).send(item)
    assert not harness.json_rpc().knows(signed["transaction_hash"])


class SlowClock(ManualClock):
    """Lets more time pass between two looks at it than a permit may take."""

    def monotonic(self) -> float:
        self.seconds += 3.1
        return self.seconds


def test_a_permit_that_came_too_late_is_not_used(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    signed = harness.sign(build_id)
    slow = ChainDeploymentWorkflow(chain_settings().chains[FIRST], harness.json_rpc(), SlowClock())
    with pytest.raises(UpstreamUnavailableError, match="too late"):
        slow.broadcast(build_id, build_id)
    assert not harness.json_rpc().knows(signed["transaction_hash"])
    assert harness.task("BroadcastDeployment", build_id)["progress"] == "broadcast"


# ── Stuck, missing, too late ────────────────────────────────────────────────────────────────────


def test_a_stuck_creation_is_replaced_at_its_nonce_and_any_signature_counts(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    harness.chains[FIRST].rpc("evm_setAutomine", False)
    first = harness.send(build_id)
    assert harness.task("ConfirmDeployment", build_id, polls=0)["progress"] == "pending"
    harness.slipway.clock.advance(7)
    assert harness.task("ConfirmDeployment", build_id, polls=1)["progress"] == "stuck"
    harness.signer("bump", build_id)
    bumped = transaction_for(build_id, "build:31337:1")
    assert bumped
    assert (int(bumped.nonce), bumped.transaction_hash != first["transaction_hash"]) == (first["nonce"], True)
    assert harness.deployment(build_id).transaction_hash == bumped.transaction_hash
    harness.task("BroadcastDeployment", build_id)
    harness.chains[FIRST].mine(2)
    assert harness.task("ConfirmDeployment", build_id, polls=2)["progress"] == "confirmed"
    assert len(harness.created()) == 1


def test_a_creation_that_nodes_lost_or_a_reorganisation_took_is_sent_again(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    harness.sign(build_id)
    snapshot = harness.chains[FIRST].rpc("evm_snapshot")
    harness.task("BroadcastDeployment", build_id)
    harness.chains[FIRST].mine(1)
    harness.chains[FIRST].rpc("evm_revert", snapshot)
    assert harness.task("ConfirmDeployment", build_id, polls=0)["progress"] == "missing"
    harness.task("BroadcastDeployment", build_id)
    harness.chains[FIRST].mine(2)
    assert harness.task("ConfirmDeployment", build_id, polls=1)["progress"] == "confirmed"
    assert len(harness.created()) == 1


def _use_elsewhere(anvil: Anvil, address: str) -> None:
    """Let another program that has the key use the account's next nonce."""
    anvil.rpc("anvil_impersonateAccount", address)
    anvil.rpc("eth_sendTransaction", {"from": address, "to": address, "value": "0x0"})
    anvil.rpc("anvil_stopImpersonatingAccount", address)


def test_a_creation_whose_nonce_was_used_elsewhere_is_signed_anew_in_the_same_run(harness: BuildHarness) -> None:
    build_id, anvil = harness.build(FIRST), harness.chains[FIRST]
    signed = harness.sign(build_id)
    _use_elsewhere(anvil, signed["signer"])
    harness.task("BroadcastDeployment", build_id)
    assert harness.task("ConfirmDeployment", build_id, polls=0)["progress"] == "missing", "its block is not confirmed"
    anvil.mine(1)
    assert harness.task("ConfirmDeployment", build_id, polls=1)["progress"] == "begin"
    again = harness.send(build_id)
    anvil.mine(2)
    assert harness.task("ConfirmDeployment", build_id, polls=0)["progress"] == "confirmed"
    assert again["transaction_hash"] != signed["transaction_hash"]
    assert harness.created() == [harness.deployment(build_id).address]
    assert int(harness.deployment(build_id).attempt) == 2


def _called_off(harness: BuildHarness, build_id: str) -> None:
    anvil = harness.chains[FIRST]
    anvil.rpc("evm_setAutomine", False)
    harness.send(build_id)
    harness.slipway.clock.restart(901)
    assert harness.task("ConfirmDeployment", build_id, polls=9)["progress"] == "expired"
    harness.signer("cancel", build_id)
    harness.task("BroadcastDeployment", build_id)
    anvil.mine(2)
    with pytest.raises(DeploymentFailedError, match="called off"):
        harness.task("ConfirmDeployment", build_id, polls=10)
    harness.fail(build_id, "DeploymentFailedError", "It was called off")
    harness.slipway.clock.restart()
    anvil.rpc("evm_setAutomine", True)


def test_past_its_deadline_a_creation_is_called_off_and_can_be_tried_again(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    _called_off(harness, build_id)
    stored = harness.deployment(build_id)
    assert (stored.status, stored.error_code, stored.error_message) == (
        "failed",
        "DEPLOYMENT_FAILED",
        "It was called off",
    )
    assert harness.task("BeginDeployment", build_id)["progress"] == "ended", "this run has told its end"
    harness.end(build_id, Status.FAILED)
    harness.run_again(build_id)
    address = harness.deploy(build_id)
    stored = harness.deployment(build_id)
    assert (stored.status, int(stored.attempt)) == ("deployed", 2)
    assert stored.error_code is None
    assert harness.created() == [address]
    assert {row["purpose"] for row in _gas(harness)["transactions"]} == {"cancel", f"build:{FIRST}:2"}


# ── One chain fails ─────────────────────────────────────────────────────────────────────────────


def test_a_chain_that_is_down_leaves_the_other_alone(harness: BuildHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    build_id = harness.build()
    harness.task("BeginDeployment", build_id, SECOND)
    with monkeypatch.context() as down:
        down.setattr(harness.chains[SECOND].client, "stream", _refuse)
        with pytest.raises(UpstreamUnavailableError):
            harness.signer("sign", build_id, SECOND)
    harness.fail(build_id, "UpstreamUnavailableError", "No node of chain 5001 answered", SECOND)
    address = harness.deploy(build_id)
    stored = harness.deployment(build_id, SECOND)
    assert (stored.status, stored.error_code) == ("failed", "UPSTREAM_UNAVAILABLE")
    assert stored.transaction_hash is None
    assert harness.deployment(build_id).address == address
    assert "The deployment to chain 5001 failed: No node of chain 5001 answered" in harness.messages(build_id)
    assert harness.complete(build_id) == "done"
    build = harness.item(build_id)
    assert (build.status, build.error_code) == ("failed", "DEPLOYMENT_FAILED")
    assert build.error_message == "Deployed to 1 of 2 chains; chain 5001: No node of chain 5001 answered"
    assert build.total_cost == harness.deployment(build_id).cost
    harness.run_again(build_id)
    assert harness.task("BeginDeployment", build_id, FIRST)["progress"] == "ended"
    second = harness.deploy(build_id, SECOND)
    assert (harness.created(FIRST), harness.created(SECOND)) == ([address], [second])
    assert harness.complete(build_id) == "done"
    build = harness.item(build_id)
    assert (build.status, harness.messages(build_id)[-1]) == ("complete", "Deployed to 2 chains")
    assert int(build.total_cost) == sum(int(harness.deployment(build_id, chain).cost) for chain in (FIRST, SECOND))


def _refuse(*_: Any, **__: Any) -> Any:
    raise httpx.ConnectError("down")


def test_a_creation_that_reverts_costs_and_is_tried_again_with_another_nonce(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    signed = harness.sign(build_id)
    anvil = harness.chains[FIRST]
    # Whoever signs has the address taken already, so that the creation fails when it is mined.
    taken = harness.deployment(build_id).address
    anvil.rpc("anvil_setCode", taken, "0x60")
    harness.task("BroadcastDeployment", build_id)
    anvil.mine(2)
    with pytest.raises(DeploymentFailedError, match="reverted"):
        harness.task("ConfirmDeployment", build_id, polls=0)
    harness.fail(build_id, "DeploymentFailedError", "The transaction was mined and reverted")
    stored = harness.deployment(build_id)
    assert (stored.status, stored.transaction_hash) == ("failed", signed["transaction_hash"])
    assert int(stored.gas_used) > 0
    assert int(stored.cost) > 0
    harness.end(build_id, Status.FAILED)
    harness.run_again(build_id)
    assert harness.deploy(build_id) != taken
    harness.inspect(signed["signer"])
    rows = _gas(harness)["transactions"]
    assert {row["purpose"] for row in rows} == {f"build:{FIRST}:1", f"build:{FIRST}:2"}
    assert {(row["kind"], row["job_id"], row["wallet"]) for row in rows} == {("build", build_id, ALICE.address)}
    assert int(harness.deployment(build_id).attempt) == 2


def test_what_is_on_the_chain_is_not_called_failed(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    harness.send(build_id)
    harness.chains[FIRST].mine(2)
    harness.fail(build_id, "States.Timeout")
    stored = harness.deployment(build_id)
    assert (stored.status, stored.address) == ("deployed", harness.created()[0])
    assert stored.error_code is None


def test_what_was_called_failed_and_is_mined_all_the_same_is_reported(harness: BuildHarness) -> None:
    """The other chain's branch still goes on, so that the build's listeners hear of it."""
    build_id = harness.build()
    anvil = harness.chains[FIRST]
    anvil.rpc("evm_setAutomine", False)
    signed = harness.send(build_id)
    harness.fail(build_id, "UpstreamUnavailableError")
    assert harness.deployment(build_id).status == "failed"
    anvil.mine(2)
    assert harness.inspect(signed["signer"]) == []
    stored = harness.deployment(build_id)
    assert (stored.status, stored.address) == ("deployed", harness.created()[0])
    assert stored.error_code is None
    assert harness.messages(build_id)[-1] == f"Deployed to first at {stored.address}"
    harness.deploy(build_id, SECOND)
    assert harness.complete(build_id) == "done"
    assert harness.item(build_id).status == "complete"


def test_a_retry_waits_for_what_may_still_be_mined(harness: BuildHarness) -> None:
    """The first run gave up on a transaction that is on its way: a second one would make a second contract."""
    build_id = harness.build(FIRST)
    anvil = harness.chains[FIRST]
    anvil.rpc("evm_setAutomine", False)
    first = harness.send(build_id)
    harness.fail(build_id, "UpstreamUnavailableError")
    harness.end(build_id, Status.FAILED)
    harness.run_again(build_id)
    assert harness.task("BeginDeployment", build_id)["progress"] == "sign"
    assert harness.signer("sign", build_id) == first
    harness.task("BroadcastDeployment", build_id)
    anvil.mine(2)
    assert harness.task("ConfirmDeployment", build_id, polls=0)["progress"] == "confirmed"
    assert len(harness.created()) == 1
    assert harness.deployment(build_id).error_code is None


def test_a_retry_whose_nonce_is_closed_under_it_begins_anew(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    signed = harness.sign(build_id)
    harness.end(build_id, Status.CANCELLED)
    assert harness.inspect(signed["signer"]) == [signed["nonce"]]
    harness.run_again(build_id)
    assert harness.task("BeginDeployment", build_id)["progress"] == "sign"
    harness.signer("sign", build_id)
    # Reconcile had seen that nobody served the nonce, and now closes it.
    harness.close(signed["signer"], signed["nonce"])
    harness.task("BroadcastDeployment", build_id)
    harness.chains[FIRST].mine(2)
    assert harness.task("ConfirmDeployment", build_id, polls=0)["progress"] == "begin"
    address = harness.deploy(build_id)
    assert harness.created() == [address]
    assert int(harness.deployment(build_id).attempt) == 2


def test_a_run_that_another_took_the_place_of_does_nothing(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST)
    old = harness.item(build_id).job_id
    harness.sign(build_id)
    harness.end(build_id, Status.FAILED)
    harness.run_again(build_id)
    assert harness.task("BeginDeployment", build_id)["progress"] == "sign"
    for state in ("BeginDeployment", "BroadcastDeployment"):
        assert harness.task(state, build_id, job_id=old)["progress"] == "ended"
    assert harness.task("ConfirmDeployment", build_id, job_id=old, polls=0)["progress"] == "ended"
    assert ChainStatus(harness.deployment(build_id).status) is ChainStatus.SIGNED


def test_a_chain_that_was_taken_out_of_the_configuration_fails(harness: BuildHarness) -> None:
    build_id = harness.build(77)
    assert harness.task("BeginDeployment", build_id, 77)["progress"] == "sign"
    harness.fail(build_id, "UpstreamUnavailableError", "No node of chain 77 answered", 77)
    assert harness.deployment(build_id, 77).error_code == "UPSTREAM_UNAVAILABLE"


# ── What a founder needs next ───────────────────────────────────────────────────────────────────


def test_a_build_shows_what_programs_and_explorers_need(
    harness: BuildHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build_id = harness.build()
    addresses = {chain_id: harness.deploy(build_id, chain_id) for chain_id in (FIRST, SECOND)}
    assert harness.complete(build_id) == "done"
    ask = partial(harness.slipway.api, token=harness.slipway.token(ALICE), path={"build_id": build_id})
    build, abi = ask("api_builds_detail").body, ask("api_builds_abi").body
    artifact = contracts.load("HokusaiToken")
    assert abi == build["abi"] == artifact.abi
    first, second = build["deployments"]
    sent = harness.chains[FIRST].rpc("eth_getTransactionByHash", first["tx_hash"])["input"]
    assert build["bytecode_hash"] == "0x" + keccak256(bytes.fromhex(sent[2:])).hex()
    assert sent == artifact.bytecode + first["constructor_arguments_encoded"][2:]
    assert first["explorer_contract_url"] == f"https://explorer.test/address/{addresses[FIRST]}"
    assert build["costs"] == [
        {"chain_id": entry["chain_id"], "currency": "ETH", "cost": entry["cost"]} for entry in (first, second)
    ]
    assert int(build["total_cost_wei"]) == int(first["cost"]) + int(second["cost"])
    # The snippet is a program that runs.
    (tmp_path / "abi.json").write_text(json.dumps(abi))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RPC_URL", harness.chains[SECOND].url)
    exec(second["snippets"]["web3_py"], {})  # noqa: S102 (what a founder runs)
    assert capsys.readouterr().out.splitlines()[-1] == "Harbour"
    assert addresses[SECOND] in second["snippets"]["viem"]


def test_costs_in_different_currencies_are_not_added_up(harness: BuildHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    build_id = harness.build()
    for chain_id in (FIRST, SECOND):
        harness.deploy(build_id, chain_id)
    harness.complete(build_id)
    service, chains = build_service(), chain_settings().chains
    known = {FIRST: chains[FIRST], SECOND: dataclasses.replace(chains[SECOND], currency="MNT")}
    monkeypatch.setattr(service, "_chains", known)
    token = harness.slipway.token(ALICE)
    build = harness.slipway.api("api_builds_detail", token=token, path={"build_id": build_id}).body
    assert (build["total_cost"], build["total_cost_wei"]) == (None, None)
    assert [entry["currency"] for entry in build["costs"]] == ["ETH", "MNT"]
    costs = {entry["chain_id"]: entry["cost"] for entry in build["costs"]}
    (wallet,) = _gas(harness)["wallets"]
    assert {entry["chain_id"]: entry["cost"] for entry in wallet["costs"]} == costs, "apart by chain"
    assert detail_of(harness.item(build_id), known, None, in_list=True).total_cost is None
    assert detail_of(harness.item(build_id), chains, None, in_list=True).total_cost


def _gas(harness: BuildHarness) -> dict[str, Any]:
    """Return what administrators see of the gas of users' jobs."""
    return dict(harness.slipway.api("api_admin_gas", token=harness.slipway.token(ADMIN)).body)


# ── A wallet's own ──────────────────────────────────────────────────────────────────────────────


def _shown(harness: BuildHarness, build_id: str, chain_id: int = FIRST) -> dict[str, Any]:
    path = {"build_id": build_id}
    detail = harness.slipway.api("api_builds_detail", token=harness.slipway.token(ALICE), path=path).body
    return next(entry for entry in detail["deployments"] or [] if entry["chain_id"] == chain_id)


def _by_wallet(harness: BuildHarness, data: str, chain_id: int = FIRST, to: str | None = None) -> str:
    """Do what the caller's wallet does with an unsigned transaction, and return its hash."""
    anvil = harness.chains[chain_id]
    anvil.rpc("anvil_setBalance", ALICE.address, hex(ETHER))
    anvil.rpc("anvil_impersonateAccount", ALICE.address)
    sent = {"from": ALICE.address, "data": data, "gas": hex(8_000_000), **({"to": to} if to else {})}
    return str(anvil.rpc("eth_sendTransaction", sent))


def _follow(harness: BuildHarness, build_id: str, tx_hash: str, chain_id: int = FIRST, **more: Any) -> Any:
    token = harness.slipway.token(more.pop("account", ALICE))
    path = {"build_id": build_id, "chain_id": str(chain_id)}
    return harness.slipway.api("api_builds_follow", token=token, path=path, body={"tx_hash": tx_hash}, **more)


def _prepare(harness: BuildHarness, build_id: str) -> list[int]:
    payload = {"state": "Prepare", "build_id": build_id, "job_id": harness.item(build_id).job_id}
    return [entry["chain_id"] for entry in harness.slipway.invoke("BuildTasks", payload)["chains"]]


def test_a_wallet_deploys_what_was_audited_on_each_chain(harness: BuildHarness) -> None:
    build_id = harness.build(signer="wallet")
    for chain_id in (FIRST, SECOND):
        shown = _shown(harness, build_id, chain_id)
        assert (shown["status"], shown["transaction"]["chainId"]) == ("pending", chain_id)
        assert set(shown["transaction"]) == {"data", "value", "chainId", "gas", "description"}
        tx_hash = _by_wallet(harness, shown["transaction"]["data"], chain_id)
        receipt = harness.json_rpc(chain_id).receipt(tx_hash)
        assert receipt
        assert receipt.gas_used < shown["transaction"]["gas"] < 2.5 * receipt.gas_used
        answer = _follow(harness, build_id, tx_hash, chain_id)
        assert (answer.status, answer.body["status"], answer.body["chains"]) == (200, "deploying", [chain_id])
    # The second joined the run of the first.
    assert _prepare(harness, build_id) == [FIRST, SECOND]
    for chain_id in (FIRST, SECOND):
        begun = harness.task("BeginDeployment", build_id, chain_id)
        assert (begun["progress"], begun["pause_seconds"]) == ("broadcast", 2)
        assert harness.task("ConfirmDeployment", build_id, chain_id, polls=0)["progress"] == "pending"
        harness.chains[chain_id].mine(1)
        assert harness.task("ConfirmDeployment", build_id, chain_id, polls=1)["progress"] == "confirmed"
    assert harness.complete(build_id) == "done"
    assert harness.item(build_id).status == "complete"
    shown = _shown(harness, build_id)
    assert (shown["status"], shown["transaction"], shown["verification"]["status"]) == ("deployed", None, "pending")
    assert b"Harbour" in harness.json_rpc().eth_call(shown["address"], bytes.fromhex("06fdde03"))
    assert [signer.signatures for signer in harness.signers] == [0, 0], "Slipway signs nothing for it"
    assert _gas(harness)["transactions"] == [], "it cost the operator nothing"
    refused = _follow(harness, build_id, "0x" + "11" * 32)
    assert (refused.status, refused.code) == (409, "CONFLICT")


@pytest.mark.parametrize("other", ["code", "arguments", "call"])
def test_what_is_not_the_audited_code_is_reported_as_such(harness: BuildHarness, other: str) -> None:
    build_id = harness.build(FIRST, signer="wallet")
    data = _shown(harness, build_id)["transaction"]["data"]
    wrong = {
        "code": "0x" + creation_code(contracts.load("TokenManager").bytecode, ARGUMENTS).hex(),
        "arguments": data.replace(ALICE.address[2:].lower(), "66" * 20),
        "call": data,
    }[other]
    assert other == "call" or wrong != data
    tx_hash = _by_wallet(harness, wrong, to=POOL_ADDRESS if other == "call" else None)
    assert _follow(harness, build_id, tx_hash).status == 200
    _prepare(harness, build_id)
    harness.task("BeginDeployment", build_id)
    harness.chains[FIRST].mine(2)
    with pytest.raises(CodeMismatchError) as caught:
        harness.task("ConfirmDeployment", build_id, polls=0)
    harness.fail(build_id, "CodeMismatchError", caught.value.message)
    assert harness.complete(build_id) == "done"
    build, shown = harness.item(build_id), _shown(harness, build_id)
    assert (build.status, shown["status"], shown["error_code"]) == ("failed", "failed", "CODE_MISMATCH")
    assert shown["address"] is None
    # The right one takes its place.
    right = _by_wallet(harness, shown["transaction"]["data"])
    assert _follow(harness, build_id, right).status == 200
    _prepare(harness, build_id)
    harness.task("BeginDeployment", build_id)
    harness.chains[FIRST].mine(2)
    assert harness.task("ConfirmDeployment", build_id, polls=0)["progress"] == "confirmed"
    assert harness.complete(build_id) == "done"
    assert harness.item(build_id).status == "complete"


def test_a_later_hash_takes_the_place_of_one_that_is_not_mined(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST, signer="wallet")
    assert _follow(harness, build_id, "0x" + "ab" * 32).status == 200
    _prepare(harness, build_id)
    harness.task("BeginDeployment", build_id)
    assert harness.task("ConfirmDeployment", build_id, polls=0)["progress"] == "pending"
    again = _follow(harness, build_id, "0x" + "ab" * 32)
    assert (again.status, int(harness.deployment(build_id).attempt)) == (200, 1), "the same hash changes nothing"
    harness.slipway.clock.restart(901)
    with pytest.raises(DeploymentFailedError, match="No block of first"):
        harness.task("ConfirmDeployment", build_id, polls=9)
    harness.slipway.clock.restart()
    tx_hash = _by_wallet(harness, _shown(harness, build_id)["transaction"]["data"])
    assert _follow(harness, build_id, tx_hash).status == 200
    harness.chains[FIRST].mine(2)
    assert harness.task("ConfirmDeployment", build_id, polls=10)["progress"] == "confirmed"


def test_a_hash_that_comes_while_the_run_ends_is_not_forgotten(
    harness: BuildHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_id = harness.build(signer="wallet")
    data = _shown(harness, build_id)["transaction"]["data"]
    _follow(harness, build_id, _by_wallet(harness, data))
    _prepare(harness, build_id)
    harness.task("BeginDeployment", build_id)
    harness.chains[FIRST].mine(2)
    harness.task("ConfirmDeployment", build_id, polls=0)
    second = _by_wallet(harness, data, SECOND)

    def late(build: str) -> Any:
        found = chain_deployments(build)
        monkeypatch.undo()
        assert _follow(harness, build_id, second, SECOND).status == 200
        return found

    monkeypatch.setattr(completion, "chain_deployments", late)
    assert harness.complete(build_id) == "prepare"
    assert _prepare(harness, build_id) == [FIRST, SECOND]


def test_hashes_are_the_owners_and_of_builds_that_a_wallet_signs(harness: BuildHarness) -> None:
    build_id, tx_hash = harness.build(FIRST, signer="wallet"), "0x" + "ab" * 32
    assert _follow(harness, build_id, tx_hash, account=BOB).status == 404
    assert _follow(harness, build_id, tx_hash, 4711).status == 400
    for wrong in ("0x12", "ab" * 32, 7, None, tx_hash + "00"):
        assert _follow(harness, build_id, wrong).status == 400  # type: ignore[arg-type]
    ours = harness.build(FIRST)
    assert (_follow(harness, ours, tx_hash).status, _shown(harness, ours)["transaction"]) == (409, None)
    unaudited = harness.build(FIRST, signer="wallet", deployable=False)
    assert _follow(harness, unaudited, tx_hash).status == 409


def test_a_hash_is_asked_for_with_one_key_and_never_again_for_a_contract_that_is_there(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST, signer="wallet")
    tx_hash = _by_wallet(harness, _shown(harness, build_id)["transaction"]["data"])
    key = {"idempotency-key": str(uuid.uuid4())}
    first = _follow(harness, build_id, tx_hash, headers=key)
    assert _follow(harness, build_id, tx_hash, headers=key).body == first.body
    other = _follow(harness, build_id, "0x" + "cd" * 32, headers=key)
    assert (other.status, other.code) == (409, "IDEMPOTENCY_MISMATCH")
    assert int(harness.item(build_id).runs) == 2


def test_a_build_that_is_cancelled_while_it_is_followed_can_be_followed_again(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST, signer="wallet")
    tx_hash = _by_wallet(harness, _shown(harness, build_id)["transaction"]["data"])
    assert _follow(harness, build_id, tx_hash).status == 200
    cancelled = harness.slipway.api(
        "api_builds_cancel", token=harness.slipway.token(ALICE), path={"build_id": build_id}
    )
    assert cancelled.status == 200
    harness.chains[FIRST].mine(2)
    assert harness.task("ConfirmDeployment", build_id, polls=0)["progress"] == "ended"
    assert harness.item(build_id).status == "cancelled"
    retried = harness.slipway.api("api_builds_retry", token=harness.slipway.token(ALICE), path={"build_id": build_id})
    assert retried.status == 409
    assert _follow(harness, build_id, tx_hash).status == 200
    _prepare(harness, build_id)
    harness.task("BeginDeployment", build_id)
    assert harness.task("ConfirmDeployment", build_id, polls=0)["progress"] == "confirmed"
    assert harness.complete(build_id) == "done"
    assert harness.item(build_id).status == "complete"


@pytest.mark.parametrize("chain_id", ["0", "-1", "1e3", "0x7a69", "9" * 40, "anvil"])
def test_chains_that_are_none_are_refused(harness: BuildHarness, chain_id: str) -> None:
    build_id = harness.build(FIRST, signer="wallet")
    path = {"build_id": build_id, "chain_id": chain_id}
    body = {"tx_hash": "0x" + "ab" * 32}
    answer = harness.slipway.api("api_builds_follow", token=harness.slipway.token(ALICE), path=path, body=body)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


def test_code_that_was_swapped_is_handed_to_no_wallet(harness: BuildHarness) -> None:
    build_id, other = harness.build(FIRST, signer="wallet"), contracts.load("TokenManager")
    body = json.dumps({"abi": other.abi, "bytecode": other.bytecode}).encode()
    boto3.client("s3").put_object(Bucket=BUCKET, Key=f"builds/{build_id}/contract-0.json", Body=body)
    answer = harness.slipway.api("api_builds_detail", token=harness.slipway.token(ALICE), path={"build_id": build_id})
    assert (answer.status, answer.code) == (502, "UPSTREAM_UNAVAILABLE")


def test_a_wallets_build_takes_more_chains_without_a_run(harness: BuildHarness) -> None:
    build_id = harness.build(FIRST, signer="wallet")
    path, token = {"build_id": build_id}, harness.slipway.token(ALICE)
    answer = harness.slipway.api("api_builds_deploy", token=token, path=path, body=[SECOND])
    assert (answer.status, answer.body["status"]) == (200, "complete")
    assert _shown(harness, build_id, SECOND)["transaction"]["chainId"] == SECOND
    assert int(harness.item(build_id).runs) == 1
