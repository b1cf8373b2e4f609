"""New workloads, and what one runs: for whoever deploys them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from slipway.akash.bidding.preferences import Bounds, Preferences
from slipway.akash.models import Status
from slipway.akash.sdl.parser import Workload, fingerprint
from slipway.akash.store import KIND, RECONCILE_AFTER_SECONDS, AkashDeployment, put_sdl
from slipway.budgets.rules import MICRO
from slipway.budgets.store import Budget
from slipway.jobs.deployments import day_key, deployment_key, owner_key
from slipway.jobs.open_work import open_shard
from slipway.store import Transaction
from slipway.times import now, now_text, to_text


def new_workload(
    deployment_id: str,
    wallet: str,
    sdl: str,
    workload: Workload,
    preferences: Preferences,
    deposit: str,
    bounds: Bounds,
    choice: dict[str, Any] | None = None,
) -> AkashDeployment:
    """Return a workload that has just been accepted; to be written together with its ``sdl_item``.

    Args:
        deployment_id: A new id.
        wallet: Whose it is.
        sdl: What it runs.
        workload: What ``parse_sdl`` read from that.
        preferences: Which bids will do.
        deposit: US dollars, as a decimal.
        bounds: Within which its bids stay.
        choice: What its owner wants who chooses among the bids (``AkashDeployment.choice``).
    """
    created_at = now_text()
    return AkashDeployment(
        *deployment_key(deployment_id),
        deployment_id=deployment_id,
        status=str(Status.PENDING),
        wallet=wallet,
        sdl_fingerprint=fingerprint(sdl),
        services=list(workload.services),
        groups=len(workload.groups),
        preferences=preferences.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        deposit=deposit,
        bounds=bounds.model_dump(mode="json"),
        choice=choice,
        created_at=created_at,
        updated_at=created_at,
        owner_key=owner_key(wallet),
        owner_sort=f"{created_at}#{deployment_id}",
        subject_key=day_key(created_at),
        open_shard=open_shard(KIND, deployment_id),
        open_until=to_text(now() + timedelta(seconds=RECONCILE_AFTER_SECONDS)),
    )


def bounds_of(budget: Budget, *, audited_only: bool) -> Bounds:
    """Return the bounds of a new workload's bids: its price is under the ceiling of today, whatever it becomes."""
    return Bounds(max_price=Decimal(budget.limit("akash_usd_per_hour")) / MICRO, audited_only=audited_only)


def replace_sdl(write: Transaction, deployment: AkashDeployment, text: str) -> None:
    """Add to a transaction that a workload runs another SDL now."""
    put_sdl(write, deployment, text)
    write.update(
        "workload",
        AkashDeployment(deployment.pk, deployment.sk),
        [AkashDeployment.sdl_fingerprint.set(fingerprint(text)), AkashDeployment.updated_at.set(now_text())],
    )
