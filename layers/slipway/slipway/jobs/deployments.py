"""What deployments of every kind share in the jobs table.

- ``DEPLOYMENT#<id>`` / ``DETAIL``: the deployment, with its ``kind``; in ``by_owner`` under ``DEPLOYMENT#<wallet>``,
  and in ``open_work`` until it has ended.
"""

import zlib
from typing import Any

from pynamodb.attributes import DiscriminatorAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist

from slipway.store import JobsItem, condition_held, newest_first, upstream_errors

OPEN_SHARDS = 4
_PREFIX = "DEPLOYMENT#"


class Deployment(JobsItem):
    """A deployment of any kind. Reading one gives an item of its kind's own class."""

    kind_class = DiscriminatorAttribute(attr_name="kind")
    deployment_id = UnicodeAttribute()
    status = UnicodeAttribute()
    wallet = UnicodeAttribute()
    error_code = UnicodeAttribute(null=True)
    error_message = UnicodeAttribute(null=True)
    executions = NumberAttribute(default=1)
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()

    @property
    def execution_name(self) -> str:
        """Name of its latest execution."""
        count = int(self.executions)
        return self.deployment_id if count == 1 else f"{self.deployment_id}-{count}"


def deployment_key(deployment_id: str) -> tuple[str, str]:
    """Return partition and sort key of a deployment."""
    return f"{_PREFIX}{deployment_id}", "DETAIL"


def owner_key(wallet: str) -> str:
    """Return the key under which a wallet's deployments are indexed."""
    return f"{_PREFIX}{wallet}"


def open_shard(kind: str, deployment_id: str) -> str:
    """Return the shard in which ``reconcile`` looks for the deployment while it is open."""
    return open_shards(kind)[zlib.crc32(deployment_id.encode()) % OPEN_SHARDS]


def open_shards(kind: str) -> list[str]:
    """Return the shards in the index ``open_work`` that hold a kind of deployment."""
    # Tokens came first, when there was one kind.
    prefix = "OPEN" if kind == "token" else f"OPEN#{kind}"
    return [f"{prefix}#{shard}" for shard in range(OPEN_SHARDS)]


def find_deployment(deployment_id: str, *, consistent: bool = True) -> Deployment | None:
    """Return a deployment of any kind by its id."""
    with upstream_errors():
        try:
            return Deployment.get(*deployment_key(deployment_id), consistent_read=consistent)
        except DoesNotExist:
            return None


def due_deployments(kind: str, moment: str, limit: int) -> list[str]:
    """Return ids of deployments that were due before ``moment``, longest overdue first.

    Args:
        kind: Which deployments.
        moment: The present.
        limit: Most of each shard.
    """
    found: list[tuple[str, str]] = []
    for shard in open_shards(kind):
        with upstream_errors():
            # The index holds keys only, so these are items of no particular class.
            due = JobsItem.open_work.query(shard, JobsItem.open_until < moment, limit=limit)
            found += [(str(item.open_until), item.pk.removeprefix(_PREFIX)) for item in due]
    return [deployment_id for _, deployment_id in sorted(found)]


def look_again(deployment: Deployment, moment: str) -> None:
    """Put the next look at a deployment off, unless it has ended."""
    condition_held(
        lambda: type(deployment)(deployment.pk, deployment.sk).update(
            actions=[Deployment.open_until.set(moment)], condition=Deployment.open_shard.exists()
        )
    )


def count_execution(deployment: Deployment) -> bool:
    """Count one more execution of a deployment; False when somebody else did since it was read."""
    count = int(deployment.executions)
    counted = condition_held(
        lambda: type(deployment)(deployment.pk, deployment.sk).update(
            actions=[Deployment.executions.set(count + 1)],
            condition=(Deployment.executions == count) & Deployment.open_shard.exists(),
        )
    )
    if counted:
        deployment.executions = count + 1
    return counted


def deployments_of(
    wallet: str, *, kind: type[Deployment], status: str | None, limit: int, cursor: str | None
) -> tuple[list[Any], str | None]:
    """Return a page of a wallet's deployments, newest first: those of one class, or of every class for
    ``Deployment``."""
    return newest_first(
        kind,
        kind.by_owner,
        ("owner_key", owner_key(wallet)),
        "owner_sort",
        limit=limit,
        cursor=cursor,
        matching=kind.status == status if status else None,
    )
