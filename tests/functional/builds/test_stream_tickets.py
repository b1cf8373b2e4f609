"""Tickets: once, for one build, for a minute, and kept only as a hash."""

from __future__ import annotations

import pytest

from slipway.builds.api import tickets
from slipway.errors import AuthenticationFailedError
from slipway.times import epoch_seconds
from tests.support.installation import Installation
from tests.support.wallets import ALICE

BUILD = "6f0d9a52-30f5-4a3c-8d5e-0f2c7a1b9e11"
OTHER = "0b1f4c58-1f2e-4f6a-9a57-5d8a4de0a4b2"


def test_a_ticket_opens_one_stream_once(slipway: Installation) -> None:
    issued = tickets.issue(BUILD, ALICE.address)
    assert tickets.TICKET_SECONDS == 60
    assert tickets.redeem(issued, BUILD) == ALICE.address
    with pytest.raises(AuthenticationFailedError):
        tickets.redeem(issued, BUILD)


def test_a_ticket_for_another_build_is_refused_and_stays_good_for_its_own(slipway: Installation) -> None:
    issued = tickets.issue(BUILD, ALICE.address)
    with pytest.raises(AuthenticationFailedError):
        tickets.redeem(issued, OTHER)
    assert tickets.redeem(issued, BUILD) == ALICE.address


def test_a_ticket_ends_after_a_minute(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = tickets.issue(BUILD, ALICE.address)
    later = epoch_seconds() + 60
    monkeypatch.setattr(tickets, "epoch_seconds", lambda: later)
    with pytest.raises(AuthenticationFailedError):
        tickets.redeem(issued, BUILD)


@pytest.mark.parametrize("text", ["", "a", "x" * 43, "é" * 43, "x" * 4096])
def test_what_is_no_ticket_is_refused(slipway: Installation, text: str) -> None:
    with pytest.raises(AuthenticationFailedError):
        tickets.redeem(text, BUILD)


def test_only_the_hash_of_a_ticket_is_kept(slipway: Installation) -> None:
    issued = tickets.issue(BUILD, ALICE.address)
    assert issued not in str(slipway.items("control"))
