"""Bids that a buyer chooses among: until when, what of them is kept, and whether a choice will do. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from slipway.akash.bidding.prices import amount_text, usd_per_hour
from slipway.akash.bidding.provider_matching import region_of
from slipway.akash.bidding.rules import EvaluatedBid, gpu_text
from slipway.akash.console.models import Bid, LeaseId, Provider
from slipway.errors import ConflictError, ValidationFailedError

# Of the time from a deployment's creation to its lease; the rest is for the best bid, and another if that one is gone.
CHOICE_SHARE = 0.8
# Between two polls of the bids while the buyer chooses.
POLL_INTERVAL_SECONDS = 5
# Best first. More providers than that do not bid, and a buyer reads fewer.
_MAX_KEPT = 100
_MAX_TEXT = 80


def choose_until(moment: datetime, opened_at: datetime, bid_timeout: float, within: int | None) -> datetime:
    """Return until when the buyer may choose.

    Args:
        moment: When there was a bid that will do for every placement.
        opened_at: When the deployment was created.
        bid_timeout: Seconds from then to its lease.
        within: Seconds that the buyer asked for, None for as long as it may be.
    """
    latest = opened_at + timedelta(seconds=bid_timeout * CHOICE_SHARE)
    return latest if within is None else min(latest, moment + timedelta(seconds=within))


def lease_of(lease: LeaseId, price: Decimal) -> dict[str, Any]:
    """Return a bid or lease as the workload keeps it."""
    return {
        "dseq": lease.dseq,
        "gseq": lease.gseq,
        "oseq": lease.oseq,
        "provider": lease.provider,
        "price": amount_text(price, 18),
        "usd_per_hour": amount_text(usd_per_hour(price)),
    }


def bid_of(bid: Bid, provider: Provider | None) -> dict[str, Any]:
    """Return a bid as the workload keeps it, with its GPU and its provider's host where they are known."""
    gpu, host = gpu_text(bid), urlsplit(provider.host_uri).hostname if provider else None
    return lease_of(bid.id, bid.price.amount) | ({"gpu": gpu} if gpu else {}) | ({"host": host} if host else {})


def offers_of(evaluated: Sequence[EvaluatedBid], providers: Mapping[str, Provider]) -> list[dict[str, Any]]:
    """Return bids with what distinguishes their providers, in their order, as they are kept for the buyer."""
    return [_offer_of(entry, providers.get(entry.bid.id.provider)) for entry in evaluated[:_MAX_KEPT]]


def _offer_of(entry: EvaluatedBid, provider: Provider | None) -> dict[str, Any]:
    uptime = (provider.uptime_7d if provider.uptime_7d is not None else provider.uptime_1d) if provider else None
    about = {
        "name": provider.name,
        "region": region_of(provider),
        "country": provider.country or provider.ip_country,
    } if provider else {}  # fmt: skip
    return {
        "bid": bid_of(entry.bid, provider),
        **{name: text[:_MAX_TEXT] for name, text in about.items() if text},
        "uptime": uptime,
        "audited": bool(provider and provider.is_audited),
        "why_not": entry.refusal,
    }


def pick(
    offers: Sequence[Mapping[str, Any]],
    providers: Sequence[str],
    groups: int,
    *,
    price: Decimal | None = None,
    most: Decimal | None = None,
) -> list[dict[str, Any]]:
    """Return the bids that a buyer chooses, one for each placement in order, as the workload keeps them.

    Args:
        offers: What ``offers_of`` returned.
        providers: One for each placement.
        groups: How many placements there are.
        price: uact a block that the buyer saw for all of them together; None if that does not matter.
        most: US dollars an hour that all of them together may cost; None for no limit.

    Raises:
        ValidationFailedError: Not one provider for each placement.
        ConflictError: A bid is not there, or can't be taken, or the price is another one.
    """
    if len(providers) != groups:
        reason = "must name one provider" + (f" for each of the {groups} placements, in order" if groups > 1 else "")
        raise ValidationFailedError.of_field("providers", reason)
    chosen = []
    for group, provider in enumerate(providers, 1):
        of_it = [entry for entry in offers if (entry["bid"]["gseq"], entry["bid"]["provider"]) == (group, provider)]
        if not of_it:
            raise _refused(provider, "has no bid" + (f" for placement {group}" if groups > 1 else ""))
        if reason := of_it[0]["why_not"]:
            raise _refused(provider, f"can't be taken: its bid {reason}")
        chosen.append(dict(of_it[0]["bid"]))
    together = sum((Decimal(bid["price"]) for bid in chosen), Decimal(0))
    if price is not None and together != price:
        now = amount_text(together, 18)
        raise ConflictError(f"The price is {now} uact a block now; look at the bids again", details={"price": now})
    if most is not None and usd_per_hour(together) > most:
        limit = amount_text(most, 18)
        raise ConflictError(f"Together these cost more than {limit} USD an hour", details={"max_price": limit})
    return chosen


def _refused(provider: str, reason: str) -> ConflictError:
    return ConflictError(f"{provider} {reason}", details={"provider": provider, "reason": reason})
