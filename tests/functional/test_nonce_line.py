"""Those who want an account's nonce take it one after the other, and nobody waits for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from slipway.chain import nonce_queue as nonce_line
from slipway.chain.nonce_queue import NonceLine
from slipway.chain.store import SignerNonce, signer_nonce
from slipway.errors import UpstreamUnavailableError

ACCOUNT = "0x00000000000000000000000000000000000000A1"
START = 7

pytestmark = pytest.mark.usefixtures("slipway")


def _line() -> NonceLine:
    return NonceLine(31337, ACCOUNT, lambda: START)


def _serve(line: NonceLine) -> None:
    """Take the nonce as the reservation does."""
    found = signer_nonce(31337, ACCOUNT)
    assert found
    found.update([SignerNonce.next_nonce.set(int(found.next_nonce) + 1), SignerNonce.served_ticket.set(line.ticket)])


def _meanwhile(monkeypatch: pytest.MonkeyPatch, *happens: Callable[[], None]) -> list[float]:
    """Let something happen in each pause; returns the pauses."""
    steps, pauses = iter(happens), []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        next(steps, lambda: None)()

    monkeypatch.setattr(nonce_line.time, "sleep", sleep)
    return pauses


def test_the_first_in_line_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = _meanwhile(monkeypatch)
    line = _line()
    assert line.expected == START
    assert int(line.wait().next_nonce) == START
    assert pauses == []


def test_the_chain_is_asked_only_for_an_account_that_was_never_used() -> None:
    _serve(_line())
    assert NonceLine(31337, ACCOUNT, lambda: pytest.fail("asked again")).expected == START + 1


def test_each_waits_for_those_ahead_and_expects_the_nonce_that_they_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = _line(), _line(), _line()
    assert [line.expected for line in (first, second, third)] == [START, START + 1, START + 2]
    pauses = _meanwhile(monkeypatch, lambda: _serve(first), lambda: None, lambda: _serve(second))
    assert int(third.wait().next_nonce) == third.expected == START + 2
    # The farther from its turn, the longer it sleeps between looks.
    assert len(pauses) == 3
    assert pauses[0] > max(pauses[1:])


def test_a_line_that_somebody_left_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonce_line, "_STALLED_SECONDS", 0.1)
    _line()
    waiting = _line()
    began = time.monotonic()
    assert int(waiting.wait().next_nonce) == START
    assert 0.1 <= time.monotonic() - began < 2
    # Served out of turn, it moves the line for those behind.
    _serve(waiting)
    behind = _line()
    assert int(behind.wait().next_nonce) == behind.expected == START + 1


def test_however_many_left_the_wait_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonce_line, "_STALLED_SECONDS", 0.05)
    for _ in range(12):
        last = _line()
    began = time.monotonic()
    last.wait()
    assert time.monotonic() - began < 0.05 * nonce_line._MOST_STALLED + 2


def test_a_line_that_moves_too_slowly_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonce_line, "_MOST_WAIT_SECONDS", 0.2)
    lines = [_line() for _ in range(40)]
    sleep = time.sleep
    served = iter(lines)

    def slowly(_: float) -> None:
        sleep(0.02)
        _serve(next(served))

    monkeypatch.setattr(nonce_line.time, "sleep", slowly)
    lines[-1].wait()
    assert int(lines[-1].nonce.served_ticket) < 39


def test_nobody_waits_for_a_line_that_is_already_past(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _line(), _line()
    _serve(second)
    pauses = _meanwhile(monkeypatch)
    first.look()
    assert int(first.wait().next_nonce) == first.expected == START + 1
    assert pauses == []


def test_who_leaves_unserved_lets_the_next_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    with _line():
        behind = _line()
    pauses = _meanwhile(monkeypatch)
    behind.look()
    assert int(behind.wait().next_nonce) == START
    assert pauses == []


def test_who_leaves_before_its_turn_does_not_send_others_off() -> None:
    first = _line()
    with _line():
        pass
    nonce = first.look()
    assert int(nonce.served_ticket) == 0


def test_who_was_served_passes_nothing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonce_line, "pass_turn", lambda *_: pytest.fail("passed on"))
    with _line() as line:
        _serve(line)
        line.served = True


def test_a_store_that_does_not_answer_keeps_nobody_in_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise UpstreamUnavailableError("no")

    monkeypatch.setattr(nonce_line, "pass_turn", refuse)
    with _line():
        pass
