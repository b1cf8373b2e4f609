"""How an administrator's node is asked again: a few times, with full jitter, and with no pause past the deadline."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from web3 import HTTPProvider
from web3.types import RPCEndpoint

from slipway.chain.administration import _MAX_PAUSES, _PatientProvider
from tests.support.clock import ManualClock

_METHOD = RPCEndpoint("eth_call")


class Node:
    """What a node answers, or raises, one after the other; the last for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0

    def make_request(self, _method: str, _params: Any) -> Any:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def _ask(monkeypatch: pytest.MonkeyPatch, node: Node, clock: ManualClock, within: float = 60.0) -> Any:
    monkeypatch.setattr(HTTPProvider, "make_request", lambda _, method, params: node.make_request(method, params))
    return _PatientProvider("http://node.test", clock.seconds + within, clock).make_request(_METHOD, [])


DOWN = requests.ConnectionError("down")
BUSY = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": "limit exceeded"}}
GOOD = {"jsonrpc": "2.0", "id": 1, "result": "0x1"}


@pytest.mark.parametrize("passing", [DOWN, BUSY], ids=["down", "busy"])
def test_what_passes_is_asked_again(monkeypatch: pytest.MonkeyPatch, passing: Any) -> None:
    node, clock = Node(passing, passing, GOOD), ManualClock()
    assert _ask(monkeypatch, node, clock) == GOOD
    assert (node.asked, len(clock.pauses)) == (3, 2)


def test_tries_are_bounded_and_pauses_have_full_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[float] = []
    for _ in range(50):
        node, clock = Node(DOWN), ManualClock()
        with pytest.raises(requests.ConnectionError):
            _ask(monkeypatch, node, clock)
        assert node.asked == len(_MAX_PAUSES) + 1
        assert all(0 <= pause <= most for pause, most in zip(clock.pauses, _MAX_PAUSES, strict=True))
        begun.append(clock.pauses[0])
    assert min(begun) < _MAX_PAUSES[0] / 4 < 3 * _MAX_PAUSES[0] / 4 < max(begun)


def test_no_pause_goes_past_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    node, clock = Node(DOWN), ManualClock()
    with pytest.raises(requests.ConnectionError):
        _ask(monkeypatch, node, clock, within=0.1)
    assert sum(clock.pauses) <= 0.1 + 1e-9
    assert node.asked == len(_MAX_PAUSES) + 1


def test_a_refusal_for_good_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {"jsonrpc": "2.0", "id": 1, "error": {"code": 3, "message": "execution reverted", "data": "0x"}}
    node, clock = Node(refused), ManualClock()
    assert _ask(monkeypatch, node, clock) == refused
    assert (node.asked, clock.pauses) == (1, [])
