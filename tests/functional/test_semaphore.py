"""How many permits of a semaphore a wallet holds at once."""

from __future__ import annotations

import pytest

from slipway.errors import RateLimitExceededError
from slipway.limits import semaphore
from slipway.limits.semaphore import Semaphore
from slipway.times import epoch_seconds
from tests.support.installation import Installation

WALLET = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def _acquire(holder: str, *, wallet: str = WALLET, seconds: int = 60) -> str:
    return Semaphore("streams", most=2, seconds=seconds).acquire(wallet, holder)


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


def test_what_was_not_released_expires(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    began = epoch_seconds()
    monkeypatch.setattr(semaphore, "epoch_seconds", lambda: began)
    _acquire("a", seconds=5)
    _acquire("b", seconds=50)
    monkeypatch.setattr(semaphore, "epoch_seconds", lambda: began + 6)
    _acquire("c")
    with pytest.raises(RateLimitExceededError) as refused:
        _acquire("d")
    assert refused.value.retry_after == 44
