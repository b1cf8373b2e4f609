"""Sliding windows over the times of accepted requests: pure, in milliseconds since 1970 unless said otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.settings import Window


@dataclass(frozen=True)
class Allowance:
    """What is left in the tightest window; ``reset_seconds`` says when it next grows.

    ``window_seconds`` is the window's length.
    """

    limit: int
    remaining: int
    reset_seconds: int
    window_seconds: int = 3600


def allowance(accepted_at: Sequence[int], windows: Sequence[Window], now: int) -> Allowance:
    """Return the state of the window that allows least.

    Args:
        accepted_at: Times of accepted requests, newest first.
        windows: At least one.
        now: The present.
    """
    found = []
    for window in windows:
        inside = [at for at in accepted_at if at > now - window.seconds * 1000]
        reset = 0
        if inside:
            # The oldest request that still counts against the limit is the next to leave.
            oldest = inside[: window.limit][-1]
            reset = max(1, -(-(oldest + window.seconds * 1000 - now) // 1000))
        found.append(Allowance(window.limit, max(0, window.limit - len(inside)), reset, window.seconds))
    return min(found, key=lambda allowed: (allowed.remaining, -allowed.reset_seconds))
