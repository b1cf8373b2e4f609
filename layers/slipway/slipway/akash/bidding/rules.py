"""Choosing among bids: which will do, which is best, and when to stop waiting. Pure; times in seconds.

Every placement of an SDL is a group with bids of its own, numbered from 1, and one lease call takes one bid of each.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from slipway.akash.bidding.preferences import Preferences
from slipway.akash.bidding.prices import amount_text, usd_per_hour
from slipway.akash.bidding.provider_matching import provider_refusal
from slipway.akash.console.models import Bid, Provider
from slipway.akash.sdl.denominations import DOLLARS
from slipway.akash.sdl.gpus import GpuName, gpu_of_attribute

# Providers withdraw a bid five minutes after they made it; taking one has to be over before.
BID_LIFE_SECONDS = 270.0
# Between two polls of the bids while those that will do are still to come.
POLL_INTERVAL_SECONDS = 3
_MAX_EXPLAINED = 40


@dataclass(frozen=True)
class EvaluatedBid:
    """A bid with the reason why it will not do, None if it will."""

    bid: Bid
    refusal: str | None
    uptime: float


@dataclass(frozen=True)
class Choice:
    """What to do about a deployment's bids.

    Attributes:
        chosen: One bid for each group, none while it is better to wait.
        evaluated: Every bid, best first.
        reason: Why these, or why not yet.
    """

    chosen: tuple[Bid, ...]
    evaluated: tuple[EvaluatedBid, ...]
    reason: str

    def explanation(self) -> dict[str, Any]:
        """Return the choice as data for the job's events; bounded, however many bids there are."""
        return {
            "reason": self.reason,
            "chosen": [bid.id.provider for bid in self.chosen],
            "count": len(self.evaluated),
            "bids": [
                {
                    "provider": entry.bid.id.provider,
                    "group": entry.bid.id.gseq,
                    "uact_per_block": amount_text(entry.bid.price.amount, 18),
                    "usd_per_hour": amount_text(usd_per_hour(entry.bid.price.amount), 12),
                    "gpu": gpu_text(entry.bid),
                    "chosen": entry.bid in self.chosen,
                    "why_not": entry.refusal or ("" if entry.bid in self.chosen else "another bid is better"),
                }
                for entry in self.evaluated[:_MAX_EXPLAINED]
            ],
        }


@dataclass(frozen=True)
class WaitTimes:
    """How long bids have been waited for.

    Attributes:
        since_acceptable: Seconds since every group had a bid that will do; None if one has none.
        until_deadline: Seconds until a bid has to be taken.
        window: Seconds to wait for better bids after the first that will do.
    """

    since_acceptable: float | None
    until_deadline: float
    window: float


@dataclass(frozen=True)
class BidCriteria:
    """What a job asks of its bids.

    Attributes:
        preferences: Of the caller.
        groups: How many groups the deployment has.
        excluded: Providers by group whose bid turned out to be gone, as ``gseq/provider``.
    """

    preferences: Preferences
    groups: int
    excluded: frozenset[str] = field(default_factory=frozenset)


def bid_name(bid: Bid) -> str:
    """Return the name that distinguishes a bid from the others of its deployment."""
    return f"{bid.id.gseq}/{bid.id.provider}"


def evaluate(criteria: BidCriteria, bids: Sequence[Bid], providers: Mapping[str, Provider]) -> tuple[EvaluatedBid, ...]:
    """Judge every bid; those that will do come first, cheapest first, then by uptime."""
    evaluated = []
    for bid in bids:
        provider = providers.get(bid.id.provider)
        uptime = (provider.uptime_7d or provider.uptime_1d or 0.0) if provider else 0.0
        evaluated.append(EvaluatedBid(bid, _refusal(criteria, bid, provider), uptime))
    return tuple(sorted(evaluated, key=_rank))


def _rank(entry: EvaluatedBid) -> tuple[bool, Decimal, float, str]:
    return entry.refusal is not None, entry.bid.price.amount, -entry.uptime, bid_name(entry.bid)


