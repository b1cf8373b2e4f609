"""The copy of what upstream tells of a workload.

Key in the jobs table, beside the workload: ``DEPLOYMENT#<id>`` / ``LIVE``.
"""

import time

from pynamodb.attributes import BinaryAttribute, NumberAttribute
from pynamodb.exceptions import DoesNotExist

from slipway.akash.console.models import Deployment
from slipway.akash.stale_while_revalidate import Copy
from slipway.store import JobsItem, condition_held, upstream_errors


class LiveItem(JobsItem):
    """What upstream told. Moments in seconds since 1970."""

    body = BinaryAttribute(null=True, legacy_encoding=False)
    as_of = NumberAttribute(null=True)
    took = NumberAttribute(null=True)
    claimed_until = NumberAttribute(null=True)


class LiveShelf:
    """Keeps one workload's copy (``copies.Shelf``).

    Args:
        deployment_id: The workload's id.
    """

    def __init__(self, deployment_id: str) -> None:
        self._key = (f"DEPLOYMENT#{deployment_id}", "LIVE")

    def read(self) -> Copy[Deployment] | None:
        """Return the copy, if there is one."""
        with upstream_errors():
            try:
                item = LiveItem.get(*self._key, consistent_read=True)
            except DoesNotExist:
                return None
        if item.body is None:
            return None
        return Copy(Deployment.model_validate_json(item.body), float(item.as_of), float(item.took))

    def claim(self, now: float, until: float) -> bool:
        """Take the refresh."""
        free = LiveItem.claimed_until.does_not_exist() | (LiveItem.claimed_until < now)
        return condition_held(
            lambda: LiveItem(*self._key).update(actions=[LiveItem.claimed_until.set(until)], condition=free)
        )

    def put(self, copy: Copy[Deployment]) -> None:
        """Keep a copy unless a newer one is there."""
        body = copy.value.model_dump_json(by_alias=True, exclude_unset=True).encode()
        condition_held(
            lambda: LiveItem(*self._key).update(
                actions=[
                    LiveItem.body.set(body),
                    LiveItem.as_of.set(copy.as_of),
                    LiveItem.took.set(copy.took),
                    LiveItem.claimed_until.remove(),
                ],
                condition=LiveItem.as_of.does_not_exist() | (LiveItem.as_of < copy.as_of),
            )
        )


def keep_told(deployment_id: str, told: Deployment, asked_at: float) -> None:
    """Keep what somebody asked upstream for another reason, such as the workflow that waits for services.

    Args:
        deployment_id: The workload's id.
        told: What upstream told.
        asked_at: When it was asked, in seconds since 1970.
    """
    told_at = time.time()
    LiveShelf(deployment_id).put(Copy(told, told_at, max(told_at - asked_at, 0.0)))
