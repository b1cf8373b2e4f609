"""Workloads that their owner's escrow pays for, on a chain with the contract: nothing runs unpaid or is overpaid."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from web3.types import RPCEndpoint

from slipway import settings
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.signing import ChainSigning
from slipway.chain.store import save_contracts
from slipway.chain.write_ahead import WriteAhead
from slipway.configuration import chain_settings
from tests.functional.contracts.test_escrow_api import Wallet, node_client, wallet
from tests.functional.test_akash_deploy import close, deploy, detail, finish, sums
from tests.support.console_simulator import Simulator
from tests.support.functions import function_app
from tests.support.installation import Installation
from tests.support.keys import LocalSigner
from tests.support.nodes import RefusalError
from tests.support.wallets import ADMIN, ALICE, BOB
from tests.support.workloads import sdl_with

from .conftest import Chain

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
    chain.web3.provider.make_request(RPCEndpoint("anvil_setBalance"), [SIGNER.address, hex(10**20)])
    operator = wallet.escrow.functions.OPERATOR_ROLE().call()
    chain.send(wallet.escrow.functions.grantRole(operator, SIGNER.address), chain.accounts[0])
    save_contracts(31337, ALICE.address, ALICE.address, [SIGNER.address])
    token_chain = chain_settings().token_chain
    rpc = JsonRpc(token_chain, slipway.node.client())
    signing = ChainSigning(token_chain, rpc, WriteAhead([SIGNER], token_chain, rpc))
    monkeypatch.setattr(function_app("signer"), "_chain_signing", lambda _: signing)
    yield wallet
    settings.pays_by_escrow.cache_clear()


def request(payer: Wallet, sdl: str | None = None) -> str:
    answer = deploy(payer.slipway, sdl, deposit="5")
    assert answer.status == 202, answer.body
    payment = answer.body["payment"]
    assert (payment["status"], payment["amount"]) == ("awaiting_deposit", "5.000000")
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
