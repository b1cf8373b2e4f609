"""Slipway against geth, the client that most of Ethereum's nodes are: launches, builds and an escrow deposit.

anvil takes what other clients refuse, and says it in other words. The second chain has a least tip of 25 gwei, as
Polygon's nodes have.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from eth_account import Account
from moto import mock_aws

from local.chains import chain_entry
from local.geth import CHAIN_ID, Geth, has_go
from local.ports import free_ports
from slipway.chain.administration import Administration
from slipway.chain.install import InstalledContracts
from slipway.chain.install import install as install_contracts
from slipway.chain.install_escrow import install_escrow
from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.kms_signer import KmsSigner
from slipway.chain.models import Call, Fees, UnsignedTransaction
from slipway.chain.rpc_errors import Verdict
from slipway.chain.signing import ChainSigning
from slipway.chain.store import chain_configuration, save_contracts, save_escrow, transaction_for
from slipway.chain.write_ahead import WriteAhead
from slipway.chains import GWEI
from slipway.configuration import chain_settings
from slipway.tokens import calls
from tests.functional.builds.test_chain_deployment import BuildHarness
from tests.support.functions import function_app
from tests.support.installation import Installation, install
from tests.support.keys import FakeKms
from tests.support.nodes import FakeNode
from tests.support.state_machine import StateMachine
from tests.support.waiting import eventually
from tests.support.wallets import ALICE
from tests.support.workloads import put_workload

CHAIN = chain_entry(chain_id=CHAIN_ID, name="geth", max_fee_per_gas=500 * GWEI)
ADMINISTRATOR = "0x" + "ad" * 32
POOL = [0xD1, 0xD2]
ETHER = 10**18
USDC = 10**6
SECONDS = 60
MIN_TIP = 25 * GWEI

pytestmark = pytest.mark.skipif(
    not has_go() and not os.environ.get("CI"), reason="geth is built with Go, which this machine does not have"
)


def _signers() -> list[KmsSigner]:
    return [KmsSigner(FakeKms(ec.SECP256K1(), secret, high_s=bool(secret % 2)), "key") for secret in POOL]  # type: ignore[arg-type]


@dataclass
class Node:
    """A geth with Slipway's contracts on it."""

    geth: Geth
    least_tip: int
    contracts: InstalledContracts
    escrow: str
    usdc: str


@pytest.fixture(scope="module", params=[0, MIN_TIP], ids=["geth", "geth with a least tip of 25 gwei"])
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    least_tip = request.param
    arguments = [f"--miner.gasprice={least_tip}", f"--txpool.pricelimit={least_tip}"] if least_tip else []
    (port,) = free_ports(1)
    geth = Geth(port, tmp_path_factory.mktemp("geth"), arguments)
    try:
        registrars = [signer.address for signer in _signers()]
        for address in (Account.from_key(ADMINISTRATOR).address, ALICE.address, *registrars):
            geth.fund(address, 100 * ETHER)
        administration = Administration(geth.url, ADMINISTRATOR, SECONDS)
        usdc = administration.deploy("TestUSDC")
        administration.send(administration.contract("TestUSDC", usdc).functions.mint(ALICE.address, 100 * USDC))
        escrow = install_escrow(geth.url, ADMINISTRATOR, usdc, registrars)
        yield Node(geth, least_tip, install_contracts(geth.url, ADMINISTRATOR, registrars), escrow, usdc)
    finally:
        geth.stop()


def _wait(seconds: float) -> None:
    """Pauses are for chains with slower blocks."""
    time.sleep(seconds * 0.2)  # noqa: TID251 (geth's blocks need real time)


