"""The ledger of workloads that their owners pay: whatever is cut, each dollar that Akash kept was released, once.

SLIPWAY_FAULT_PAID says how many (100). What escrows released is compared with what the simulated network was paid.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.faults import test_akash_deploy
from tests.faults.audits import SETTLED
from tests.faults.boundaries import WHENS
from tests.faults.conftest import PATIENCE_SECONDS, FaultyStack
from tests.faults.workloads import Workloads
from tests.support.waiting import eventually

WORKFLOW = "akash_deploy"
END_SECONDS = 1800
# Over a US dollar an hour, of a network whose hours pass quickly, so that there is something to pay in a minute.
DEAR = {"bids": {"delay": 1, "spread": 1, "timeout": 6000, "price_factor": 1000}}
PRICE: dict[str, Any] = {"profiles__placement__anywhere__pricing__small__amount": 10**6}
CHARGED = ("sign:payment", "akash_deploy:pay", "akash_deploy:top_up")
BOUNDARIES = [*CHARGED, "akash_deploy:deposit", *(name for name in test_akash_deploy.ON_THE_WAY if "up" not in name)]
UNHEARD = test_akash_deploy.UNHEARD
SCENARIOS: list[dict[str, Any]] = [
    DEAR,
    DEAR,
    {**DEAR, "faults": [UNHEARD]},
    {**DEAR, "faults": [{**UNHEARD, "call": "lease"}]},
    {**DEAR, "faults": [{**UNHEARD, "call": "close"}]},
    {**DEAR, "faults": [{"call": "close", "action": "not_settled", "times": 2}]},
    {**DEAR, "faults": [{"call": "*", "action": "unavailable", "probability": 0.1}]},
    {"bids": {"none": True}},
]


@pytest.fixture(scope="module")
def workloads(running: FaultyStack) -> Iterator[Workloads]:
    found = Workloads(running)
    found.control()
    yield found
    found.control()


def _until(stack: FaultyStack, is_so: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> None:
    """Reconcile until something is so."""

    def reconcile() -> None:
        stack.anvil("evm_mine")
        stack.reconcile()

    eventually(is_so, within=seconds, every=0.5, meanwhile=reconcile)


def _close(stack: FaultyStack, deployment_id: str) -> None:
    url = f"{stack.described['api']}/api/deployments/{deployment_id}"
    headers = {"authorization": f"Bearer {stack.session('user')}"}
    assert httpx.delete(url, headers=headers, timeout=60).status_code in (200, 202)


def _is_over(item: dict[str, Any]) -> bool:
    """Return whether it has ended, and its payment too, if there was one."""
    return item["status"] in ("closed", "error") and ("reserved_at" not in item or "settled_at" in item)


def _balance(workloads: Workloads, deployment_id: str) -> tuple[int, int, int]:
    """Return base units that are unpaid, overpaid and locked, of a workload that is over."""
    # A base unit is a uact, of which parts are paid as well.
    paid = sum((Decimal(entry["paid"]) for entry in workloads.ledger(deployment_id)), Decimal(0))
    cost, account = int(paid.to_integral_value("ROUND_CEILING")), workloads.account(deployment_id)
    return max(0, cost - account["released"]), max(0, account["released"] - cost), account["reserved"]


def test_payments_of_what_runs_are_cut_before_and_after_each_step(workloads: Workloads) -> None:
    """A deposit for a running workload is reserved and paid in once, and its cost is released in steps, once."""
    stack = workloads.stack
    placed = {(name, when): workloads.place(DEAR, paid=True, **PRICE) for name in CHARGED for when in WHENS}
    for (name, when), deployment_id in placed.items():
        workloads.assert_settled(deployment_id, "active")
        stack.inject(name, when, "kill", deployment_id)
        workloads.deposit(deployment_id, 2_000_000)

    def topped_up() -> bool:
        return all(stack.deployment(one)["deposit"] == "7" for one in placed.values())

    _until(stack, topped_up)
    for deployment_id in placed.values():
        assert stack.waits_for(deployment_id) == [], "the fault did not trigger"
        _close(stack, deployment_id)
    _until(stack, lambda: all(_is_over(stack.deployment(one)) for one in placed.values()))
    for deployment_id in placed.values():
        workloads.stack.tally.expect(deployment_id, "closed")
        (entry,) = workloads.ledger(deployment_id)
        assert float(entry["deposit"]) == 7e6
        assert workloads.account(deployment_id)["deposited"] == 7_000_000
        assert _balance(workloads, deployment_id) == (0, 0, 0)


@pytest.mark.long
def test_every_dollar_is_paid_once(workloads: Workloads) -> None:
    """Random deposits, faults, top-ups and closings."""
    stack = workloads.stack
    count = int(os.environ.get("SLIPWAY_FAULT_PAID") or 100)
    print(f"\nseed {stack.tally.seed}, {count} paid workloads")
    choose = random.Random(f"{stack.tally.seed} ledger")
    placed: dict[str, int] = {}
    for _ in range(count):
        units = choose.choice([500_000, 1_000_000, 5_000_000, 7_250_000])
        deployment_id = workloads.place(choose.choice(SCENARIOS), start=False, paid=True, units=units, **PRICE)
        placed[deployment_id] = units
        for _ in range(choose.randint(0, 2)):
            stack.inject(choose.choice(BOUNDARIES), choose.choice(WHENS), "kill", deployment_id)
    in_vain = list(placed)
    stack.follow(placed, workloads.start, SETTLED, seconds=END_SECONDS, meanwhile=lambda: workloads.hurry(in_vain))
    more = [one for one in placed if choose.random() < 0.3]
    for deployment_id in more:
        workloads.deposit(deployment_id, 1_000_000)
    for _ in range(10):
        stack.reconcile()
        time.sleep(1)  # noqa: TID251 (as a schedule would, so that what was paid in meanwhile is deposited bit by bit)
    for deployment_id in placed:
        _close(stack, deployment_id)
    _until(stack, lambda: all(_is_over(stack.deployment(one)) for one in placed), END_SECONDS)
    stack.withdraw()
    workloads.sweep(placed, 120)
    sums, kinds = [0, 0, 0], Counter[str]()
    for deployment_id, units in placed.items():
        item, account = stack.deployment(deployment_id), workloads.account(deployment_id)
        kinds[f"{item['status']} {item.get('error_code', '')}".strip()] += 1
        kinds["steps"] += int(item.get("charges", 0))
        sums = [before + now for before, now in zip(sums, _balance(workloads, deployment_id), strict=True)]
        assert account["deposited"] == units + 1_000_000 * (deployment_id in more)
        assert account["released"] <= account["deposited"]
        if "settled_at" not in item:
            assert account["released"] == 0
    released = sum(workloads.account(one)["released"] for one in placed)
    print(json.dumps(dict(kinds)), f"{released / 10**6} USD released")
    print(f"unpaid {sums[0]}, overpaid {sums[1]}, locked {sums[2]}")
    assert sums == [0, 0, 0]
    assert released > 0
