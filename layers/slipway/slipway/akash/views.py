"""Akash workloads as the API shows them."""

from decimal import Decimal
from typing import Any

from slipway.akash.bidding.prices import amount_text, usd_per_hour
from slipway.akash.models import (
    ChoiceState,
    LeaseDetail,
    Observation,
    PaymentState,
    Status,
    WorkloadDetail,
    WorkloadError,
    WorkloadStatus,
    WorkloadSummary,
)
from slipway.akash.status.models import LiveStatus
from slipway.akash.store import AkashDeployment
from slipway.amounts import format_amount
from slipway.jobs.models import EventDetail
from slipway.jobs.store import JobEvent


def _fields(item: AkashDeployment, live: LiveStatus | None = None) -> dict[str, Any]:
    # Between Akash's word that it is closed and the record of it there are moments.
    gone = item.close_requested_at is not None and live is not None and live.state == "closed"
    leases = item.leases or []
    price = sum((Decimal(entry["price"]) for entry in leases), Decimal(0))
    seen = Observation.model_validate(item.observation) if item.observation else None
    # What was reachable is not any more once it is closed.
    shown = seen.model_dump() if seen and not item.ended else {}
    return {
        **shown,
        "deployment_id": item.deployment_id,
        "status": Status.CLOSED if gone and item.status == str(Status.ACTIVE) else Status(item.status),
        "dseq": item.dseq,
        "provider": leases[0]["provider"] if leases else None,
        "price": amount_text(price, 18) if leases else None,
        "usd_per_hour": amount_text(usd_per_hour(price)) if leases else None,
        "error": WorkloadError(code=item.error_code, message=item.error_message or "") if item.error_code else None,
        "close_requested_at": item.close_requested_at,
        "close_reason": item.close_reason,
        "closed_at": item.closed_at,
        "active_at": item.active_at,
        "name": item.name,
        "auto_top_up": bool(item.auto_top_up),
        "update_requested_at": item.update_requested_at,
        "top_up": item.top_up["amount"] if item.top_up else None,
        "final_cost": item.final_cost,
        "chain_id": item.payment.get("chain_id") if item.payment else None,
        "last_seen": seen if item.ended else None,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "payment": _payment_of(item),
        "choice": choice_of(item),
    }


def choice_of(item: AkashDeployment) -> ChoiceState | None:
    """Return how the owner's choice among the bids stands; None if the owner does not choose."""
    if item.choice is None:
        return None
    ended = item.ended or item.closing
    waiting = "over" if ended else "awaiting_choice" if item.choose_until else "awaiting_bids"
    return ChoiceState(
        status="chosen" if item.chosen is not None else waiting,
        until=item.choose_until,
        unchosen=item.choice["unchosen"],
        by=item.chosen_by,
    )


def _payment_of(item: AkashDeployment) -> PaymentState | None:
    if item.payment is None:
        return None
    state, decimals, price = item.payment_state.value, int(item.payment["decimals"]), item.payment.get("price")
    return PaymentState(
        # Parts of the cost are paid while it stays reserved.
        status="settled" if item.settled_at else "reserved" if state.startswith("charg") else state,
        amount=item.payment["amount"],
        reserved=format_amount(int(item.funded_units or item.payment["units"]), decimals) if item.reserved_at else None,
        released=format_amount(int(item.released_units), decimals),
        most_per_hour=format_amount(int(price), decimals) if price else None,
        chain_id=item.payment.get("chain_id"),
        expires_at=item.payment["expires_at"],
        spent=item.final_cost,
    )


def status_of(item: AkashDeployment, live: LiveStatus | None = None) -> WorkloadStatus:
    """Where a workload stands."""
    return WorkloadStatus(**_fields(item, live), live=live)


def summary_of(item: AkashDeployment) -> WorkloadSummary:
    """Return a workload in a list."""
    return WorkloadSummary(**_fields(item))


def detail_of(item: AkashDeployment, events: list[JobEvent], live: LiveStatus | None) -> WorkloadDetail:
    """Return a workload with its leases and its events."""
    return WorkloadDetail(
        **_fields(item, live),
        live=live,
        deposit=item.deposit,
        preferences=item.preferences,
        leases=[LeaseDetail(**entry) for entry in item.leases or []],
        events=[EventDetail.of(event) for event in events],
    )