@dataclass
class World:
    """An installation whose tokens live on the node."""

    slipway: Installation
    node: Node
    signing: ChainSigning

    @property
    def rpc(self) -> JsonRpc:
        return self.signing.rpc

    def invoke(self, tasks: str) -> Callable[[dict[str, Any]], Any]:
        return lambda payload: self.slipway.invoke("SignerFunction" if "operation" in payload else tasks, payload)

    def launch(self) -> str:
        """Bring a launch to its end and return its deployment's id."""
        deployment_id = self.slipway.place()
        StateMachine("token_deploy", self.invoke("TokenDeployTasks"), _wait).run({"deployment_id": deployment_id})
        return deployment_id

    def status(self, deployment_id: str) -> dict[str, Any]:
        answer = self.slipway.api("api_deployments_status", token=self.slipway.token(), path={"id": deployment_id})
        assert isinstance(answer.body, dict)
        return answer.body


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, node: Node) -> Iterator[World]:
    monkeypatch.setenv("TOKEN_CHAIN_ID", str(CHAIN_ID))
    with mock_aws(), httpx.Client() as client:
        slipway = install(monkeypatch, FakeNode(), node.geth.url, CHAIN)
        signers = _signers()
        contracts = node.contracts
        addresses = [signer.address for signer in signers]
        save_contracts(CHAIN_ID, contracts.model_registry, contracts.token_manager, addresses)
        save_escrow(CHAIN_ID, node.escrow)
        chain = chain_settings().token_chain
        rpc = JsonRpc(chain, client)
        signing = ChainSigning(chain, rpc, WriteAhead(signers, chain, rpc))
        monkeypatch.setattr(function_app("signer"), "_chain_signing", lambda _, **__: signing)
        yield World(slipway, node, signing)


def test_tokens_are_launched(world: World) -> None:
    for _ in range(3):
        deployment_id = world.launch()
        status = world.status(deployment_id)
        assert status["status"] == "completed", status
        receipts = [world.node.geth.receipt(status[name]) for name in ("deployment_tx_hash", "registry_tx_hash")]
        assert [receipt["status"] for receipt in receipts] == ["0x1", "0x1"]
        used = [(int(receipt["gasUsed"], 16), int(receipt["effectiveGasPrice"], 16)) for receipt in receipts]
        assert status["total_cost"] == str(sum(gas * price for gas, price in used))
        registry = world.node.contracts.model_registry
        assert calls.registered_token(world.rpc, registry, status["model_id"]) == status["token_address"].lower()


def test_the_contract_of_a_build_is_deployed(world: World) -> None:
    harness = BuildHarness(world.slipway, {}, [])
    build_id = harness.build(CHAIN_ID)
    harness.send(build_id, CHAIN_ID)

    def address() -> str | None:
        found = harness.task("ConfirmDeployment", build_id, CHAIN_ID, polls=0)
        if found["progress"] == "stuck":
            harness.signer("bump", build_id, CHAIN_ID)
            harness.task("BroadcastDeployment", build_id, CHAIN_ID)
        return str(harness.deployment(build_id, CHAIN_ID).address) if found["progress"] == "confirmed" else None

    assert world.rpc.code_at(eventually(address, within=SECONDS, every=0.2))


def test_a_deposit_is_made_and_refunded(world: World) -> None:
    token, job = world.slipway.token(), str(uuid.uuid4())

    def send(transactions: list[dict[str, Any]]) -> None:
        for entry in transactions:
            call = Call(entry["to"], bytes.fromhex(entry["data"][2:]), 0)
            needed = world.rpc.estimate_gas(ALICE.address, call)
            # geth's development chain has the newest fork, where a new slot costs several times what it cost before.
            assert entry["gas"] >= needed
            fees = world.rpc.fees()
            signed = ALICE.sign_transaction(
                {
                    **{name: entry[name] for name in ("to", "data", "value", "chainId", "gas")},
                    "nonce": world.rpc.transaction_count(ALICE.address),
                    "maxFeePerGas": 3 * fees.base_fee_per_gas + fees.priority_fee_per_gas,
                    "maxPriorityFeePerGas": fees.priority_fee_per_gas,
                }
            )
            hashed = world.rpc.send_raw(signed.raw_transaction.to_0x_hex())
            assert eventually(partial(world.rpc.receipt, hashed), within=SECONDS, every=0.2).succeeded

    put_workload(job, ALICE.address)
    answer = world.slipway.api("api_escrow_deposit", token=token, body={"job_id": job, "amount": "2.5"})
    assert answer.status == 200, answer.body
    assert answer.body["permit"]
    send(answer.body["transactions"])
    found = world.slipway.api("api_escrow_status", token=token, query=f"job_id={job}").body
    assert (found["deposited"], found["refundable"]) == ("2.500000", "2.500000")
    send(world.slipway.api("api_escrow_refund", token=token, query=f"job_id={job}").body["transactions"])
    found = world.slipway.api("api_escrow_status", token=token, query=f"job_id={job}").body
    assert (found["refunded"], found["refundable"]) == ("2.500000", "0.000000")


