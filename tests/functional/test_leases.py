"""How many of a thing a caller holds at once."""

from __future__ import annotations

import pytest

from slipway.errors import RateLimitExceededError
from slipway.limits import leases
from tests.support.installation import Installation

WALLET = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def _take(holder: str, *, wallet: str = WALLET, seconds: int = 60) -> str:
    return leases.take("streams", wallet, holder, seconds=seconds, most=2)


def test_no_more_than_so_many_are_held_at_once(slipway: Installation) -> None:
    _take("a")
    _take("b")
    with pytest.raises(RateLimitExceededError) as refused:
        _take("c")
    assert 0 < (refused.value.retry_after or 0) <= 60
    assert _take("c", wallet="0x" + "11" * 20)


def test_one_that_was_given_back_makes_room_for_another(slipway: Installation) -> None:
    first = _take("a")
    _take("b")
    leases.give_back("streams", WALLET, first)
    leases.give_back("streams", WALLET, first)
    _take("c")
    with pytest.raises(RateLimitExceededError):
        _take("d")


def test_what_nobody_gave_back_ends_by_itself(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    _take("a", seconds=5)
    _take("b", seconds=50)
    later = leases.epoch_seconds() + 6
    monkeypatch.setattr(leases, "epoch_seconds", lambda: later)
    _take("c")
    with pytest.raises(RateLimitExceededError) as refused:
        _take("d")
    assert refused.value.retry_after == 44
