"""A circuit breaker: stops accepting work that would only fail, and tries again with one probe. Pure; times in seconds.

Closed: work is accepted, and outcomes of the last minutes are counted. Open: refused until ``open_until``. Half-open:
one request at a time is let through; its success closes the breaker, its failure opens it again.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

WINDOW_SECONDS = 300
MIN_OUTCOMES = 5
FAILURE_RATE = 0.5
# A chain that can't be reached need not be tried five times.
UNREACHABLE_LIMIT = 3
OPEN_SECONDS = 60
PROBE_SECONDS = 120


class Outcome(StrEnum):
    """What the breaker counts."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNREACHABLE = "unreachable"
    NEITHER = "neither"


class Decision(StrEnum):
    """What it answers a request."""

    ACCEPT = "accept"
    PROBE = "probe"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Breaker:
    """Counts of the current window, and when the breaker opened. ``open_until`` 0 means closed."""

    window_began: float = 0
    successes: int = 0
    failures: int = 0
    unreachable: int = 0
    open_until: float = 0
    probe_until: float = 0

    def decide(self, now: float) -> Decision:
        """May a request pass?"""
        if not self.open_until:
            return Decision.ACCEPT
        if now < self.open_until or now < self.probe_until:
            return Decision.REFUSE
        return Decision.PROBE

    def retry_after(self, now: float) -> int:
        """Seconds after which asking again makes sense."""
        return max(1, round(max(self.open_until, self.probe_until) - now))

    def probing(self, now: float) -> "Breaker":
        """Return the breaker with a probe under way."""
        return replace(self, probe_until=now + PROBE_SECONDS)

    def after(self, outcome: Outcome, now: float) -> "Breaker":
        """Return the breaker after an outcome."""
        if outcome is Outcome.NEITHER:
            # Work that ended for a reason of its own says nothing of the service; if it was the probe, another may go.
            return replace(self, probe_until=0)
        if self.open_until:
            if outcome is Outcome.SUCCESS:
                return Breaker(window_began=now)
            return replace(self, open_until=now + OPEN_SECONDS, probe_until=0)
        window = self if now - self.window_began < WINDOW_SECONDS else Breaker(window_began=now)
        counted = replace(
            window,
            successes=window.successes + (outcome is Outcome.SUCCESS),
            failures=window.failures + (outcome is Outcome.FAILURE),
            # One answer from the chain shows that it is there.
            unreachable=window.unreachable + 1 if outcome is Outcome.UNREACHABLE else 0,
        )
        ended = counted.successes + counted.failures
        too_many = ended >= MIN_OUTCOMES and counted.failures / ended >= FAILURE_RATE
        if too_many or counted.unreachable >= UNREACHABLE_LIMIT:
            return Breaker(window_began=now, open_until=now + OPEN_SECONDS)
        return counted
