"""A store that takes calls and never answers costs a request its budget, once, whatever is tried again."""

from __future__ import annotations

import itertools
import json
import math
import socket
import threading
from collections.abc import Callable, Iterator
from threading import Barrier
from typing import Any

import botocore.endpoint
import httpx
import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber

from slipway import store
from slipway.chain.json_rpc import JsonRpc
from slipway.chains import Chain
from slipway.deadline_client import DeadlineClient
from slipway.errors import UpstreamUnavailableError
from slipway.request_budget import limited, seconds_left, waiting
from slipway.request_threads import RequestThreads
from slipway.store import condition_held
from slipway.workers.heartbeat_request import Beat
from slipway.workers.heartbeats import take_beat
from slipway.workers.store import WorkerItem, find_worker, fleet_places, worker_key
from tests.support.authorization import ROUTES
from tests.support.clock import ManualClock, taking
from tests.support.functions import event
from tests.support.installation import Installation
from tests.support.template import ROOT
from tests.support.wallets import ADMIN, ALICE, OPERATOR
from tests.support.workers import enrol, wallet

# Without a budget, the calls here wait four seconds and more, each.
MOST = 4.0


@pytest.fixture
def silent() -> Iterator[str]:
    """Yield an address that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def silent_table(silent: str) -> Iterator[None]:
    old = store.connection.host, store.connection._client
    store.connection.host, store.connection._client = silent, None
    store.limit_waits(store.connection.client)
    yield
    store.connection.host, store.connection._client = old


def _refused(budget: float, *calls: Callable[[], object], at_least: float = 0.4) -> None:
    with taking(less_than=MOST, at_least=at_least), limited(budget):
        for call in calls:
            with pytest.raises(UpstreamUnavailableError) as refused:
                call()
            assert refused.value.retry_after


@pytest.mark.usefixtures("silent_table")
def test_a_silent_table_refuses_a_beat_within_its_budget() -> None:
    beat = Beat(wallet(1), 1, [])
    _refused(0.5, lambda: take_beat(beat, b"hash", 1), lambda: take_beat(beat, b"hash", 1))


@pytest.mark.usefixtures("silent_table")
def test_further_calls_of_the_request_are_refused_at_once() -> None:
    item = WorkerItem(*worker_key(wallet(1)))
    _refused(
        0.5,
        lambda: condition_held(lambda: item.update(actions=[WorkerItem.public.set(True)])),
        lambda: fleet_places(5, None),
        lambda: find_worker(wallet(2)),
    )


def test_chains_and_other_services_share_the_budget(silent: str) -> None:
    chain = Chain.from_json(
        {"chain_id": 1, "name": "silent", "rpc_urls": [silent, f"{silent}/2"], "max_fee_per_gas": "1"}
    )
    with httpx.Client() as client:
        node = JsonRpc(chain, client)
        _refused(0.5, lambda: node.call("eth_chainId"), lambda: node.call("eth_chainId"), at_least=0.2)
    other = DeadlineClient(httpx.AsyncClient())
    with taking(less_than=MOST), limited(0.3):
        for _ in range(3):
            with pytest.raises(httpx.TimeoutException):
                other.request("GET", silent, 10)
        assert seconds_left(10) == 0


def test_without_a_request_there_is_no_budget() -> None:
    assert seconds_left(10) == 10
    with limited(3, ManualClock()):
        assert seconds_left(10) == 3
    assert seconds_left(10) == 10


def test_calls_at_the_same_time_spend_the_budget_once_and_one_after_the_other_twice() -> None:
    clock = ManualClock()
    together = Barrier(2)

    def call() -> float:
        with waiting(10) as seconds:
            if together.wait(10) == 0:
                clock.sleep(1)
            together.wait(10)
            return seconds

    with RequestThreads(2) as threads:
        with limited(3, clock):
            calls = [threads.submit(call) for _ in range(2)]
            assert [one.result(20) for one in calls] == [3, 3]
            assert seconds_left(10) == 2
        assert threads.submit(seconds_left, 10).result(10) == 10


class OverlappingClock(ManualClock):
    """A clock for threads that wait at the same time: each pause begins when its thread last asked for the time."""

    def __init__(self) -> None:
        super().__init__()
        self._began = threading.local()

    def monotonic(self) -> float:
        self._began.seconds = super().monotonic()
        return self.seconds

    def sleep(self, seconds: float, /) -> None:
        began = getattr(self._began, "seconds", self.seconds)
        self.seconds = max(self.seconds, began + seconds)


@pytest.mark.parametrize("answered", [1, 2, 3, 4, 6])
def test_no_route_waits_for_three_seconds_when_aws_falls_silent_later(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch, answered: int
) -> None:
    """As below, but the first calls of each request are answered, so that later ones wait, in threads as well."""
    accounts = {"admin": ADMIN, "operator": OPERATOR, "user": ALICE, "wallet": ALICE}
    tokens = {**{who: slipway.token(account) for who, account in accounts.items()}, "worker": enrol(ALICE.address)}
    clock = OverlappingClock()
    store.limit_waits(store.connection.client)
    usual = BotocoreStubber.__call__
    calls = itertools.count()

    def stub(stubber: Any, *args: Any, **kwargs: Any) -> Any:
        return usual(stubber, *args, **kwargs) if next(calls) < answered else None

    def fail(_: Any, request: Any) -> None:
        clock.sleep(request.context.get("read_timeout", 60))
        raise ReadTimeoutError(endpoint_url=request.url)

    monkeypatch.setattr(BotocoreStubber, "__call__", stub)
    monkeypatch.setattr(botocore.endpoint.Endpoint, "_send", fail)
    waited = dict[str, float]()
    for file in sorted((ROOT / "events").glob("*.json")):
        route = json.loads(file.read_text()).get("routeKey")
        if route not in ROUTES:
            continue
        calls, before = itertools.count(), clock.seconds
        with limited(math.inf, clock):
            answer = slipway.send(_signed(event(file.stem), tokens.get(ROUTES[route].who)))
        waited[route] = clock.seconds - before
        assert answer.status != 500, (route, answer.body)
    assert {route: seconds for route, seconds in waited.items() if seconds > 2.75} == {}
    assert waited["POST /heartbeat"] < 1
    assert sum(seconds > 0.5 for seconds in waited.values()) >= 3


@pytest.mark.parametrize("silent", [True, False])
def test_no_route_waits_for_three_seconds_when_aws_does_not_answer(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch, *, silent: bool
) -> None:
    """Whatever a request asks of AWS, which is silent or refuses at once, and however often it tries again.

    In simulated time, pauses between the tries included.
    """
    accounts = {"admin": ADMIN, "operator": OPERATOR, "user": ALICE, "wallet": ALICE}
    tokens = {**{who: slipway.token(account) for who, account in accounts.items()}, "worker": enrol(ALICE.address)}
    clock = ManualClock()
    # The installation of the tests has made its own.
    store.limit_waits(store.connection.client)

    def fail(_: Any, request: Any) -> None:
        if not silent:
            raise ConnectionClosedError(endpoint_url=request.url)
        clock.sleep(request.context.get("read_timeout", 60))
        raise ReadTimeoutError(endpoint_url=request.url)

    monkeypatch.setattr(BotocoreStubber, "__call__", lambda *_, **__: None)
    monkeypatch.setattr(botocore.endpoint.Endpoint, "_send", fail)
    waited, answers = dict[str, float](), dict[str, int]()
    for file in sorted((ROOT / "events").glob("*.json")):
        route = json.loads(file.read_text()).get("routeKey")
        if route not in ROUTES:
            continue
        before = clock.monotonic()
        with limited(math.inf, clock):
            answer = slipway.send(_signed(event(file.stem), tokens.get(ROUTES[route].who)))
        waited[route], answers[route] = clock.monotonic() - before, answer.status
        assert answer.status != 500, (route, answer.body)
        assert answer.status < 500 or answer.headers.get("retry-after"), (route, answer.body)
    print(sorted(waited.items(), key=lambda entry: -entry[1])[:10], answers)
    assert {route: seconds for route, seconds in waited.items() if seconds > 2.75} == {}
    assert waited["POST /heartbeat"] < 1
    # The silence was there: nearly every route asks for something.
    assert sum(status == 502 for status in answers.values()) > len(ROUTES) / 2


def _signed(given: dict[str, Any], token: str | None) -> dict[str, Any]:
    for name in ("authorization", "accept-encoding"):
        given["headers"].pop(name, None)
    if token is not None:
        given["headers"]["authorization"] = f"Bearer {token}"
    return given
