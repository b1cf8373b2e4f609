"""How many permits of a semaphore a wallet holds at once."""

from __future__ import annotations

import pytest

from slipway.errors import RateLimitExceededError
from slipway.limits.semaphore import Semaphore
from tests.support.clock import ManualClock
from tests.support.installation import Installation

WALLET = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def _acquire(holder: str, *, wallet: str = WALLET, seconds: int = 60, clock: ManualClock | None = None) -> str:
    return Semaphore("streams", most=2, seconds=seconds, clock=clock or ManualClock()).acquire(wallet, holder)


def test_no_more_than_so_many_are_held_at_once(slipway: Installation) -> None:
    _acquire("a")
    _acquire("b")
    with pytest.raises(RateLimitExceededError) as refused:
        _acquire("c")
    assert 0 < (refused.value.retry_after or 0) <= 60
    assert _acquire("c", wallet="0x" + "11" * 20)


def test_one_that_was_released_makes_room_for_another(slipway: Installation) -> None:
    first = _acquire("a")
    _acquire("b")
    for _ in range(2):
        Semaphore("streams", most=2, seconds=60).release(WALLET, first)
    _acquire("c")
    with pytest.raises(RateLimitExceededError):
        _acquire("d")


def test_what_was_not_released_expires(slipway: Installation) -> None:
    clock = ManualClock()
    _acquire("a", seconds=5, clock=clock)
    _acquire("b", seconds=50, clock=clock)
    clock.seconds += 6
    _acquire("c", clock=clock)
    with pytest.raises(RateLimitExceededError) as refused:
        _acquire("d", clock=clock)
    assert refused.value.retry_after == 44
