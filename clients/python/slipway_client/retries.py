"""When a request is repeated, and after how long."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from slipway_client.errors import SlipwayError

_IDEMPOTENT = {"GET", "PUT", "PATCH", "DELETE"}
# They read, return a transaction that nobody has signed, or do the same thing again.
_CHANGES_NOTHING = {
    "POST /api/deployments/estimate",
    "POST /api/deployments/{id}/bids",
    "POST /api/v1/builds/preview",
    "POST /api/v1/builds/{build_id}/ticket",
    "POST /api/escrow",
    "POST /api/tokens/{address}/mint",
    # A refresh token whose use got no answer is either still good or lost either way.
    "POST /api/auth/refresh",
}


@dataclass(frozen=True)
class Retries:
    """How often and how long a request is tried.

    Attributes:
        attempts: How many times in all.
        first: The backoff's first bound in seconds; it doubles from there.
        longest: The longest wait in seconds. An answer that wants a longer one is raised at once.
    """

    attempts: int = 5
    first: float = 0.5
    longest: float = 20.0

    def pause(self, attempt: int, error: SlipwayError) -> float | None:
        """Return how many seconds to wait after an attempt (from 1), with full jitter, or None to give up."""
        if attempt >= self.attempts:
            return None
        if error.retry_after is None:
            return random.uniform(0, min(self.longest, self.first * 2 ** (attempt - 1)))  # noqa: S311
        if error.retry_after > self.longest:
            return None
        # Never earlier than it says, and not all callers at once.
        return error.retry_after + random.uniform(0, self.first)  # noqa: S311


def may_repeat(route: str, *, keyed: bool, error: SlipwayError) -> bool:
    """Decide whether the same request may be sent again without doing a thing twice.

    Args:
        route: Method and path, as the OpenAPI document has them.
        keyed: Whether it carries an Idempotency-Key.
        error: How it ended.
    """
    if not error.passes:
        return False
    return keyed or not error.unsure or route.partition(" ")[0] in _IDEMPOTENT or route in _CHANGES_NOTHING


def pauses(first: float, longest: float, factor: float = 1.5) -> Iterator[float]:
    """Yield pauses in seconds that grow to the longest, each 25 % shorter or longer, without end."""
    pause = first
    while True:
        yield pause * random.uniform(0.75, 1.25)  # noqa: S311
        pause = min(pause * factor, longest)
