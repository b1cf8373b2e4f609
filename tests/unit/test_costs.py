"""Costs of workloads: what is settled, what is estimated since, and how long the rest lasts."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from slipway.akash.console.models import Deployment, parse
from slipway.akash.status.costs import cost_of
from tests.support.console_answers import DEPLOYMENT, DSEQ

CREATED, LEASED = 21_000_000, 21_000_010
CREATED_AT = int(DSEQ) / 1000


def _deployment(
    *, price: str = "1000", transferred: str = "0", funds: str = "500000", settled: int = LEASED, **changes: Any
) -> Deployment:
    answer = copy.deepcopy(DEPLOYMENT)
    answer["leases"][0]["price"]["amount"] = price
    state = answer["escrow_account"]["state"]
    state |= {"settled_at": str(settled), "transferred": [{"denom": "uact", "amount": transferred}]}
    state["funds"] = [{"denom": "uact", "amount": funds}]
    answer["deployment"] |= changes
    return parse(Deployment, answer)


def _after(blocks: float) -> float:
    return CREATED_AT + blocks * 6.1


def test_what_has_passed_since_the_last_settlement_is_estimated() -> None:
    told = cost_of(_deployment(), _after(110))
    assert (told.spent.amount, told.spent.unit, told.spent.usd) == ("100000", "uact", "0.1")
    assert told.balance.amount == "400000"
    assert told.price_per_block.amount == "1000"
    assert told.burn_per_hour.amount == "590163.934426"
    assert told.burn_per_day.amount == "14163934.42623"
    assert told.runway_seconds == 2440
    assert told.estimate
    assert told.settled_at_block == LEASED
    assert told.deposited.amount == "500000"


def test_a_closed_deployment_has_cost_what_was_transferred_and_no_more() -> None:
    closed = _deployment(transferred="123456.789", funds="0", state="closed")
    early, late = cost_of(closed, _after(200)), cost_of(closed, _after(2_000_000))
    assert early == late
    assert late.spent.amount == "123456.789"
    assert late.price_per_block.amount == "0"
    assert late.runway_seconds is None
    assert not late.estimate


def test_an_account_is_never_spent_below_nothing() -> None:
    told = cost_of(_deployment(funds="5000"), _after(10_000))
    assert (told.spent.amount, told.balance.amount, told.runway_seconds) == ("5000", "0", 0)


def test_other_denominations_have_no_price_in_dollars() -> None:
    answer = copy.deepcopy(DEPLOYMENT)
    answer["leases"][0]["price"]["denom"] = "uakt"
    told = cost_of(parse(Deployment, answer), _after(110))
    assert (told.price_per_block.unit, told.price_per_block.usd) == ("uakt", None)
    assert told.spent.unit == "uakt"


def test_a_number_that_is_no_moment_estimates_nothing() -> None:
    answer = copy.deepcopy(DEPLOYMENT)
    answer["deployment"]["id"]["dseq"] = "21000000"
    told = cost_of(parse(Deployment, answer), _after(10_000))
    assert told.spent.amount == "12.5"


def test_without_a_lease_nothing_is_paid() -> None:
    answer = copy.deepcopy(DEPLOYMENT) | {"leases": []}
    told = cost_of(parse(Deployment, answer), _after(10_000))
    assert (told.price_per_block.amount, told.runway_seconds, told.estimate) == ("0", None, False)


@given(
    price=st.decimals("0.000001", 10**6, places=6),
    transferred=st.integers(0, 10**9),
    funds=st.integers(0, 10**9),
    settled=st.integers(0, 10**6),
    passed=st.floats(0, 10**7, allow_nan=False),
)
def test_spent_and_balance_are_what_was_paid_in(
    price: Decimal, transferred: int, funds: int, settled: int, passed: float
) -> None:
    told = cost_of(
        _deployment(price=str(price), transferred=str(transferred), funds=str(funds), settled=CREATED + settled),
        _after(passed),
    )
    spent, balance = Decimal(told.spent.amount), Decimal(told.balance.amount)
    assert balance >= 0
    assert spent >= transferred
    assert abs(spent + balance - transferred - funds) <= Decimal("0.000002")
