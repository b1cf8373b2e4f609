"""How long a request may wait in all for tables, chains and other services.

Each call has a deadline of its own and may be tried again; a request makes several. Within ``limited`` they share one
budget of seconds, so that a silent store makes a refusal, not a queue. What Slipway itself computes is not counted.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock

from slipway.times import Clock

# The API answers within three seconds whatever is silent; the rest is for Slipway's own work.
REQUEST_SECONDS = 2.5
# Below this a call is not worth beginning.
_MIN_SECONDS = 0.02


class BudgetSpentError(Exception):
    """The request has waited as long as it may."""


@dataclass
class _Budget:
    """Seconds that are left. Calls that wait at the same time (``request_threads``) spend them once."""

    left: float
    clock: Clock
    waiting: int = 0
    since: float = 0.0
    lock: Lock = field(default_factory=Lock)

    def remaining(self) -> float:
        with self.lock:
            return self.left - (self.clock.monotonic() - self.since if self.waiting else 0.0)

    @contextmanager
    def spending(self) -> Iterator[None]:
        with self.lock:
            if not self.waiting:
                self.since = self.clock.monotonic()
            self.waiting += 1
        try:
            yield
        finally:
            with self.lock:
                self.waiting -= 1
                if not self.waiting:
                    self.left -= self.clock.monotonic() - self.since


# Threads that serve one request have copies of its context, which share the one budget.
_budget: ContextVar[_Budget | None] = ContextVar("request_budget", default=None)


@contextmanager
def limited(seconds: float, clock: Clock | None = None) -> Iterator[None]:
    """Let all calls in this block wait for so many seconds together.

    Args:
        seconds: How many.
        clock: Passes the time; by default that of the block around this one, or the real one.
    """
    around = _budget.get()
    before = _budget.set(_Budget(seconds, clock or (around.clock if around else time)))
    try:
        yield
    finally:
        _budget.reset(before)


def seconds_left(most: float) -> float:
    """Return how long a call may wait now: ``most``, or what is left of the budget."""
    budget = _budget.get()
    return most if budget is None else max(0.0, min(most, budget.remaining()))


@contextmanager
def waiting(most: float) -> Iterator[float]:
    """Give the seconds that the call in this block may take, and count what it took.

    Raises:
        BudgetSpentError: Nothing is left.
    """
    budget, seconds = _budget.get(), seconds_left(most)
    if budget is not None and seconds < _MIN_SECONDS:
        raise BudgetSpentError
    with budget.spending() if budget else nullcontext():
        yield seconds


def pause_within(seconds: float) -> bool:
    """Sleep between two tries of a call; False at once when the budget leaves no time for that and another try."""
    budget = _budget.get()
    if budget is not None and budget.remaining() < seconds + _MIN_SECONDS:
        return False
    with budget.spending() if budget else nullcontext():
        (budget.clock if budget else time).sleep(seconds)
    return True
