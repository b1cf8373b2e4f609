"""A clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable


class ManualClock:
    """Time that passes only in pauses, or when the test says so.

    Attributes:
        seconds: What ``monotonic`` returns.
        pauses: Every pause that was taken.
        meanwhile: What happens in the next pauses, one after the other.
    """

    def __init__(self, *meanwhile: Callable[[], object]) -> None:
        self.seconds = 1000.0
        self.pauses: list[float] = []
        self.meanwhile = list(meanwhile)

    def monotonic(self) -> float:
        """Return the seconds."""
        return self.seconds

    def sleep(self, seconds: float, /) -> None:
        """Let the seconds pass, and what happens meanwhile happen."""
        self.pauses.append(seconds)
        self.seconds += seconds
        if self.meanwhile:
            self.meanwhile.pop(0)()
