"""Sliding windows over the times of accepted requests: pure, in milliseconds since 1970 unless said otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SPANS = {"minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True)
class Window:
    """At most ``limit`` requests in any ``seconds``."""

    limit: int
    seconds: int


def windows_of(limit: Mapping[str, int]) -> list[Window]:
    """Return the windows of a limit such as ``{"hour": 5, "day": 20}``."""
    return [Window(limit[span], seconds) for span, seconds in _SPANS.items() if span in limit]


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
