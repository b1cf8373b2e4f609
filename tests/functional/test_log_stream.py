"""Log streams over the simulator's provider proxy: sockets that die, tokens that end, readers who see the same."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest

from slipway.akash.console.models import Deployment
from slipway.akash.logs import provider_proxy
from slipway.akash.logs import stream as log_stream
from slipway.akash.logs.cursors import CursorError, decode_cursor
from slipway.akash.logs.lease_tokens import TOKEN_SECONDS, LeaseTokens
from slipway.akash.logs.provider_proxy import LeaseAddress, LogLine, ProviderProxy
from slipway.akash.logs.stream import LogRequest, Watch, poll
from slipway.errors import UpstreamUnavailableError
from tests.support.clock import ManualClock, patient_seconds, taking
from tests.support.console_simulator import Simulator, sdl
from tests.support.event_stream import EventSource
from tests.support.waiting import eventually

QUIET: dict[str, Any] = {"lines_every": 0}
BEGINNING = ["starting web", "ready to serve"]


def _address(console: Simulator, found: Deployment) -> LeaseAddress:
    lease = found.leases[0].id
    return LeaseAddress(lease.provider, console.api.providers([lease.provider])[0].host_uri, lease.dseq, 1, 1)


class Logs:
    """The logs of one workload, as a function that stays warm polls them for its clients."""

    def __init__(self, console: Simulator, scenario: dict[str, Any] | None = None, **logs: Any) -> None:
        self.console = console
        self.found = console.ready(sdl({"logs": {**QUIET, **logs}, **(scenario or {})}))
        self.address = _address(console, self.found)
        self.tokens = LeaseTokens(lambda: console.api)
        self.proxy = ProviderProxy(console.url)
        self.closed = False
        self.over: Callable[[], bool] = lambda: False
        self.seconds = 2.0
        self.follow(EventSource(), len(BEGINNING))

    def write(self, *lines: str, every: float = 0) -> None:
        self.console.write(self.found.dseq, "web", *lines, every=every)

    def get(self, headers: dict[str, str], tail: int = 100) -> tuple[int, str]:
        given = headers.get("last-event-id")
        request = LogRequest({"web": self.address}, decode_cursor(given) if given else None, tail)
        watch = Watch(lambda: self.closed, lambda: self.over())
        return 200, poll(request, self.proxy, self.tokens, watch, self.seconds)

    def follow(self, source: EventSource, count: int, seconds: float = 15) -> EventSource:
        """Poll until a reader has so many lines; fails when they do not come."""
        eventually(
            lambda: source.lines,
            lambda lines: len(lines) >= count,
            within=seconds,
            every=0,
            what=lambda: source.events,
            meanwhile=lambda: source.ask(self.get),
        )
        return source


@pytest.fixture
def logs(console: Simulator) -> Logs:
    return Logs(console)


def test_a_reader_gets_each_line_once_and_in_order(logs: Logs) -> None:
    source = logs.follow(EventSource(), 2)
    for round_ in range(4):
        logs.write("GET / 200", "GET / 200", f"round {round_}")
        logs.follow(source, 2 + 3 * (round_ + 1))
    source.ask(logs.get)
    assert source.lines == BEGINNING + [
        line for round_ in range(4) for line in ("GET / 200", "GET / 200", f"round {round_}")
    ]
    assert source.names == []
    assert {event.data["service"] for event in source.events} == {"web"}


def test_a_line_is_there_within_one_and_a_half_seconds(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    source = logs.follow(EventSource(), 2)
    logs.seconds = 20
    measured = []
    for round_ in range(5):
        began = patient_seconds()
        logs.write(f"line {round_}", every=0.01)
        logs.follow(source, 3 + round_)
        measured.append(patient_seconds() - began)
    with capsys.disabled():
        print(f"\nwritten between polls, read after {min(measured):.2f} to {max(measured):.2f} s", end=" ")
    assert max(measured) < 1.5


def test_a_line_that_is_written_during_a_poll_ends_it(logs: Logs) -> None:
    source = logs.follow(EventSource(), 2)
    logs.seconds = 20
    with taking(less_than=2.1 + 1.5):
        logs.write(*[f"tick {number}" for number in range(4)], every=0.7)
        logs.follow(source, 6)
    assert source.lines[2:] == [f"tick {number}" for number in range(4)]


def test_silence_is_reported_with_where_to_go_on(logs: Logs) -> None:
    source = logs.follow(EventSource(), 2)
    before = source.last_id
    with taking(less_than=3, at_least=1.9):
        source.ask(logs.get)
    assert source.lines == BEGINNING
    assert source.last_id
    assert decode_cursor(source.last_id) == decode_cursor(before)
    assert source.retry_seconds == 0.2


def test_every_event_is_a_place_to_go_on(logs: Logs) -> None:
    logs.write(*["tick"] * 20)
    source = logs.follow(EventSource(), 22)
    for event, seen in zip(source.events[::5], range(1, 23, 5), strict=True):
        again = EventSource(last_id=event.id)
        logs.follow(again, 22 - seen)
        assert source.lines[:seen] + again.lines == source.lines


def test_two_clients_see_the_same(logs: Logs) -> None:
    one, other = EventSource(), EventSource()
    for round_ in range(3):
        logs.write("tick", "tick")
        logs.follow(one, 2 + 2 * (round_ + 1))
    logs.follow(other, 8)
    assert one.lines == other.lines == BEGINNING + ["tick"] * 6


def test_a_socket_that_is_cut_costs_no_line(console: Simulator) -> None:
    logs = Logs(console, cut_after=1.0)
    logs.seconds = 6
    source = EventSource()
    logs.write(*[f"line {number % 3}" for number in range(25)], every=0.1)
    logs.follow(source, 27)
    assert source.lines == BEGINNING + [f"line {number % 3}" for number in range(25)]
    assert source.names == []


def test_a_socket_is_kept_alive(console: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_proxy, "PING_SECONDS", 0.4)
    logs = Logs(console, idle_after=1.0)
    opened: list[ProviderProxy] = []
    open_one = ProviderProxy.socket

    def counted(proxy: ProviderProxy) -> Any:
        opened.append(proxy)
        return open_one(proxy)

    monkeypatch.setattr(ProviderProxy, "socket", counted)
    source = logs.follow(EventSource(), 2)
    logs.seconds = 4
    opened.clear()
    source.ask(logs.get)
    assert len(opened) == 1


def test_an_expired_token_is_replaced_on_the_same_socket(console: Simulator) -> None:
    logs = Logs(console, token_seconds=2)
    logs.seconds = 8
    source = EventSource()
    logs.write(*["tick"] * 40, every=0.15)
    logs.follow(source, 42, seconds=30)
    assert source.lines == BEGINNING + ["tick"] * 40
    assert source.names == []


def test_a_token_allows_the_logs_of_its_lease_and_is_kept_until_a_minute_before_its_end(logs: Logs) -> None:
    clock = ManualClock()
    tokens = LeaseTokens(lambda: logs.console.api, clock)
    first = tokens.token(logs.address)
    claims = jwt.decode(first, options={"verify_signature": False})
    assert claims["leases"] == {
        "access": "granular",
        "permissions": [
            {
                "provider": logs.address.provider,
                "access": "granular",
                "deployments": [{"dseq": int(logs.address.dseq), "gseq": 1, "oseq": 1, "scope": ["logs"]}],
            }
        ],
    }
    assert claims["exp"] - claims["iat"] == TOKEN_SECONDS
    clock.seconds += TOKEN_SECONDS - 61.0
    assert tokens.token(logs.address) == first
    clock.seconds += 2.0
    second = tokens.token(logs.address)
    assert second != first
    assert tokens.token(logs.address, refused=first) == second


def test_a_burst_is_reported_in_parts(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_stream, "MAX_BYTES", 20_000)
    source = logs.follow(EventSource(), 2)
    logs.write(*[f"{number % 7:0100}" for number in range(700)])
    logs.follow(source, 702)
    assert source.lines[2:] == [f"{number % 7:0100}" for number in range(700)]
    assert source.names == []


def test_a_service_that_starts_anew_is_a_gap(logs: Logs) -> None:
    source = logs.follow(EventSource(), 2)
    update = sdl({"logs": QUIET}, env=["ANEW=1"])
    logs.console.api.update_deployment(logs.found.dseq, update)
    logs.console.advance(10)
    logs.follow(source, 4)
    source.ask(logs.get)
    assert source.names == ["gap"]
    assert source.lines == BEGINNING * 2


def test_a_closed_workload_ends_the_stream(logs: Logs) -> None:
    source = logs.follow(EventSource(), 2)
    logs.seconds = 10
    logs.closed = True
    began = patient_seconds()
    source.ask(logs.get)
    assert patient_seconds() - began < 4
    assert source.names == ["end"]
    assert decode_cursor(source.last_id).ended


def test_a_lease_that_is_gone_ends_the_stream_when_upstream_says_so(logs: Logs) -> None:
    source = logs.follow(EventSource(), 2)
    logs.console.http.post(f"/_simulator/deployments/{logs.found.dseq}/leases/close").raise_for_status()
    source.ask(logs.get)
    assert source.names == []
    logs.over = lambda: True
    source.ask(logs.get)
    assert source.names == ["end"]


def test_a_provider_that_is_not_there_is_reported(logs: Logs) -> None:
    source = logs.follow(EventSource(), 2)
    logs.console.set_online(logs.address.provider, False)
    logs.seconds = 10
    with pytest.raises(UpstreamUnavailableError):
        EventSource().ask(logs.get)
    status, text = logs.get({"last-event-id": source.last_id})
    assert status == 200
    assert ": Logs can't be read now" in text
    source.feed(text)
    assert source.retry_seconds == 3
    logs.console.set_online(logs.address.provider, True)
    logs.write("back")
    logs.follow(source, 3)
    assert source.lines == [*BEGINNING, "back"]


@pytest.mark.parametrize("trouble", ["proxy", "token"])
def test_a_stuck_upstream_holds_nobody(console: Simulator, logs: Logs, trouble: str) -> None:
    with socket.socket() as listening:
        if trouble == "proxy":
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            logs.proxy = ProviderProxy(f"http://127.0.0.1:{listening.getsockname()[1]}")
        else:
            logs.tokens = LeaseTokens(lambda: console.api)
            console.control(faults=[{"call": "token", "action": "hang"}])
        began = patient_seconds()
        with pytest.raises(UpstreamUnavailableError):
            EventSource().ask(logs.get)
        assert patient_seconds() - began < 2


def test_a_service_without_lines_is_waited_for(console: Simulator) -> None:
    logs = Logs(console, {"start": {"silent_for": 0, "ready_after": 0}})
    address = logs.address
    request = LogRequest({"web": address, "no-such-service": address}, None, 10)
    began = patient_seconds()
    source = EventSource()
    source.feed(poll(request, logs.proxy, logs.tokens, Watch(lambda: False, lambda: False), 5))
    assert source.lines == BEGINNING
    assert patient_seconds() - began < 2


def test_a_position_that_nobody_can_read_is_a_gap(logs: Logs) -> None:
    with pytest.raises(CursorError):
        decode_cursor("not-ours")
    request = LogRequest({"web": logs.address}, None, 1, bad_cursor=True)
    source = EventSource()
    source.feed(poll(request, logs.proxy, logs.tokens, Watch(lambda: False, lambda: False), 2))
    assert source.names == ["gap"]
    assert source.lines == BEGINNING[1:]


class SilentSocket:
    """A provider's stream that tells the given lines and then nothing."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    async def subscribe(self, *_: Any) -> None:
        self.left = list(self.lines)

    async def next(self, seconds: float) -> LogLine | None:
        if self.left:
            return LogLine("web-1", self.left.pop(0))
        await asyncio.sleep(seconds)  # noqa: TID251 (the silence itself)
        return None


class SilentProxy(ProviderProxy):
    """Gives such sockets."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[Any]:
        yield SilentSocket(self.lines)


def test_what_a_silent_service_writes_between_polls_is_reported_whole(logs: Logs) -> None:
    lines: list[str] = []
    logs.proxy = SilentProxy(lines)
    source = EventSource()
    source.ask(lambda headers: logs.get(headers, tail=3))
    assert source.events == []
    lines += [f"line {number}" for number in range(20)]
    source.ask(lambda headers: logs.get(headers, tail=3))
    assert source.lines == lines
    assert source.names == []
