"""How tests wait for something that another thread, process or machine does: the one place where they pause."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, overload

from slipway.times import Clock

PATIENCE_SECONDS = 60.0
_EVERY_SECONDS = 0.1


def attempts(within: float, every: float | Callable[[], float] = _EVERY_SECONDS, clock: Clock = time) -> Iterator[None]:
    """Yield at once, and again after each pause of ``every`` seconds until ``within`` seconds are over."""
    ends_at = clock.monotonic() + within
    yield
    while clock.monotonic() < ends_at:
        clock.sleep(every() if callable(every) else every)
        yield


@overload
def eventually[Value](
    read: Callable[[], Value | None],
    *,
    within: float = PATIENCE_SECONDS,
    every: float = _EVERY_SECONDS,
    what: str | Callable[[], object] = "",
    meanwhile: Callable[[], object] = lambda: None,
    clock: Clock = time,
) -> Value: ...


@overload
def eventually[Value](
    read: Callable[[], Value],
    is_there: Callable[[Value], Any],
    *,
    within: float = PATIENCE_SECONDS,
    every: float | Callable[[Value], float] = _EVERY_SECONDS,
    what: str | Callable[[], object] = "",
    meanwhile: Callable[[], object] = lambda: None,
    clock: Clock = time,
) -> Value: ...


def eventually(
    read: Callable[[], Any],
    is_there: Callable[[Any], Any] = bool,
    *,
    within: float = PATIENCE_SECONDS,
    every: float | Callable[[Any], float] = _EVERY_SECONDS,
    what: str | Callable[[], object] = "",
    meanwhile: Callable[[], object] = lambda: None,
    clock: Clock = time,
) -> Any:
    """Read until what is read is as wanted, and return that.

    Args:
        read: Called at once, and then after each pause.
        is_there: Whether what was read is what is waited for; by default whether it is true.
        within: Seconds after which it must be there; it is read once more after the last pause.
        every: Seconds of a pause, or what gives them for what was read.
        what: What is waited for, for the message; a callable is asked only when it has not come.
        meanwhile: Called whenever it is not there yet, before the pause.
        clock: What passes the time.

    Raises:
        AssertionError: It has not come in time. The message has what was read last.
    """
    value: Any = None
    for _ in attempts(within, lambda: every(value) if callable(every) else every, clock):
        if is_there(value := read()):
            return value
        meanwhile()
    missing = (what() if callable(what) else what) or "what is waited for"
    raise AssertionError(f"not within {within:g} s: {missing}; last read: {value!r}")


def unchanged[Value](
    read: Callable[[], Value], during: float, every: float = _EVERY_SECONDS, clock: Clock = time
) -> Value:
    """Read for ``during`` seconds and return what is read.

    For what must not happen: nothing can be waited for there, so the time has to pass.

    Raises:
        AssertionError: It has changed meanwhile.
    """
    first = read()
    for _ in attempts(during, every, clock):
        found = read()
        assert found == first, f"changed from {first!r} to {found!r}"
    return first
