"""Workloads that their owner's escrow pays for, on a chain with the contract: nothing runs unpaid or is overpaid."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import pytest
from web3 import Web3

from slipway import settings
from slipway.akash.changes import WorkloadChanges
from slipway.akash.console import client as console_api
from slipway.akash.console.client import ConsoleApi
from slipway.akash.funding import Funding
from slipway.akash.payments import Payments
from slipway.akash.reconcile import AkashReconcile
from slipway.akash.status.costs import cost_of
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.signing import ChainSigning
from slipway.chain.store import save_contracts
from slipway.chain.write_ahead import WriteAhead
from slipway.configuration import chain_settings
from slipway.errors import PaymentRequiredError
from slipway.executions import execution_starter, execution_status
from tests.functional.contracts.test_escrow_api import Wallet, node_client, wallet
from tests.functional.test_akash_changes import deposit as top_up
from tests.functional.test_akash_changes import patch
from tests.functional.test_akash_deploy import close, deploy, detail, finish, sums
from tests.support.console_simulator import Simulator
from tests.support.functions import function_app
from tests.support.installation import Installation
from tests.support.keys import LocalSigner
from tests.support.nodes import RefusalError
from tests.support.wallets import ADMIN, ALICE, BOB
from tests.support.workloads import sdl_with

from .conftest import Chain, running_chain

__all__ = ["node_client", "wallet"]
SIGNER = LocalSigner("0x" + "61" * 32)
NO_BIDS = sdl_with({"bids": {"none": True}})


class Forward(dict[str, Any]):
    """Passes every method on to the chain, which mines a block whenever its height is asked for."""

    def __init__(self, url: str, client: httpx.Client) -> None:
        super().__init__()
        self._url = url
        self._client = client

    def __missing__(self, method: str) -> Any:
        def ask(params: list[Any]) -> Any:
            if method == "eth_blockNumber":
                self._send("evm_mine", [])
            return self._send(method, params)

        return ask

    def _send(self, method: str, params: list[Any]) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._client.post(self._url, json=body).json()
        if "error" in answer:
            raise RefusalError(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]


@pytest.fixture
def chain() -> Iterator[Chain]:
    """Yield a chain for each test, whose clock agrees with Slipway's at its beginning."""
    with running_chain() as found:
        yield found


@pytest.fixture
def payer(
    wallet: Wallet,
    slipway: Installation,
    simulator: Simulator,
    chain: Chain,
    node_client: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Wallet]:
    """Alice, who pays for her workloads herself."""
    monkeypatch.setenv("AKASH_PAYMENT", "escrow")
    settings.pays_by_escrow.cache_clear()
    slipway.node.answers = Forward(chain.url, node_client)
    chain.fund(SIGNER.address)
    operator = wallet.escrow.functions.OPERATOR_ROLE().call()
    chain.send(wallet.escrow.functions.grantRole(operator, SIGNER.address), chain.accounts[0])
    save_contracts(31337, ALICE.address, ALICE.address, [SIGNER.address])
    token_chain = chain_settings().token_chain
    rpc = JsonRpc(token_chain, slipway.node.client())
    signing = ChainSigning(token_chain, rpc, WriteAhead([SIGNER], token_chain, rpc))
    monkeypatch.setattr(function_app("signer"), "_chain_signing", lambda _: signing)
    yield wallet
    settings.pays_by_escrow.cache_clear()


def request(payer: Wallet, sdl: str | None = None, deposit: str = "5") -> str:
    answer = deploy(payer.slipway, sdl, deposit=deposit)
    assert answer.status == 202, answer.body
    payment = answer.body["payment"]
    assert (payment["status"], payment["amount"]) == ("awaiting_deposit", f"{Decimal(deposit):.6f}")
    assert payment["job_id"] == answer.body["deployment_id"]
    payer.job = payment["job_id"]
    payer.transactions = payment["transactions"]  # type: ignore[attr-defined]
    return payer.job


def pay(payer: Wallet) -> None:
    payer.send(payer.transactions)  # type: ignore[attr-defined]


