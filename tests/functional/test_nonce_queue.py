"""Jobs that want an account's nonces take them one after the other, and none waits for ever."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from slipway.chain import nonce_queue
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.nonce_queue import NonceQueue
from slipway.chain.store import SignerNonce, signer_nonce
from slipway.chains import Chain
from slipway.errors import UpstreamUnavailableError
from tests.support.clock import ManualClock
from tests.support.nodes import FakeNode

ACCOUNT = "0x00000000000000000000000000000000000000A1"
CHAIN = Chain.from_json({"chain_id": 31337, "name": "anvil", "rpc_urls": ["http://node"], "max_fee_per_gas": "1"})
START = 7

pytestmark = pytest.mark.usefixtures("slipway")


def _queue(clock: ManualClock | None = None, count: int = 1, **answers: Any) -> NonceQueue:
    node = FakeNode(**{"eth_getTransactionCount": hex(START), **answers})
    return NonceQueue(31337, ACCOUNT, count, JsonRpc(CHAIN, node.client()), clock or ManualClock())


def _serve(queue: NonceQueue, count: int = 1) -> None:
    """Take the nonces as the reservation does."""
    found = signer_nonce(31337, ACCOUNT)
    assert found
    taken = SignerNonce.next_nonce.set(int(found.next_nonce) + count)
    found.update([taken, SignerNonce.served_ticket.set(queue.ticket)])


def test_the_first_in_the_queue_waits_for_no_other() -> None:
    clock = ManualClock()
    queue = _queue(clock)
    assert queue.expected == START
    assert int(queue.wait().next_nonce) == START
    assert clock.pauses == []


def test_the_chain_is_asked_only_for_an_account_that_was_never_used() -> None:
    _serve(_queue())
    assert _queue(eth_getTransactionCount=lambda _: pytest.fail("asked again")).expected == START + 1


def test_each_waits_for_those_ahead_and_expects_the_nonce_that_they_leave() -> None:
    first, second = _queue(), _queue()
    clock = ManualClock(lambda: _serve(first), lambda: None, lambda: _serve(second))
    third = _queue(clock)
    assert [queue.expected for queue in (first, second, third)] == [START, START + 1, START + 2]
    assert int(third.wait().next_nonce) == third.expected == START + 2
    # The farther from its turn, the longer it sleeps between looks.
    assert len(clock.pauses) == 3
    assert clock.pauses[0] > max(clock.pauses[1:])


def test_a_job_that_takes_several_nonces_has_a_ticket_for_each() -> None:
    pair, single = _queue(count=2), _queue()
    clock = ManualClock(lambda: _serve(pair, 2), lambda: _serve(single))
    last = _queue(clock, count=3)
    assert [queue.expected for queue in (pair, single, last)] == [START, START + 2, START + 3]
    assert int(last.wait().next_nonce) == START + 3
    with _queue(count=2) as unserved:
        _serve(last, 3)
    assert int(unserved.refresh().served_ticket) == unserved.ticket == 8


def test_a_queue_that_a_job_left_without_a_word_is_passed_by() -> None:
    _queue()
    clock = ManualClock()
    waiting = _queue(clock)
    assert int(waiting.wait().next_nonce) == START
    assert 1 <= sum(clock.pauses) < 2
    # Served out of turn, it moves the queue for those behind.
    _serve(waiting)
    behind = _queue()
    assert int(behind.wait().next_nonce) == behind.expected == START + 1


def test_however_many_left_the_wait_is_bounded() -> None:
    clock = ManualClock()
    for _ in range(12):
        last = _queue(clock)
    last.wait()
    assert sum(clock.pauses) < nonce_queue._MAX_STALLED * nonce_queue._STALLED_SECONDS + 1


def test_a_queue_that_moves_too_slowly_is_left() -> None:
    queues = [_queue() for _ in range(40)]
    clock = ManualClock()

    def slowly(number: int) -> None:
        clock.seconds += 1
        _serve(queues[number])

    clock.meanwhile = [partial(slowly, number) for number in range(39)]
    last = _queue(clock)
    last.wait()
    assert 0 < int(last.nonce.served_ticket) < 39
    assert clock.seconds - 1000 < nonce_queue._MAX_WAIT_SECONDS + 3


def test_a_job_does_not_wait_for_a_queue_that_is_already_past() -> None:
    clock = ManualClock()
    first, second = _queue(clock), _queue()
    _serve(second)
    first.refresh()
    assert int(first.wait().next_nonce) == first.expected == START + 1
    assert clock.pauses == []


def test_a_job_that_leaves_unserved_lets_the_next_one_go() -> None:
    clock = ManualClock()
    with _queue():
        behind = _queue(clock)
    behind.refresh()
    assert int(behind.wait().next_nonce) == START
    assert clock.pauses == []


def test_a_job_that_leaves_before_its_turn_does_not_send_others_off() -> None:
    first = _queue()
    with _queue():
        pass
    nonce = first.refresh()
    assert int(nonce.served_ticket) == 0


def test_a_job_that_was_served_passes_nothing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonce_queue, "pass_turn", lambda *_: pytest.fail("passed on"))
    with _queue() as queue:
        _serve(queue)
        queue.served = True


def test_a_store_that_does_not_answer_keeps_no_job_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise UpstreamUnavailableError("no")

    monkeypatch.setattr(nonce_queue, "pass_turn", refuse)
    with _queue():
        pass
