"""Bids that a buyer chooses among: until when, what is kept of them, and which choices will do."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from slipway.akash.bidding.offers import choose_until, offers_of, pick
from slipway.akash.bidding.rules import evaluate
from slipway.akash.rules import Progress, Step, next_step
from slipway.errors import ConflictError, ValidationFailedError
from slipway.times import from_text
from tests.unit.test_bids import NAMES, bid, provider, wanted

OPENED = from_text("2026-11-29T12:00:00Z")
PROVIDERS = {name: provider(name) for name in NAMES}


def after(seconds: float) -> datetime:
    return OPENED + timedelta(seconds=seconds)


def offers(*amounts: int, gseq: int = 1, **preferences: Any) -> list[dict[str, Any]]:
    made = [bid(name, amount, gseq) for name, amount in zip(NAMES, amounts, strict=False)]
    return offers_of(evaluate(wanted(**preferences), made, PROVIDERS), PROVIDERS)


@pytest.mark.parametrize(
    ("first_bid", "within", "until"),
    [(10, None, 240), (10, 60, 70), (10, 240, 240), (200, 60, 240), (250, None, 240), (250, 15, 240)],
)
def test_a_choice_leaves_a_fifth_of_the_bids_time_for_the_lease(first_bid: float, within: Any, until: float) -> None:
    assert choose_until(after(first_bid), OPENED, 300, within) == after(until)


def test_offers_are_in_the_order_in_which_they_would_be_taken() -> None:
    made = offers(3, 1, 2, maxPrice="0.0012")
    assert [entry["bid"]["price"] for entry in made] == ["1", "2", "3"]
    assert [entry["why_not"] for entry in made] == [None, None, "costs more than 0.0012 USD an hour"]
    assert made[0]["name"] == PROVIDERS[NAMES[1]].name
    assert made[0]["audited"] is True
    assert 0 <= made[0]["uptime"] <= 1
    assert made[0]["region"] == "eu-central"
    assert made[0]["bid"]["host"]


def test_a_bid_of_a_provider_that_nobody_knows_is_shown_and_cannot_be_chosen() -> None:
    (made,) = offers_of(evaluate(wanted(), [bid()], {}), {})
    assert (made["audited"], made["uptime"], made["why_not"]) == (
        False,
        None,
        "comes from a provider that nobody knows",
    )
    with pytest.raises(ConflictError, match="nobody knows"):
        pick([made], [NAMES[0]], 1)


def test_what_providers_call_themselves_is_kept_short() -> None:
    known = {NAMES[0]: provider(name="x" * 5000, locationRegion="y" * 5000, country="z" * 5000)}
    made = offers_of(evaluate(wanted(), [bid()] * 500, known), known)
    assert len(made) == 100
    assert max(len(made[0][name]) for name in ("name", "region", "country")) == 80


def test_one_bid_is_taken_for_each_placement() -> None:
    made = [*offers(3, 1), *offers(2, 4, gseq=2)]
    chosen = pick(made, [NAMES[0], NAMES[1]], 2, price=Decimal("7.0"))
    assert [(entry["gseq"], entry["provider"], entry["price"]) for entry in chosen] == [
        (1, NAMES[0], "3"), (2, NAMES[1], "4"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("providers", "more", "reason"),
    [
        ([NAMES[2]], {}, "has no bid"),
        ([NAMES[0]], {"price": Decimal(2)}, "3 uact a block now"),
        ([NAMES[0]], {"most": Decimal("0.001")}, "more than 0.001 USD"),
    ],
)
def test_a_choice_that_will_not_do(providers: list[str], more: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConflictError, match=reason):
        pick(offers(3, 1), providers, 1, **more)


@pytest.mark.parametrize(("providers", "groups"), [([NAMES[0]], 2), (NAMES[:2], 1), ([], 1)])
def test_a_choice_names_one_provider_for_each_placement(providers: list[str], groups: int) -> None:
    with pytest.raises(ValidationFailedError):
        pick(offers(3, 1), providers, groups)


def test_the_owner_is_asked_between_the_bids_and_the_lease() -> None:
    asked = Progress(created=True, choosing=True)
    assert next_step(Progress(created=True)) is Step.COLLECT
    assert next_step(asked) is Step.CHOOSE
    assert next_step(Progress(created=True, choosing=True, chosen=True)) is Step.LEASE
    assert next_step(Progress(created=True, choosing=True, closing=True)) is Step.CLOSE
