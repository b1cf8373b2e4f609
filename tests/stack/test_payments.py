"""Workloads that their owner's escrow pays for: nothing runs unpaid, and what was not spent comes back."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.stack.conftest import PAYING, RunningStack
from tests.stack.launches import bearer
from tests.stack.test_akash_deploy import deploy, read
from tests.stack.test_escrow import Wallet
from tests.support.waiting import eventually

PATIENCE_SECONDS = 120
DEPOSIT = "5"


@pytest.fixture(scope="module")
def wallet(stack: RunningStack) -> Wallet:
    """Return a wallet of a tier that pays, with coins and tokens."""
    paying = Wallet(stack, {"address": PAYING.address, "private_key": PAYING.key.hex(), "role": "user"})
    paying.rpc("anvil_setBalance", PAYING.address, hex(10**19))
    paying.mint(1000)
    return paying


def request(stack: RunningStack, wallet: Wallet, **more: Any) -> dict[str, Any]:
    answer = deploy(stack, wallet.token, deposit=DEPOSIT, **more)
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


def until(
    stack: RunningStack, wallet: Wallet, deployment_id: str, is_there: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    return eventually(lambda: read(stack, wallet.token, deployment_id), is_there, within=PATIENCE_SECONDS, every=0.5)


def close(stack: RunningStack, wallet: Wallet, deployment_id: str) -> None:
    answer = stack.http.delete(f"/api/deployments/{deployment_id}", headers=bearer(wallet.token))
    assert answer.status_code in (200, 202), answer.text


def test_a_workload_runs_on_its_owners_deposit_and_the_rest_comes_back(stack: RunningStack, wallet: Wallet) -> None:
    answer = request(stack, wallet)
    payment, deployment_id = answer["payment"], answer["deployment_id"]
    assert (payment["status"], payment["job_id"], payment["amount"]) == ("awaiting_deposit", deployment_id, "5.000000")
    assert [entry["to"] for entry in payment["transactions"]] == [stack.outputs["usdc"], stack.outputs["escrow"]]
    waiting = read(stack, wallet.token, deployment_id)
    assert (waiting["status"], waiting["dseq"], waiting["payment"]["status"]) == ("pending", None, "awaiting_deposit")
    for transaction in payment["transactions"]:
        wallet.send(transaction)

    active = until(stack, wallet, deployment_id, lambda found: found["status"] != "pending")
    assert active["status"] == "active", active
    assert active["payment"]["status"] == "reserved"
    held = wallet.status(deployment_id)
    assert (held["deposited"], held["reserved"], held["refundable"]) == ("5.000000", "5.000000", "0.000000")
    assert wallet.ask("DELETE", deployment_id).status_code == 409

    close(stack, wallet, deployment_id)
    closed = until(stack, wallet, deployment_id, lambda found: found["payment"]["status"] == "settled")
    assert closed["status"] == "closed"
    after = wallet.status(deployment_id)
    spent = Decimal(closed["payment"]["spent"])
    assert 0 < spent < Decimal(DEPOSIT)
    assert Decimal(after["released"]) == spent.quantize(Decimal("0.000001"), rounding="ROUND_UP")
    assert Decimal(after["refundable"]) == Decimal(DEPOSIT) - Decimal(after["released"])
    assert after["reserved"] == "0.000000"
    (refund,) = wallet.ask("DELETE", deployment_id).json()["transactions"]
    wallet.send(refund)
    assert wallet.status(deployment_id)["refundable"] == "0.000000"


def test_a_bare_transfer_and_a_short_deposit_pay_for_nothing(stack: RunningStack, wallet: Wallet) -> None:
    answer = request(stack, wallet)
    wallet.transfer(stack.outputs["escrow"], 5_000_000)
    short = wallet.ask("POST", answer["deployment_id"], amount="4.999999")
    assert short.status_code == 200, short.text
    for transaction in short.json()["transactions"]:
        wallet.send(transaction)
    found = until(stack, wallet, answer["deployment_id"], lambda found: found["status"] == "error")
    assert found["error"]["code"] == "PAYMENT_REQUIRED"
    assert "4.999999 of 5.000000" in found["error"]["message"]
    assert (found["dseq"], found["payment"]["status"]) == (None, "awaiting_deposit")
    assert wallet.status(answer["deployment_id"])["refundable"] == "4.999999"


def test_a_workload_that_is_closed_before_its_deposit_costs_nothing(stack: RunningStack, wallet: Wallet) -> None:
    answer = request(stack, wallet)
    close(stack, wallet, answer["deployment_id"])
    closed = until(stack, wallet, answer["deployment_id"], lambda found: found["status"] == "closed")
    assert closed["dseq"] is None


def test_a_paid_workload_without_bids_gives_everything_back(stack: RunningStack, wallet: Wallet) -> None:
    answer = request(stack, wallet, scenario={"bids": {"none": True}})
    for transaction in answer["payment"]["transactions"]:
        wallet.send(transaction)
    found = until(stack, wallet, answer["deployment_id"], lambda found: found["status"] == "error")
    assert (found["error"]["code"], found["payment"]["status"]) == ("BID_TIMEOUT", "settled")
    assert wallet.status(answer["deployment_id"])["refundable"] == "5.000000"