# ── What geth says, and what that leads to ──────────────────────────────────────────────────────


def _verdict(world: World, signer: KmsSigner | None = None, **changes: Any) -> Verdict:
    """How geth refuses a transaction of an account of the pool."""
    signer = signer or _signers()[0]
    fees = world.rpc.fees()
    given: dict[str, Any] = {
        "chain_id": CHAIN_ID,
        "nonce": world.rpc.transaction_count(signer.address),
        "fees": Fees(4 * fees.base_fee_per_gas + fees.priority_fee_per_gas, fees.priority_fee_per_gas),
        "call": Call(ALICE.address, b"", 21_000),
    }
    with pytest.raises(RpcError) as caught:
        world.rpc.send_raw(signer.sign(UnsignedTransaction(**{**given, **changes})).raw)
    return caught.value.classification.verdict


def test_what_can_never_be_taken_is_final(world: World) -> None:
    assert _verdict(world, call=Call(ALICE.address, b"", 20_999)) is Verdict.FINAL
    assert _verdict(world, call=Call(None, b"\x60" * 50_000, 16_000_000)) is Verdict.FINAL
    assert _verdict(world, call=Call(ALICE.address, b"", 2**24 + 1)) is Verdict.FINAL
    assert _verdict(world, chain_id=CHAIN_ID + 1) is Verdict.FINAL


def test_a_nonce_that_is_used_up_is_looked_at(world: World) -> None:
    used = next(signer for signer in _signers() if world.rpc.transaction_count(signer.address))
    assert used.address
    assert _verdict(world, signer=used, nonce=0) is Verdict.CHECK


def test_a_revert_is_a_judgement_and_another_failure_is_not(world: World) -> None:
    terms = calls.Terms(ALICE.address, 0, {})
    registration = calls.registration(world.node.contracts.model_registry, "model", ALICE.address, terms)
    with pytest.raises(RpcError, match="revert"):
        world.rpc.estimate_gas(ALICE.address, registration.call())


def test_a_tip_under_the_least_is_bumped_to_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain whose node does not suggest a tip: what it refuses says what it wants, and the next launch knows."""
    if not world.node.least_tip:
        pytest.skip("This geth wants no tip")
    fees = JsonRpc.fees
    monkeypatch.setattr(JsonRpc, "fees", lambda rpc: type(fees(rpc))(fees(rpc).base_fee_per_gas, 0))
    assert world.status(world.launch())["status"] == "completed"
    assert chain_configuration(CHAIN_ID).wanted_tip == MIN_TIP
    second = world.launch()
    item = transaction_for(second, "deploy")
    assert item
    assert (list(item.hashes), item.fees.max_priority_fee_per_gas) == ([item.transaction_hash], MIN_TIP)


def test_legacy_transactions_are_taken(world: World) -> None:
    signer, fees = _signers()[1], world.rpc.fees()
    price = 4 * fees.base_fee_per_gas + fees.priority_fee_per_gas
    nonce = world.rpc.transaction_count(signer.address)
    call = Call(ALICE.address, b"", 21_000)
    signed = signer.sign(UnsignedTransaction(CHAIN_ID, nonce, Fees(price, price, is_legacy=True), call))
    assert world.rpc.send_raw(signed.raw) == signed.transaction_hash
    with pytest.raises(RpcError) as caught:
        world.rpc.send_raw(signed.raw)
    assert caught.value.classification.verdict is Verdict.CHECK
    assert eventually(lambda: world.rpc.receipt(signed.transaction_hash), within=SECONDS, every=0.2).succeeded
