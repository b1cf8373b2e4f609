"""A cache with stale-while-revalidate (RFC 5861), so that no request waits for upstream longer than it may.

An entry is fresh for some seconds. The first reader that finds it older claims the revalidation; the claim is a
conditional write, so there is one at a time. Where upstream was quick last time the claimant asks it directly, with a
short deadline; where it was slow, or is now, it requests a revalidation in the background and serves the stale entry
with its age. Every other reader is served the stale entry at once.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pynamodb.expressions.update import Action

from slipway.errors import SlipwayError
from slipway.observability import logger
from slipway.store import update_if
from slipway.times import Clock

# How long a request waits for upstream; the rest of its two seconds is for the store and the background's start.
DIRECT_SECONDS = 1.4
# How long a revalidation in the background may take, and how long a claim keeps others from revalidating.
BACKGROUND_SECONDS = 25.0
CLAIM_SECONDS = 30.0
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class CacheEntry[Value]:
    """What upstream answered at a moment.

    Attributes:
        value: The answer.
        as_of: When, in seconds since 1970.
        took: Seconds that upstream needed.
    """

    value: Value
    as_of: float
    took: float

    def age(self, now: float) -> float:
        """Return the seconds since then; never negative, whatever the clocks of two machines say."""
        return max(now - self.as_of, 0.0)


class Cache[Value](Protocol):
    """Holds one entry for every function. Raises ``UpstreamUnavailableError`` when the store does not answer."""

    def read(self) -> CacheEntry[Value] | None:
        """Return the entry, if there is one."""

    def claim(self, now: float, until: float) -> bool:
        """Claim the revalidation until a moment; False while it is claimed. Seconds since 1970."""

    def put(self, entry: CacheEntry[Value]) -> None:
        """Keep an entry unless a newer one is there, and end the claim."""


def claim_revalidation(item: Any, now: float, until: float) -> bool:
    """Claim the revalidation of the entry that is kept in an item with ``claimed_until``; see ``Cache.claim``."""
    kind = type(item)
    free = kind.claimed_until.does_not_exist() | (kind.claimed_until < now)
    return update_if(item, free, [kind.claimed_until.set(until)])


def put_entry(item: Any, entry: CacheEntry[Any], value: Sequence[Action]) -> None:
    """Keep an entry in an item with ``as_of``, ``took`` and ``claimed_until``; see ``Cache.put``."""
    kind = type(item)
    metadata = [kind.as_of.set(entry.as_of), kind.took.set(entry.took), kind.claimed_until.remove()]
    update_if(item, kind.as_of.does_not_exist() | (kind.as_of < entry.as_of), [*value, *metadata])


@dataclass(frozen=True)
class Origin[Value]:
    """Where an entry comes from.

    Attributes:
        fetch: Asks upstream within a number of seconds; raises SlipwayError.
        request_revalidation: Requests a revalidation in the background; returns at once.
        fresh_seconds: How long an entry is good without asking again.
        is_final: Whether upstream will never answer anything else.
    """

    fetch: Callable[[float], Value]
    request_revalidation: Callable[[], None]
    fresh_seconds: float
    is_final: Callable[[Value], bool] = lambda _: False


def read_through[Value](cache: Cache[Value], origin: Origin[Value], clock: Clock = time) -> CacheEntry[Value] | None:
    """Return the newest entry that can be had within two seconds; None when there is none.

    Raises:
        UpstreamUnavailableError: The store did not answer.
    """
    ends_at = clock.time() + DIRECT_SECONDS
    entry = cache.read()
    now = clock.time()
    if entry and (origin.is_final(entry.value) or entry.age(now) < origin.fresh_seconds):
        return entry
    if not cache.claim(now, now + CLAIM_SECONDS):
        return entry or _await_first_entry(cache, ends_at, clock)
    if entry is None or entry.took <= DIRECT_SECONDS:
        try:
            return revalidate(cache, origin, DIRECT_SECONDS, clock)
        except SlipwayError as error:
            logger.info("revalidating in the background", reason=error.message)
    origin.request_revalidation()
    return entry


def revalidate[Value](
    cache: Cache[Value], origin: Origin[Value], seconds: float, clock: Clock = time
) -> CacheEntry[Value]:
    """Ask upstream and keep its answer.

    Raises:
        SlipwayError: As ``origin.fetch`` raises it.
    """
    asked_at = clock.time()
    value = origin.fetch(seconds)
    answered_at = clock.time()
    entry = CacheEntry(value, answered_at, max(answered_at - asked_at, 0.0))
    cache.put(entry)
    return entry


def _await_first_entry[Value](cache: Cache[Value], ends_at: float, clock: Clock) -> CacheEntry[Value] | None:
    """Wait for the first entry ever, which another reader is fetching."""
    while clock.time() + _POLL_SECONDS < ends_at:
        clock.sleep(_POLL_SECONDS)
        if entry := cache.read():
            return entry
    return None
