"""Clocks that a test moves."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from local.console_api.clock import Clock


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


class SkippingClock(Clock):
    """The time that a simulated network and the workflows under test share.

    It passes as real time does, and by as much more as it is advanced: nobody waits for a deadline.
    """

    def wall(self) -> float:
        """Seconds since 1970, with everything that was skipped."""
        return self._epoch + self.now()

    def moment(self) -> datetime:
        """The present, aware, in UTC."""
        return datetime.fromtimestamp(self.wall(), UTC)

    def restart(self) -> None:
        """Begin at the present again."""
        self._passed, self._since, self._epoch = 0.0, time.monotonic(), time.time()
