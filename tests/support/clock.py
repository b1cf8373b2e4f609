"""Clocks that a test moves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Self

from local.console_api.clock import Clock


class ManualClock:
    """Time that passes only in pauses, or when the test says so.

    Attributes:
        seconds: What ``monotonic`` returns.
        began: What ``time`` returned when they were none; it returns ``at``, or the present, at first.
        pauses: Every pause that was taken.
        meanwhile: What happens in the next pauses, one after the other.
    """

    def __init__(self, *meanwhile: Callable[[], object], at: datetime | None = None) -> None:
        self.seconds = 1000.0
        self.began = (at.timestamp() if at else time.time()) - self.seconds
        self.pauses: list[float] = []
        self.meanwhile = list(meanwhile)

    def time(self) -> float:
        """Return seconds since 1970: the present when the clock was made, and what passed since."""
        return self.began + self.seconds

    def monotonic(self) -> float:
        """Return the seconds."""
        return self.seconds

    def sleep(self, seconds: float, /) -> None:
        """Let the seconds pass, and what happens meanwhile happen."""
        self.pauses.append(seconds)
        self.seconds += seconds
        if self.meanwhile:
            self.meanwhile.pop(0)()


class HastyClock:
    """Real time, and every pause that was taken: they take no time, but count.

    Attributes:
        pauses: How long each was to be.
    """

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def time(self) -> float:
        """Return seconds since 1970."""
        return time.time() + sum(self.pauses)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic() + sum(self.pauses)

    def sleep(self, seconds: float, /) -> None:
        """Count the pause."""
        self.pauses.append(seconds)


class SkippingClock(Clock):
    """The time that a simulated network and the workflows under test share.

    It passes as real time does, and by as much more as it is advanced: nobody waits for a deadline.
    """

    def wall(self) -> float:
        """Seconds since 1970, with everything that was skipped."""
        return self._epoch + self.now()

    time = wall

    def monotonic(self) -> float:
        """Return the seconds since the start."""
        return self.now()

    def sleep(self, seconds: float, /) -> None:
        """Let real seconds pass: what is waited for is done by threads that know no other time."""
        time.sleep(seconds)  # noqa: TID251 (the clock itself)

    def moment(self) -> datetime:
        """Return the present, aware, in UTC."""
        return datetime.fromtimestamp(self.wall(), UTC)

    def restart(self, ahead: float = 0.0) -> Self:
        """Begin at the present again, or so many seconds ahead of it."""
        self._passed, self._since, self._epoch = ahead, time.monotonic(), time.time()
        return self


class PatientClock:
    """Real time without what the machine took from the tests, for limits that hold on a busy machine as well.

    It looks a hundred times a second, and counts since the last look what it meant to pause, twice at most, or what the
    process computed, if that is more. What is missing, other processes had.
    """

    _PAUSE_SECONDS = 0.01

    # What tests put in the place of these is not meant for this clock.
    def __init__(
        self, now: Callable[[], float] = time.monotonic, computed: Callable[[], float] = time.process_time
    ) -> None:
        self._lock = threading.Lock()
        self._now, self._computes, self._sleep = now, computed, time.sleep  # noqa: TID251 (the clock's own)
        self._counted, self._seen, self._computed = 0.0, now(), computed()

    def monotonic(self) -> float:
        """Return the seconds."""
        with self._lock:
            now, computed = self._now(), self._computes()
            most = max(2 * self._PAUSE_SECONDS, computed - self._computed)
            self._counted += min(now - self._seen, most)
            self._seen, self._computed = now, computed
            return self._counted

    def time(self) -> float:
        """Return real seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float, /) -> None:
        """Let real seconds pass."""
        self._sleep(seconds)

    def run(self) -> None:
        """Look, for ever."""
        while True:
            self._sleep(self._PAUSE_SECONDS)
            self.monotonic()


@cache
def patient_clock() -> PatientClock:
    """Return the one ``PatientClock`` of this process."""
    clock = PatientClock()
    threading.Thread(target=clock.run, daemon=True).start()
    return clock


def patient_seconds() -> float:
    """Return the seconds of the one ``PatientClock`` of this process."""
    return patient_clock().monotonic()


@contextmanager
def taking(less_than: float, at_least: float = 0.0) -> Iterator[None]:
    """Require how many seconds the block takes, whatever else the machine does.

    Args:
        less_than: Without what other processes took of the machine.
        at_least: By the clock on the wall.
    """
    began, began_patiently = time.monotonic(), patient_seconds()
    yield
    taken, taken_patiently = time.monotonic() - began, patient_seconds() - began_patiently
    assert taken >= at_least, f"it took {taken:.2f} s"
    assert taken_patiently < less_than, f"it took {taken_patiently:.2f} s, {taken:.2f} s by the clock on the wall"


def effort(act: Callable[[], object]) -> float:
    """Return how much of the processor something takes, as a multiple of a fixed sum.

    So it is about the same on any machine. The sum takes some two milliseconds on one of 2025.
    """
    return _processor_seconds(act) / _fixed_sum()


@cache
def _fixed_sum() -> float:
    return min(_processor_seconds(lambda: sum(range(100_000))) for _ in range(5))


def _processor_seconds(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began