def held(payer: Wallet) -> dict[str, str]:
    found = payer.figures()
    return {name: found[name] for name in ("deposited", "released", "reserved", "refundable")}


def test_a_workload_runs_on_its_owners_deposit_and_the_rest_comes_back(payer: Wallet, simulator: Simulator) -> None:
    job = request(payer)
    assert detail(payer.slipway, job)["payment"]["status"] == "awaiting_deposit"
    pay(payer)
    found = finish(payer.slipway, job)
    assert (found["status"], found["payment"]["status"]) == ("active", "reserved"), found
    assert held(payer) == {
        "deposited": "5.000000", "released": "0.000000", "reserved": "5.000000", "refundable": "0.000000",
    }  # fmt: skip
    assert payer.refund().code == "CONFLICT"
    payer.slipway.clock.advance(3600)
    close(payer.slipway, job)
    found = finish(payer.slipway, job)
    assert (found["status"], found["payment"]["status"]) == ("closed", "settled"), found
    spent = Decimal(found["payment"]["spent"])
    (entry,) = simulator.ledger()["deployments"]
    assert 0 < spent < 5
    released = spent.quantize(Decimal("0.000001"), rounding="ROUND_UP")
    assert held(payer) == {
        "deposited": "5.000000", "released": str(released), "reserved": "0.000000",
        "refundable": str(Decimal("5.000000") - released),
    }  # fmt: skip
    assert payer.token.functions.balanceOf(SIGNER.address).call() >= int(released * 10**6)
    assert [event["event"] for event in found["events"]].count("settled") == 1
    assert entry["state"] == "closed"
    gas = payer.slipway.api("api_admin_gas", token=payer.slipway.token(ADMIN)).body["transactions"]
    assert {(row["kind"], row["job_id"], row["wallet"]) for row in gas} == {("akash", job, ALICE.address)}
    assert len(gas) == 2, "the reservation and the end, once each"
    assert all(int(row["cost"]) > 0 for row in gas)
    payer.send(payer.refund().body["transactions"])


def test_nothing_is_created_without_a_deposit_of_the_owner_for_the_job(payer: Wallet, simulator: Simulator) -> None:
    job = request(payer)
    payer.chain.send(payer.token.functions.mint(payer.escrow.address, 5_000_000), payer.chain.accounts[0])
    other = request(payer)
    pay(payer)
    found = finish(payer.slipway, job)
    assert (found["status"], found["error"]["code"]) == ("error", "PAYMENT_REQUIRED")
    assert "0.000000 of 5.000000" in found["error"]["message"]
    assert simulator.ledger()["deployments"] == []
    assert finish(payer.slipway, other)["status"] == "active"


def test_a_short_deposit_is_named_and_refundable(payer: Wallet, simulator: Simulator) -> None:
    job = request(payer)
    payer.send(payer.deposit("4.999999").body["transactions"])
    found = finish(payer.slipway, job)
    assert found["error"]["code"] == "PAYMENT_REQUIRED"
    assert "4.999999 of 5.000000" in found["error"]["message"]
    assert simulator.ledger()["deployments"] == []
    payer.send(payer.refund().body["transactions"])
    assert held(payer)["refundable"] == "0.000000"


def test_a_deposit_that_was_taken_back_before_it_was_reserved_pays_for_nothing(
    payer: Wallet, simulator: Simulator
) -> None:
    job = request(payer)
    pay(payer)
    first = payer.slipway.invoke("AkashDeployTasks", {"deployment_id": job})
    assert first["step"] == "sign"
    payer.send(payer.refund().body["transactions"])
    found = finish(payer.slipway, job)
    assert found["status"] == "error"
    assert simulator.ledger()["deployments"] == []


def test_what_never_ran_costs_nothing(payer: Wallet, simulator: Simulator) -> None:
    job = request(payer, NO_BIDS)
    pay(payer)
    found = finish(payer.slipway, job)
    assert (found["error"]["code"], found["payment"]["status"]) == ("BID_TIMEOUT", "settled")
    assert held(payer)["refundable"] == "5.000000"
    assert sums(simulator) == (0, 1, 0)


