"""What deployments of every kind share in the jobs table.

- ``DEPLOYMENT#<id>`` / ``DETAIL``: the deployment, with its ``kind``; in ``by_owner`` under ``DEPLOYMENT#<wallet>``,
  in ``by_subject`` under ``DEPLOYMENTS#<day>``, and in ``open_work`` until it has ended.
"""

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Any

from pynamodb.attributes import DiscriminatorAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from slipway.jobs.open_work import OpenJob
from slipway.store import newest_first, read_item

_PREFIX = "DEPLOYMENT#"


class Deployment(OpenJob):
    """A deployment of any kind. Reading one gives an item of its kind's own class."""

    kind_class = DiscriminatorAttribute(attr_name="kind")
    deployment_id = UnicodeAttribute()
    status = UnicodeAttribute()
    wallet = UnicodeAttribute()
    error_code = UnicodeAttribute(null=True)
    error_message = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()

    @property
    def run_id(self) -> str:
        """Its executions are named after the deployment."""
        return str(self.deployment_id)


def deployment_key(deployment_id: str) -> tuple[str, str]:
    """Return partition and sort key of a deployment."""
    return f"{_PREFIX}{deployment_id}", "DETAIL"


def owner_key(wallet: str) -> str:
    """Return the key under which a wallet's deployments are indexed."""
    return f"{_PREFIX}{wallet}"


def day_key(moment: str) -> str:
    """Return the key under which all deployments of a day are indexed, by a time of it as text."""
    return f"DEPLOYMENTS#{moment[:10]}"


def find_deployment(deployment_id: str) -> Deployment | None:
    """Return a deployment of any kind by its id."""
    return read_item(Deployment, deployment_key(deployment_id))


def deployments_of(
    wallet: str, *, kind: type[Deployment], matching: Sequence[Condition], limit: int, cursor: str | None
) -> tuple[list[Any], str | None]:
    """Return a page of a wallet's deployments, newest first, that meet all conditions.

    They are those of one class, or of every class for ``Deployment``.
    """
    return newest_first(
        kind,
        kind.by_owner,
        ("owner_key", owner_key(wallet)),
        "owner_sort",
        limit=limit,
        cursor=cursor,
        matching=reduce(and_, matching) if matching else None,
    )
