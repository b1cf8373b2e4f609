"""New workloads, and what one runs: for whoever deploys them."""

from datetime import timedelta

from slipway.akash.bidding.preferences import Preferences
from slipway.akash.models import Status
from slipway.akash.sdl.parser import Workload, fingerprint
from slipway.akash.store import KIND, LOOK_SECONDS, AkashDeployment, SdlText, compressed
from slipway.jobs.deployments import deployment_key, owner_key
from slipway.jobs.open_work import open_shard
from slipway.store import Transaction
from slipway.times import now, now_text, to_text


def new_workload(
    deployment_id: str, wallet: str, sdl: str, workload: Workload, preferences: Preferences, deposit: str
) -> AkashDeployment:
    """Return a workload that has just been accepted; to be written together with its ``sdl_item``.

    Args:
        deployment_id: A new id.
        wallet: Whose it is.
        sdl: What it runs.
        workload: What ``parse_sdl`` read from that.
        preferences: Which bids will do.
        deposit: US dollars, as a decimal.
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
        created_at=created_at,
        updated_at=created_at,
        owner_key=owner_key(wallet),
        owner_sort=f"{created_at}#{deployment_id}",
        open_shard=open_shard(KIND, deployment_id),
        open_until=to_text(now() + timedelta(seconds=LOOK_SECONDS)),
    )


def replace_sdl(write: Transaction, deployment: AkashDeployment, text: str) -> None:
    """Add to a transaction that a workload runs another SDL now."""
    write.update("sdl", SdlText(deployment.pk, "SDL"), [SdlText.text.set(compressed(text))])
    write.update(
        "workload",
        AkashDeployment(deployment.pk, deployment.sk),
        [AkashDeployment.sdl_fingerprint.set(fingerprint(text)), AkashDeployment.updated_at.set(now_text())],
    )
