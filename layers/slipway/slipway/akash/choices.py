"""Use cases of an owner who chooses among the bids: what there is to choose from, and the choice."""

from datetime import datetime
from decimal import Decimal

from slipway.akash.bidding.offers import pick
from slipway.akash.bidding.preferences import Preferences, bounded
from slipway.akash.bidding.prices import amount_text, usd_per_month
from slipway.akash.bidding.rules import BidCriteria
from slipway.akash.models import BidList, ChooseBidsRequest, OfferedBid, WorkloadStatus
from slipway.akash.store import AkashDeployment, offered_bids, still_pending
from slipway.akash.views import choice_of, status_of
from slipway.errors import ConflictError
from slipway.jobs.store import RequestContext, change_job
from slipway.times import from_text, now

_SOON = 5


def criteria_of(deployment: AkashDeployment) -> BidCriteria:
    """Return what a workload wants of its bids."""
    preferences = Preferences.model_validate(deployment.preferences)
    return BidCriteria(
        bounded(preferences, deployment.bounds) if deployment.bounds else preferences,
        int(deployment.groups),
        frozenset(deployment.excluded_bids),
    )


def bids_of(deployment: AkashDeployment) -> BidList:
    """Return the bids that the owner chooses among, as they were seen last; asks nothing of Akash."""
    kept = offered_bids(deployment) if deployment.choice else None
    taken = {(entry["gseq"], entry["provider"]) for entry in deployment.chosen or ()}
    limit = criteria_of(deployment).preferences.max_price
    return BidList(
        deployment_id=deployment.deployment_id,
        choice=choice_of(deployment),
        groups=int(deployment.groups),
        max_price=None if limit is None else amount_text(limit, 18),
        updated_at=kept.updated_at if kept else None,
        bids=[
            OfferedBid(
                **{name: value for name, value in entry.items() if name != "bid"},
                provider=(bid := entry["bid"])["provider"],
                group=bid["gseq"],
                price=bid["price"],
                usd_per_hour=bid["usd_per_hour"],
                usd_per_month=amount_text(usd_per_month(Decimal(bid["price"])), 2),
                gpu=bid.get("gpu"),
                acceptable=entry["why_not"] is None,
                chosen=(bid["gseq"], bid["provider"]) in taken,
            )
            for entry in (kept.bids if kept else ())
        ],
    )


def choose(deployment: AkashDeployment, body: ChooseBidsRequest, context: RequestContext) -> WorkloadStatus:
    """Take bids for a workload that waits for that. Written once; the same choice again changes nothing.

    The workflow finds it at its next poll, and leases them.

    Raises:
        ValidationFailedError: Not one provider for each placement.
        ConflictError: There is nothing to choose (any more), or one of the bids can't be taken.
    """
    if _is_made(deployment, body):
        return status_of(deployment)
    if refusal := _refusal(deployment, now()):
        raise refusal
    kept, criteria = offered_bids(deployment), criteria_of(deployment)
    bids = kept.bids if kept else []
    chosen = pick(bids, body.providers, criteria.groups, price=body.price, most=criteria.preferences.max_price)
    condition = (
        still_pending()
        & AkashDeployment.chosen.does_not_exist()
        & AkashDeployment.leases.does_not_exist()
        & (AkashDeployment.dseq == deployment.dseq)
        & (AkashDeployment.choose_until == deployment.choose_until)
    )
    for bid in chosen:
        # It may have been chosen before and found gone.
        condition &= ~AkashDeployment.excluded_bids.contains(f"{bid['gseq']}/{bid['provider']}")
    names = ", ".join(body.providers)
    if change_job(
        deployment,
        [AkashDeployment.chosen.set(chosen), AkashDeployment.chosen_by.set("owner")],
        condition,
        event=("bid_chosen", "Took the bid that the owner chose", {"chosen": body.providers, "by": "owner"}),
        also=lambda write: write.create(
            "audit", context.audit("accepted", deployment.wallet, deployment.deployment_id, names[:200])
        ),
    ) or _is_made(deployment, body):
        return status_of(deployment)
    raise _refusal(deployment, now()) or ConflictError("This bid is gone; look at the bids again", retry_after=_SOON)


def _is_made(deployment: AkashDeployment, body: ChooseBidsRequest) -> bool:
    """Return whether the owner has chosen just this."""
    return deployment.chosen_by == "owner" and [entry["provider"] for entry in deployment.chosen] == body.providers


def _refusal(deployment: AkashDeployment, moment: datetime) -> ConflictError | None:
    """Return why nothing can be chosen for a workload now, None if it can."""
    choice = choice_of(deployment)
    if choice is None:
        return ConflictError("Slipway takes the best bid for this workload: choose_bid was not set")
    details = {"status": deployment.status, "choice": choice.status, "by": choice.by}
    if choice.status == "chosen":
        names = ", ".join(entry["provider"] for entry in deployment.chosen)
        return ConflictError(f"Chosen already: {names}", details=details)
    if choice.status == "over":
        return ConflictError("The workload is not to run any more", details=details)
    if deployment.choose_until is None:
        return ConflictError("There are no bids yet that will do", details=details, retry_after=_SOON)
    if moment >= from_text(deployment.choose_until):
        return ConflictError("The time to choose is over", details=details)
    return None