def test_a_workload_that_is_closed_before_its_deposit_ends_at_once(payer: Wallet, simulator: Simulator) -> None:
    job = request(payer)
    close(payer.slipway, job)
    assert finish(payer.slipway, job)["status"] == "closed"
    pay(payer)
    payer.send(payer.refund().body["transactions"])
    assert simulator.ledger()["deployments"] == []


def test_operators_and_tiers_of_the_account_pay_nothing(
    payer: Wallet, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "payment" not in deploy(payer.slipway, token=payer.slipway.token(ADMIN)).body
    monkeypatch.setenv("AKASH_PAYMENT", '{"standard": "account"}')
    settings.pays_by_escrow.cache_clear()
    assert "payment" not in deploy(payer.slipway, token=payer.slipway.token(BOB)).body
    assert deploy(payer.slipway, token=payer.slipway.token(BOB, tier="other")).body["payment"]


def test_an_estimate_says_who_pays(payer: Wallet, simulator: Simulator) -> None:
    def estimate(account: Any) -> dict[str, Any]:
        token = payer.slipway.token(account)
        body: dict[str, Any] = payer.slipway.api("api_deployments_estimate", body={"sdl": sdl_with()}, token=token).body
        return body

    own, operators = estimate(ALICE), estimate(ADMIN)
    assert (own["payer"], own["chain"], own["most_cost"], own["currency"]) == ("escrow", 31337, "5", "USD")
    assert own["expected_cost"] == own["usd_per_hour"]
    assert (operators["payer"], operators["chain"]) == ("account", None)


# ── While it runs ───────────────────────────────────────────────────────────────────────────────


def look(payer: Wallet, step: str = "10") -> list[str]:
    """Do what one run of reconcile does for workloads that are due, and return their ids."""
    slipway, token_chain = payer.slipway, chain_settings().token_chain
    with slipway.acting_as("ReconcileTasks"):
        start = execution_starter(slipway.akash_machine)
        payments = Payments(token_chain, JsonRpc(token_chain, slipway.node.client()))
        funding = Funding(WorkloadChanges(start), payments, Decimal(step), slipway.clock)
        status = partial(execution_status, slipway.akash_machine)
        timeouts = settings.akash_timeouts()
        due = AkashReconcile(console_api.console_api, timeouts, start, status, slipway.clock, funding).find()
    return due.deployment_ids


def pass_time(payer: Wallet, seconds: float) -> None:
    """Let time pass for Slipway, on Akash and on the chain."""
    payer.slipway.clock.advance(seconds)
    # Whatever state machines waited, or other tests did to the chain: it is the same time everywhere.
    moment = int(payer.slipway.clock.moment().timestamp())
    if moment > payer.chain.web3.eth.get_block("latest")["timestamp"]:
        payer.chain.rpc("evm_setNextBlockTimestamp", moment)
        payer.chain.rpc("evm_mine")


def running(payer: Wallet, **more: Any) -> str:
    job = request(payer, **more)
    pay(payer)
    assert finish(payer.slipway, job)["status"] == "active"
    return job


def events(found: dict[str, Any]) -> list[str]:
    return [event["event"] for event in found["events"]]


def runway(payer: Wallet, simulator: Simulator, job: str) -> float:
    found = simulator.api.deployment(detail(payer.slipway, job)["dseq"])
    seconds = cost_of(found, payer.slipway.clock.moment().timestamp()).runway_seconds
    assert seconds is not None
    return seconds


def pass_until(payer: Wallet, simulator: Simulator, job: str, left: float) -> None:
    """Let time pass until a workload's money lasts so many seconds; blocks come a little faster than is reckoned."""
    while (more := runway(payer, simulator, job) - left) > 0:
        pass_time(payer, max(more * 0.95, 1))


def paid(payer: Wallet) -> Decimal:
    return Decimal(held(payer)["released"])


def whole(spent: str) -> Decimal:
    return Decimal(spent).quantize(Decimal("0.000001"), rounding="ROUND_UP")


def test_what_it_costs_is_released_in_steps_and_once(payer: Wallet, simulator: Simulator) -> None:
    job = running(payer)
    hour = Decimal(detail(payer.slipway, job)["usd_per_hour"])
    step, released = str(hour * 2), Decimal(0)
    for _ in range(2):
        pass_time(payer, 3600)
        look(payer, step)
        assert detail(payer.slipway, job)["payment"]["status"] == "reserved"
        pass_time(payer, 4000)
        look(payer, step)
        found = finish(payer.slipway, job)
        assert paid(payer) >= released + hour * 2
        assert Decimal(found["payment"]["released"]) == paid(payer)
        assert Decimal(held(payer)["reserved"]) == 5 - paid(payer)
        released = paid(payer)
        # Looking again pays nothing more.
        pass_time(payer, 400)
        look(payer, step)
        assert Decimal(finish(payer.slipway, job)["payment"]["released"]) == released
    assert events(found).count("released") == 2
    close(payer.slipway, job)
    found = finish(payer.slipway, job)
    assert (found["status"], found["payment"]["status"]) == ("closed", "settled")
    assert paid(payer) == whole(found["payment"]["spent"]) > released
    assert held(payer)["reserved"] == "0.000000"
    payer.send(payer.refund().body["transactions"])
    assert payer.token.functions.balanceOf(payer.escrow.address).call() == 0


def test_a_run_asks_the_chain_once_and_a_workload_takes_two_transactions(payer: Wallet, simulator: Simulator) -> None:
    jobs = [running(payer) for _ in range(3)]
    pass_time(payer, 3600)
    asked = payer.slipway.node.asked
    asked.clear()
    assert not {*look(payer)} & {*jobs}, "none is unwell"
    assert [method for method, _ in asked] == ["eth_call"]
    for job in jobs:
        close(payer.slipway, job)
        assert finish(payer.slipway, job)["payment"]["status"] == "settled"
    assert payer.chain.web3.eth.get_transaction_count(Web3.to_checksum_address(SIGNER.address)) == 2 * len(jobs)


def test_the_operators_account_adds_nothing_to_what_an_escrow_pays(payer: Wallet, simulator: Simulator) -> None:
    job = running(payer)
    assert patch(payer.slipway, job, auto_top_up=True).code == "CONFLICT"
    assert patch(payer.slipway, job, auto_top_up=False, name="mine").status == 200
    assert top_up(payer.slipway, job, "2").code == "CONFLICT"
    assert (detail(payer.slipway, job)["deposit"], detail(payer.slipway, job)["name"]) == ("5", "mine")


def test_a_close_between_two_steps_settles_the_rest(payer: Wallet, simulator: Simulator) -> None:
    job = running(payer)
    pass_time(payer, 3600)
    look(payer, step="0.001")
    close(payer.slipway, job)
    found = finish(payer.slipway, job)
    assert paid(payer) == whole(found["payment"]["spent"])
    assert events(found).count("released") == 0, "what was not signed yet is part of the settlement"


def test_a_reservation_is_renewed_while_the_workload_runs(payer: Wallet, simulator: Simulator) -> None:
    job = running(payer, deposit="100")
    until = payer.status().body["reserved_until"]
    pass_time(payer, 3600)
    look(payer, step="1000")
    finish(payer.slipway, job)
    assert payer.status().body["reserved_until"] == until
    pass_time(payer, 5 * 86_400)
    look(payer, step="1000")
    found = finish(payer.slipway, job)
    assert found["status"] == "active"
    assert payer.status().body["reserved_until"] > until
    # What it has cost by then is released with that.
    assert events(found).count("released") == 1


def test_a_deposit_tops_a_running_workload_up_here_and_at_akash(payer: Wallet, simulator: Simulator) -> None:
    job = running(payer)
    before = runway(payer, simulator, job)
    payer.send(payer.deposit("3").body["transactions"])
    # Whoever asks how to deposit is expected to.
    pass_time(payer, 35)
    look(payer)
    found = finish(payer.slipway, job)
    assert (found["deposit"], found["top_up"]) == ("8", None)
    assert found["payment"]["reserved"] == "8.000000"
    assert held(payer)["reserved"] == "8.000000"
    (entry,) = simulator.ledger()["deployments"]
    assert Decimal(entry["deposit"]) == 8_000_000
    assert runway(payer, simulator, job) > before * 1.4
    # Too little for Akash stays its owner's until there is more.
    for more, deposit, refundable in (("0.4", "8", "0.400000"), ("0.1", "8.5", "0.000000")):
        payer.send(payer.deposit(more).body["transactions"])
        pass_time(payer, 301)
        look(payer)
        assert finish(payer.slipway, job)["deposit"] == deposit
        assert held(payer)["refundable"] == refundable
    close(payer.slipway, job)
    found = finish(payer.slipway, job)
    assert Decimal(held(payer)["refundable"]) == Decimal("8.5") - whole(found["payment"]["spent"])


def test_a_deposit_that_akash_refuses_is_paid_in_later(
    payer: Wallet, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = running(payer)
    payer.send(payer.deposit("3").body["transactions"])
    pass_time(payer, 301)
    look(payer)

    def refuse(*_: Any) -> None:
        raise PaymentRequiredError("Not enough credit")

    with monkeypatch.context() as poor:
        poor.setattr(ConsoleApi, "add_deposit", refuse)
        found = finish(payer.slipway, job)
    assert (found["deposit"], found["payment"]["reserved"]) == ("5", "8.000000")
    assert "deposit_failed" in events(found)
    for pause, deposit in ((301, "5"), (3600, "8")):
        pass_time(payer, pause)
        look(payer)
        assert finish(payer.slipway, job)["deposit"] == deposit


def test_its_owner_is_warned_twice_and_it_is_closed_before_anybody_else_pays(
    payer: Wallet, simulator: Simulator
) -> None:
    job = running(payer, deposit="0.5")
    assert runway(payer, simulator, job) > 100_000
    for left, warnings in ((90_000, 0), (80_000, 1), (70_000, 1), (7_000, 2), (3_000, 2)):
        pass_until(payer, simulator, job, left)
        look(payer)
        found = finish(payer.slipway, job)
        assert events(found).count("payment_low") == warnings, left
    assert found["status"] == "active"
    pass_until(payer, simulator, job, 170)
    look(payer)
    found = finish(payer.slipway, job)
    assert (found["status"], found["error"]["code"]) == ("closed", "FUNDS_EXHAUSTED")
    assert events(found).count("payment_exhausted") == 1
    assert Decimal("0.499") < Decimal(found["payment"]["spent"]) <= Decimal("0.5")
    assert paid(payer) == whole(found["payment"]["spent"])


def test_a_reservation_that_cannot_be_renewed_any_more_ends_the_workload(payer: Wallet, simulator: Simulator) -> None:
    job = running(payer, deposit="5")
    assert runway(payer, simulator, job) > 100 * 86_400
    for days in (*[4] * 22, 1.99):
        pass_time(payer, days * 86_400)
        look(payer)
        found = finish(payer.slipway, job)
    assert (found["status"], events(found).count("payment_low")) == ("active", 1)
    assert held(payer)["refundable"] == "0.000000"
    pass_time(payer, 700)
    look(payer)
    found = finish(payer.slipway, job)
    assert (found["status"], found["error"]["code"]) == ("closed", "FUNDS_EXHAUSTED")
    assert paid(payer) == whole(found["payment"]["spent"])


# ── Deposits that will not do ───────────────────────────────────────────────────────────────────


def test_what_is_deposited_twice_is_reserved_once_and_the_rest_refundable(payer: Wallet, simulator: Simulator) -> None:
    job = request(payer)
    pay(payer)
    payer.send(payer.deposit("5").body["transactions"])
    found = finish(payer.slipway, job)
    assert found["status"] == "active"
    message = next(event["message"] for event in found["events"] if event["event"] == "deposited")
    assert "10.000000" in message
    assert "refunded" in message
    assert (held(payer)["reserved"], held(payer)["refundable"]) == ("5.000000", "5.000000")
    pass_time(payer, 301)
    look(payer)
    assert finish(payer.slipway, job)["deposit"] == "5", "it came before, so it is no top-up"
    payer.send(payer.refund().body["transactions"])
    assert held(payer)["refundable"] == "0.000000"


def impersonated(payer: Wallet, call: Any, account: str) -> None:
    payer.chain.rpc("anvil_impersonateAccount", account)
    payer.chain.send(call, account)


def test_a_deposit_at_another_price_pays_for_nothing(payer: Wallet, simulator: Simulator) -> None:
    job = request(payer)
    payer.send(payer.transactions[:1])  # type: ignore[attr-defined]
    key = uuid.UUID(job).bytes + bytes(16)
    impersonated(payer, payer.escrow.functions.deposit(key, 5_000_000, 1), ALICE.address)
    found = finish(payer.slipway, job)
    assert found["error"]["code"] == "PAYMENT_REQUIRED"
    assert "another price" in found["error"]["message"]
    assert simulator.ledger()["deployments"] == []
    payer.send(payer.refund().body["transactions"])


def test_a_price_that_changes_before_the_reservation_gets_nothing(payer: Wallet, simulator: Simulator) -> None:
    """The deposit was seen at the price that was asked for; its owner then takes it back and names another one."""
    job = request(payer)
    pay(payer)
    assert payer.slipway.invoke("AkashDeployTasks", {"deployment_id": job})["step"] == "sign"
    payer.send(payer.refund().body["transactions"])
    key = uuid.UUID(job).bytes + bytes(16)
    impersonated(payer, payer.token.functions.approve(payer.escrow.address, 5_000_000), ALICE.address)
    impersonated(payer, payer.escrow.functions.deposit(key, 5_000_000, 1), ALICE.address)
    found = finish(payer.slipway, job)
    assert (found["status"], found["dseq"]) == ("error", None)
    assert simulator.ledger()["deployments"] == []
    payer.send(payer.refund().body["transactions"])


def test_another_wallets_deposit_pays_for_nothing_and_stays_its_own(payer: Wallet, simulator: Simulator) -> None:
    job = request(payer)
    stranger = payer.chain.accounts[6]
    key = uuid.UUID(job).bytes + bytes(16)
    for call in (
        payer.token.functions.mint(stranger, 5_000_000),
        payer.token.functions.approve(payer.escrow.address, 5_000_000),
        payer.escrow.functions.deposit(key, 5_000_000, 5_500_000),
    ):
        payer.chain.send(call, stranger)
    found = finish(payer.slipway, job)
    assert found["error"]["code"] == "PAYMENT_REQUIRED"
    assert simulator.ledger()["deployments"] == []
    payer.chain.send(payer.escrow.functions.refund(key), stranger)
    assert payer.token.functions.balanceOf(stranger).call() == 5_000_000


def test_a_deposit_that_a_reorganisation_takes_back_is_named(payer: Wallet, simulator: Simulator) -> None:
    job = request(payer)
    snapshot = payer.chain.rpc("evm_snapshot")
    pay(payer)
    # Seen in the latest block, which is not confirmed.
    answers = payer.slipway.node.answers
    answers["eth_blockNumber"] = lambda _: hex(payer.chain.web3.eth.block_number - 3)
    assert payer.slipway.invoke("AkashDeployTasks", {"deployment_id": job})["step"] == "deposit"
    del answers["eth_blockNumber"]
    payer.chain.rpc("evm_revert", snapshot)
    found = finish(payer.slipway, job)
    assert found["error"]["code"] == "PAYMENT_REQUIRED"
    assert "reorganisation" in found["error"]["message"]
    assert simulator.ledger()["deployments"] == []


def test_a_deposit_after_the_time_is_refundable(payer: Wallet, simulator: Simulator) -> None:
    job = request(payer)
    payer.slipway.clock.advance(1000)
    found = finish(payer.slipway, job)
    assert found["error"]["code"] == "PAYMENT_REQUIRED"
    pay(payer)
    look(payer)
    assert detail(payer.slipway, job)["status"] == "error"
    assert held(payer)["refundable"] == "5.000000"
    payer.send(payer.refund().body["transactions"])
    assert simulator.ledger()["deployments"] == []
