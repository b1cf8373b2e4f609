"""The cached answer of upstream about a workload.

Key in the jobs table, beside the workload: ``DEPLOYMENT#<id>`` / ``LIVE``.
"""

from pynamodb.attributes import BinaryAttribute, NumberAttribute

from slipway.akash.console.models import Deployment
from slipway.akash.stale_while_revalidate import CacheEntry, claim_revalidation, put_entry
from slipway.store import JobsItem, read_item


class LiveItem(JobsItem):
    """What upstream answered. Moments in seconds since 1970."""

    body = BinaryAttribute(null=True, legacy_encoding=False)
    as_of = NumberAttribute(null=True)
    took = NumberAttribute(null=True)
    claimed_until = NumberAttribute(null=True)


class LiveCache:
    """The cache of one workload; see ``stale_while_revalidate.Cache``."""

    def __init__(self, deployment_id: str) -> None:
        self._key = (f"DEPLOYMENT#{deployment_id}", "LIVE")

    def read(self) -> CacheEntry[Deployment] | None:
        """Return the entry, if there is one."""
        item = read_item(LiveItem, self._key)
        if item is None or item.body is None:
            return None
        return CacheEntry(Deployment.model_validate_json(item.body), float(item.as_of), float(item.took))

    def claim(self, now: float, until: float) -> bool:
        """Claim the revalidation."""
        return claim_revalidation(LiveItem(*self._key), now, until)

    def put(self, entry: CacheEntry[Deployment]) -> None:
        """Keep an entry unless a newer one is there."""
        body = entry.value.model_dump_json(by_alias=True, exclude_unset=True).encode()
        put_entry(LiveItem(*self._key), entry, [LiveItem.body.set(body)])


def cache_answer(deployment_id: str, answer: Deployment, asked_at: float, answered_at: float) -> None:
    """Cache an answer that upstream gave for another purpose, such as the workflow that waits for services.

    Args:
        deployment_id: The workload.
        answer: What upstream says of it.
        asked_at: When it was asked, in seconds since 1970.
        answered_at: When it answered.
    """
    LiveCache(deployment_id).put(CacheEntry(answer, answered_at, max(answered_at - asked_at, 0.0)))