def _refusal(criteria: BidCriteria, bid: Bid, provider: Provider | None) -> str | None:
    if bid.state != "open":
        return f"is {bid.state or 'not open'}"
    if bid_name(bid) in criteria.excluded:
        return "was gone when it was to be taken"
    if provider is None:
        return "comes from a provider that nobody knows"
    if provider.is_offline:
        return "comes from a provider that is offline"
    if bid.price.denom not in DOLLARS:
        return f"is in {bid.price.denom[:80]}, which has no price in US dollars"
    if bid.price.amount <= 0:
        return "has no price"
    limit = criteria.preferences.max_price
    if limit is not None and usd_per_hour(bid.price.amount) > limit:
        return f"costs more than {amount_text(limit, 18)} USD an hour"
    return provider_refusal(criteria.preferences, provider, _offered(bid))


def gpu_text(bid: Bid) -> str | None:
    """Return the GPUs that a bid offers, as people read them."""
    return ", ".join(str(name) for name in _offered(bid)) or None


def _offered(bid: Bid) -> list[GpuName]:
    """Return the GPUs that a bid offers."""
    found = []
    for offer in bid.resources_offer:
        resources = offer.get("resources")
        gpu = resources.get("gpu") if isinstance(resources, dict) else None
        attributes = gpu.get("attributes") if isinstance(gpu, dict) else None
        for attribute in attributes if isinstance(attributes, list) else []:
            name = gpu_of_attribute(str(attribute.get("key", ""))) if isinstance(attribute, dict) else None
            if name and name.model:
                found.append(name)
    return found


def best(criteria: BidCriteria, evaluated: Sequence[EvaluatedBid]) -> tuple[Bid, ...]:
    """Return the best bid of each group; none if a group has none, or if all together cost too much."""
    chosen: dict[int, Bid] = {}
    for entry in evaluated:
        if entry.refusal is None:
            chosen.setdefault(entry.bid.id.gseq, entry.bid)
    groups = range(1, criteria.groups + 1)
    if not all(group in chosen for group in groups):
        return ()
    found = tuple(chosen[group] for group in groups)
    limit = criteria.preferences.max_price
    if limit is not None and sum((usd_per_hour(bid.price.amount) for bid in found), Decimal(0)) > limit:
        return ()
    return found


def choose(criteria: BidCriteria, evaluated: tuple[EvaluatedBid, ...], waited: WaitTimes) -> Choice:
    """Take the best bids, or wait for better ones.

    Taken at once where only named providers count and all of them have bid, or where time is short; otherwise when the
    window is over.
    """
    found = best(criteria, evaluated)
    if not found:
        return Choice((), evaluated, "no bids that will do for every placement yet" if evaluated else "no bids yet")
    if _all_named_have_bid(criteria, evaluated):
        return Choice(found, evaluated, "the cheapest of the wanted providers, all of which have bid")
    if waited.since_acceptable is not None and waited.since_acceptable >= waited.window:
        return Choice(found, evaluated, f"the cheapest after waiting {waited.window:g} s for better ones")
    if waited.until_deadline <= 0:
        return Choice(found, evaluated, "the cheapest when time was running out")
    return Choice((), evaluated, "waiting for better bids")


def pause(criteria: BidCriteria, waited: WaitTimes) -> int:
    """Return the seconds after which another poll of the bids may end in a choice."""
    if waited.since_acceptable is None or criteria.preferences.providers:
        return POLL_INTERVAL_SECONDS
    return max(1, math.ceil(min(waited.window - waited.since_acceptable, waited.until_deadline)))


def _all_named_have_bid(criteria: BidCriteria, evaluated: Sequence[EvaluatedBid]) -> bool:
    names = criteria.preferences.providers
    have = {(entry.bid.id.gseq, entry.bid.id.provider) for entry in evaluated if entry.refusal is None}
    return bool(names) and all((group, name) in have for group in range(1, criteria.groups + 1) for name in names)
