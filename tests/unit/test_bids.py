"""The choice of bids: which will do, which is best, and when."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.akash.bidding.preferences import Preferences
from slipway.akash.bidding.prices import amount_text, usd_per_hour
from slipway.akash.bidding.rules import BidCriteria, EvaluatedBid, WaitTimes, best, bid_name, choose, evaluate
from slipway.akash.console.models import Bid, Coin, Provider, parse
from tests.support.console_answers import PROVIDER

NAMES = [f"akash1{letter * 38}" for letter in "qpzr"]
LONG = WaitTimes(60.0, 100.0, 15.0)
SHORT = WaitTimes(5.0, 100.0, 15.0)


def bid(provider: str = NAMES[0], amount: Any = 1, gseq: int = 1, state: str = "open", offer: Any = ()) -> Bid:
    identity = {"owner": "akash1me", "dseq": "1", "gseq": gseq, "oseq": 1, "provider": provider, "bseq": 0}
    price = {"denom": "uact", "amount": str(amount)}
    return parse(Bid, {"id": identity, "state": state, "price": price, "created_at": "1", "resources_offer": [*offer]})


def provider(owner: str = NAMES[0], **changes: Any) -> Provider:
    return parse(Provider, {**PROVIDER, "owner": owner, **changes})


def wanted(groups: int = 1, excluded: frozenset[str] = frozenset(), **preferences: Any) -> BidCriteria:
    return BidCriteria(Preferences.model_validate(preferences), groups, excluded)


def refusal(want: BidCriteria, made: Bid, known: Provider | None) -> str | None:
    (entry,) = evaluate(want, [made], {known.owner: known} if known else {})
    return entry.refusal


@pytest.mark.parametrize(
    ("preferences", "known", "made", "reason"),
    [
        ({}, provider(), bid(), None),
        ({}, provider(), bid(state="closed"), "is closed"),
        ({}, provider(), bid(state=""), "is not open"),
        ({}, None, bid(), "nobody knows"),
        ({}, provider(isOnline=False), bid(), "offline"),
        ({}, provider(isAudited=False), bid(), None),
        ({"auditedOnly": True}, provider(isAudited=False), bid(), "is not audited"),
        ({"auditedOnly": True}, provider(), bid(), None),
        ({"region": "EU-CENTRAL"}, provider(), bid(), None),
        ({"region": "eu central"}, provider(), bid(), None),
        ({"region": "eu"}, provider(), bid(), None),
        ({"region": "Germany"}, provider(), bid(), None),
        ({"region": "de"}, provider(), bid(), None),
        ({"region": "us-west"}, provider(), bid(), "is not in us-west"),
        ({"region": "-"}, provider(), bid(), "is not in"),
        ({"gpuType": "nvidia/A100"}, provider(), bid(), None),
        ({"gpuType": "a100-80gb"}, provider(), bid(), None),
        ({"gpuType": "h100"}, provider(), bid(), "has no h100"),
        ({"gpuType": "t4"}, provider(gpuModels=[], hardwareGpuModels=["T4"]), bid(), None),
        ({"gpuType": "a100"}, provider(gpuModels=None), bid(), "has no a100"),
        ({"gpuType": "a100"}, provider(), bid(offer=[{"resources": {"gpu": {"attributes": [
            {"key": "vendor/nvidia/model/t4", "value": "true"}]}}}]), "has no a100"),
        ({"gpuType": "t4"}, provider(), bid(offer=[{"resources": {"gpu": {"attributes": [
            {"key": "vendor/nvidia/model/t4", "value": "true"}]}}}]), None),
        ({"gpuType": "a100"}, provider(), bid(offer=[{"resources": {"gpu": {"attributes": 5}}}]), None),
        ({"providers": [NAMES[1]]}, provider(), bid(), "not one of the wanted"),
        ({"providers": [NAMES[0]]}, provider(), bid(), None),
        ({"maxPrice": "0.01"}, provider(), bid(amount=10), None),
        ({"maxPrice": "0.005"}, provider(), bid(amount=10), "costs more than 0.005 USD"),
    ],
)  # fmt: skip
def test_why_a_bid_will_not_do(
    preferences: dict[str, Any], known: Provider | None, made: Bid, reason: str | None
) -> None:
    found = refusal(wanted(**preferences), made, known)
    assert (found is None) if reason is None else (found is not None and reason in found)


def test_a_bid_that_was_gone_is_not_chosen_again() -> None:
    made = bid()
    assert "was gone" in str(refusal(wanted(excluded=frozenset({bid_name(made)})), made, provider()))


BIDS = st.lists(
    st.builds(bid, st.sampled_from(NAMES), st.integers(1, 20), st.integers(1, 2), st.sampled_from(["open", "closed"])),
    max_size=12,
)
PROVIDERS = st.fixed_dictionaries(
    {
        name: st.builds(
            lambda name, online, uptime: provider(name, isOnline=online, uptime7d=uptime),
            st.just(name),
            st.booleans(),
            st.floats(0, 1),
        )
        for name in NAMES
    }
)


@given(BIDS, PROVIDERS, st.integers(1, 2))
def test_the_best_bid_of_each_group_is_the_cheapest_that_will_do(
    bids: list[Bid], providers: dict[str, Provider], groups: int
) -> None:
    want = wanted(groups)
    found = best(want, evaluate(want, bids, providers))
    open_bids = [made for made in bids if refusal(want, made, providers[made.id.provider]) is None]
    able = [[made for made in open_bids if made.id.gseq == group] for group in range(1, groups + 1)]
    if not all(able):
        assert found == ()
        return
    uptime = {name: entry.uptime_7d or entry.uptime_1d or 0.0 for name, entry in providers.items()}
    for taken, others in zip(found, able, strict=True):
        assert taken in others
        assert all(taken.price.amount <= made.price.amount for made in others)
        same = [made for made in others if made.price.amount == taken.price.amount]
        assert uptime[taken.id.provider] == max(uptime[made.id.provider] for made in same)


@given(BIDS, PROVIDERS, st.permutations(range(12)))
def test_the_order_in_which_bids_are_listed_does_not_matter(
    bids: list[Bid], providers: dict[str, Provider], order: list[int]
) -> None:
    shuffled = [bids[index] for index in order if index < len(bids)]
    one, other = (best(wanted(), evaluate(wanted(), given_bids, providers)) for given_bids in (bids, shuffled))
    assert one == other


def _evaluated(*bids: Bid, **preferences: Any) -> tuple[BidCriteria, tuple[EvaluatedBid, ...]]:
    want = wanted(**preferences)
    return want, evaluate(want, bids, {name: provider(name) for name in NAMES})


def test_better_bids_are_waited_for_and_then_the_cheapest_is_taken() -> None:
    want, evaluated = _evaluated(bid(NAMES[0], 3), bid(NAMES[1], 2))
    assert choose(want, evaluated, SHORT).chosen == ()
    assert [made.id.provider for made in choose(want, evaluated, LONG).chosen] == [NAMES[1]]


def test_time_that_runs_out_ends_the_waiting() -> None:
    want, evaluated = _evaluated(bid())
    assert choose(want, evaluated, WaitTimes(0.0, 0.0, 15.0)).chosen


def test_named_providers_are_taken_as_soon_as_all_have_bid() -> None:
    names = NAMES[:2]
    want, evaluated = _evaluated(bid(names[0], 3), providers=names)
    assert choose(want, evaluated, SHORT).chosen == ()
    want, evaluated = _evaluated(bid(names[0], 3), bid(names[1], 2), bid(NAMES[2], 1), providers=names)
    assert [made.id.provider for made in choose(want, evaluated, SHORT).chosen] == [names[1]]


def test_the_price_limit_is_for_all_groups_together() -> None:
    ten = usd_per_hour(Decimal(10))
    for limit, number in ((amount_text(ten * 2), 0), (amount_text(ten * 2 + Decimal("0.0001")), 2)):
        want, evaluated = _evaluated(bid(amount=10), bid(amount=10, gseq=2))
        want = BidCriteria(Preferences.model_validate({"maxPrice": limit}), 2)
        assert len(choose(want, evaluated, LONG).chosen) == number


def test_the_choice_explains_every_bid() -> None:
    want, evaluated = _evaluated(bid(NAMES[0], 3), bid(NAMES[1], 2), bid(NAMES[2], 1, state="closed"))
    told = choose(want, evaluated, LONG).explanation()
    assert told["chosen"] == [NAMES[1]]
    assert "cheapest" in told["reason"]
    assert [(entry["provider"], entry["chosen"], entry["why_not"]) for entry in told["bids"]] == [
        (NAMES[1], True, ""),
        (NAMES[0], False, "another bid is better"),
        (NAMES[2], False, "is closed"),
    ]
    many = [bid(f"akash1{index:038d}") for index in range(500)]
    assert len(choose(want, evaluate(want, many, {}), LONG).explanation()["bids"]) == 40


def test_no_bid_is_no_choice() -> None:
    choice = choose(wanted(), (), LONG)
    assert choice.chosen == ()
    assert choice.reason == "no bids yet"


@pytest.mark.parametrize("given", ["0.0000001", 1e-7, "0.000000000000000001", "590163.25", 12, 1e-18])
def test_a_limit_of_any_size_is_stored_and_read_exactly(given: Any) -> None:
    made = Preferences.model_validate({"maxPrice": given})
    stored = made.model_dump(mode="json", by_alias=True)
    assert Preferences.model_validate(stored) == made
    assert made.max_price == Decimal(str(given))
    assert "E" not in stored["maxPrice"]


def test_a_tiny_limit_is_reported_as_it_is() -> None:
    limit = "0.0000001"
    assert refusal(wanted(maxPrice=limit), bid(amount="0.0001"), provider()) is None
    assert refusal(wanted(maxPrice=limit), bid(amount=1), provider()) == f"costs more than {limit} USD an hour"


def test_a_bid_in_a_denomination_without_a_price_is_not_taken() -> None:
    made = bid().model_copy(update={"price": Coin(denom="uakt", amount=Decimal(1))})
    assert refusal(wanted(maxPrice="1"), made, provider()) == "is in uakt, which has no price in US dollars"


@pytest.mark.parametrize(
    ("preferences", "field"),
    [
        ({"maxPrice": "-1"}, "maxPrice"),
        ({"maxPrice": "0"}, "maxPrice"),
        ({"maxPrice": "1e3"}, "maxPrice"),
        ({"maxPrice": "abc"}, "maxPrice"),
        ({"maxPrice": True}, "maxPrice"),
        ({"gpuType": "  "}, "gpuType"),
        ({"region": ""}, "region"),
        ({"providers": ["akash1short"]}, "providers"),
        ({"providers": "akash1"}, "providers"),
        ({"auditedOnly": "yes"}, "auditedOnly"),
        ({"color": "red"}, "color"),
    ],
)
def test_preferences_that_make_no_sense_are_refused(preferences: dict[str, Any], field: str) -> None:
    from pydantic import ValidationError

    with pytest.raises(ValidationError) as caught:
        Preferences.model_validate(preferences)
    assert caught.value.errors()[0]["loc"][0] == field


@pytest.mark.parametrize(
    ("amount", "text"), [("1", "1"), ("0.5", "0.5"), ("1E+3", "1000"), ("0.00000001", "0"), ("10.10", "10.1")]
)
def test_amounts_as_text(amount: str, text: str) -> None:
    assert amount_text(Decimal(amount)) == text


def test_prices_in_dollars() -> None:
    hour = usd_per_hour(Decimal(1_000_000))
    assert Decimal("590.1") < hour < Decimal("590.2")
