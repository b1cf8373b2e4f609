"""Copies of what upstream told, so that no request waits for upstream longer than it may.

A copy is fresh for some seconds. The first reader that finds it older claims the refresh; the claim is a conditional
write, so there is one at a time. Where upstream was quick last time the claimant asks it directly, with a short
deadline; where it was slow, or is now, a refresh in the background is asked for and the old copy is served with its
age. Everybody else is served the old copy at once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from slipway.errors import SlipwayError
from slipway.observability import logger

# How long a request waits for upstream; the rest of its two seconds is for the store and the background's start.
DIRECT_SECONDS = 1.4
# How long a refresh in the background may take, and how long a claim keeps others from refreshing.
BACKGROUND_SECONDS = 25.0
CLAIM_SECONDS = 30.0
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Copy[Value]:
    """What upstream told at a moment.

    Attributes:
        value: What it told.
        as_of: When, in seconds since 1970.
        took: Seconds that upstream needed.
    """

    value: Value
    as_of: float
    took: float

    def age(self, now: float) -> float:
        """Return the seconds since then; never negative, whatever the clocks of two machines say."""
        return max(now - self.as_of, 0.0)


class Shelf[Value](Protocol):
    """Where one copy is kept for every function. Raises ``UpstreamUnavailableError`` when the store does not answer."""

    def read(self) -> Copy[Value] | None:
        """Return the copy, if there is one."""

    def claim(self, now: float, until: float) -> bool:
        """Take the refresh until a moment; False while somebody else has it. Seconds since 1970."""

    def put(self, copy: Copy[Value]) -> None:
        """Keep a copy unless a newer one is there, and give the claim back."""


@dataclass(frozen=True)
class Source[Value]:
    """How a copy is made.

    Attributes:
        fetch: Asks upstream within a number of seconds; raises SlipwayError.
        ask_background: Asks for a refresh by somebody else; returns at once.
        fresh_seconds: How long a copy is good without asking again.
        is_final: Whether upstream will never tell anything else.
    """

    fetch: Callable[[float], Value]
    ask_background: Callable[[], None]
    fresh_seconds: float
    is_final: Callable[[Value], bool] = lambda _: False


def read_copy[Value](
    shelf: Shelf[Value], source: Source[Value], clock: Callable[[], float] = time.time
) -> Copy[Value] | None:
    """Return the newest copy that can be had within two seconds; None when there is none.

    Args:
        shelf: Where it is kept.
        source: How it is made.
        clock: Seconds since 1970.

    Raises:
        UpstreamUnavailableError: The store did not answer.
    """
    ends_at = clock() + DIRECT_SECONDS
    copy = shelf.read()
    now = clock()
    if copy and (source.is_final(copy.value) or copy.age(now) < source.fresh_seconds):
        return copy
    if not shelf.claim(now, now + CLAIM_SECONDS):
        return copy or _awaited(shelf, ends_at, clock)
    if copy is None or copy.took <= DIRECT_SECONDS:
        try:
            return refresh(shelf, source, DIRECT_SECONDS, clock)
        except SlipwayError as error:
            logger.info("asking in the background", reason=error.message)
    source.ask_background()
    return copy


def refresh[Value](
    shelf: Shelf[Value], source: Source[Value], seconds: float, clock: Callable[[], float] = time.time
) -> Copy[Value]:
    """Ask upstream and keep what it tells.

    Raises:
        SlipwayError: As ``source.fetch`` raises it.
    """
    asked_at = clock()
    value = source.fetch(seconds)
    told_at = clock()
    copy = Copy(value, told_at, max(told_at - asked_at, 0.0))
    shelf.put(copy)
    return copy


def _awaited[Value](shelf: Shelf[Value], ends_at: float, clock: Callable[[], float]) -> Copy[Value] | None:
    """Wait for the first copy ever, which another reader is making."""
    while clock() + _LOOK_SECONDS < ends_at:
        time.sleep(_LOOK_SECONDS)
        if copy := shelf.read():
            return copy
    return None
