"""Payments from escrow that are cut before and after each step: nothing unpaid, overpaid, or locked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from slipway.akash.store import Purpose
from slipway.chain.store import TransactionIntent
from tests.faults.audits import SETTLED
from tests.faults.boundaries import WHENS
from tests.faults.conftest import PATIENCE_SECONDS, FaultyStack
from tests.faults.test_token_launch import mining_stopped, pending
from tests.faults.workloads import Workloads
from tests.support.waiting import eventually

PAID = ("akash_deploy:deposit", "sign:payment", "akash_deploy:pay", "bump:payment")
NO_BIDS = {"bids": {"none": True}}
POINTS = [(name, when) for name in PAID[:3] for when in WHENS]


@pytest.fixture(scope="module")
def workloads(running: FaultyStack) -> Iterator[Workloads]:
    found = Workloads(running)
    found.control()
    yield found
    found.control()


def _is_another(stack: FaultyStack, first: str, found: str | None) -> bool:
    """Whether another transaction lies in the pool in the first one's place."""
    return found != first and pending(stack, found)


def _hash_of(stack: FaultyStack, deployment_id: str, purpose: Purpose) -> str | None:
    """Return the newest transaction of a purpose, if one is signed."""
    pk, sk = TransactionIntent.key(deployment_id, purpose)
    intent = stack.control.get_item(Key={"pk": pk, "sk": sk}, ConsistentRead=True).get("Item")
    if intent is None:
        return None
    key = {"pk": f"SIGNER#{intent['chain_id']}#{intent['signer']}", "sk": f"TRANSACTION#{int(intent['nonce']):020d}"}
    return str(stack.control.get_item(Key=key, ConsistentRead=True)["Item"]["transaction_hash"])


def _assert_even(workloads: Workloads, deployment_id: str) -> None:
    """Require that what ended without a lease cost nothing, and nothing of it is kept."""
    item = workloads.stack.deployment(deployment_id)
    assert "settled_at" in item
    held = workloads.account(deployment_id)
    unpaid, overpaid, locked = 0 - held["released"], held["released"], held["reserved"]
    print(f"unpaid {max(0, unpaid)}, overpaid {overpaid}, locked {locked}")
    assert (held["deposited"], overpaid, locked) == (5_000_000, 0, 0)


def test_payments_are_cut_at_every_step(workloads: Workloads) -> None:
    placed = {}
    for name, when in POINTS:
        placed[name, when] = deployment_id = workloads.place(NO_BIDS, start=False, paid=True)
        workloads.stack.inject(name, when, "kill", deployment_id)
    in_vain = list(placed.values())
    workloads.stack.follow(list(placed.values()), workloads.start, SETTLED, meanwhile=lambda: workloads.hurry(in_vain))
    for deployment_id in placed.values():
        workloads.assert_settled(deployment_id, "error", "BID_TIMEOUT")
        assert workloads.stack.waits_for(deployment_id) == [], "the fault did not trigger"
        _assert_even(workloads, deployment_id)


def test_killed_while_a_stuck_payment_is_bumped(workloads: Workloads) -> None:
    stack = workloads.stack
    placed = [workloads.place(NO_BIDS, start=False, paid=True) for _ in WHENS]
    for _ in range(3):
        stack.anvil("evm_mine")
    with mining_stopped(stack):
        for deployment_id, when in zip(placed, WHENS, strict=True):
            stack.inject("bump:payment", when, "kill", deployment_id)
            workloads.start(deployment_id)
        for deployment_id in placed:
            read = partial(_hash_of, stack, deployment_id, Purpose.RESERVE)
            first = eventually(read, within=PATIENCE_SECONDS)
            eventually(read, partial(_is_another, stack, first), within=PATIENCE_SECONDS)
    in_vain = list(placed)

    def is_settled(deployment_id: str) -> bool:
        workloads.hurry(in_vain)
        return "settled_at" in stack.deployment(deployment_id)

    for deployment_id in placed:
        eventually(partial(is_settled, deployment_id), within=PATIENCE_SECONDS)
        _assert_even(workloads, deployment_id)
