"""Log streams of the simulator's provider proxy, read over a real WebSocket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jwt
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from local.console_api.clock import Clock
from local.console_api.market import Market
from local.console_api.server import running
from slipway.akash.console.models import Deployment
from slipway.errors import UpstreamRefusedError
from tests.support.clock import patient_seconds
from tests.support.console_simulator import Simulator, sdl

LOGS = {"access": "scoped", "scope": ["logs"]}


@pytest.fixture(scope="module")
def _url() -> Iterator[str]:
    with running(Market(Clock())) as url:
        yield url


@pytest.fixture
def simulator(_url: str) -> Simulator:
    simulator = Simulator(_url)
    simulator.http.post("/_simulator/reset").raise_for_status()
    return simulator


@contextmanager
def _socket(simulator: Simulator) -> Iterator[Connection]:
    with connect(simulator.url.replace("http", "ws", 1), open_timeout=5, proxy=None) as socket:
        yield socket


def _receive(socket: Connection, seconds: float = 5.0) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(socket.recv(timeout=seconds))
    return message


def _line(socket: Connection) -> tuple[str, str]:
    message = _receive(socket)
    assert message["type"] == "websocket", message
    line = json.loads(message["message"])
    assert set(line) == {"name", "message"}
    return line["name"], line["message"]


def _texts(socket: Connection, count: int) -> list[str]:
    return [_line(socket)[1] for _ in range(count)]


def _subscribe(
    simulator: Simulator,
    socket: Connection,
    found: Deployment,
    query: str = "follow=true&tail=-1",
    token: str | None = None,
    **changes: Any,
) -> None:
    provider = simulator.api.providers([found.leases[0].id.provider])[0]
    message = {
        "type": "websocket",
        "url": f"{provider.host_uri}/lease/{found.dseq}/1/1/logs?{query}",
        "auth": {"type": "jwt", "token": token or simulator.api.create_token(60, LOGS)},
        "providerAddress": provider.owner,
        **changes,
    }
    socket.send(json.dumps(message))


def _follow(simulator: Simulator, socket: Connection, found: Deployment) -> None:
    """Follow a service's logs; its last line has come, so whatever it writes from here on comes too."""
    _subscribe(simulator, socket, found, "follow=true&tail=1")
    _line(socket)


def _quiet(**scenario: Any) -> str:
    """Return an SDL whose service writes nothing by itself but its first lines."""
    return sdl({"logs": {"lines_every": 0}} | scenario)


def _ready(simulator: Simulator, text: str | None = None) -> Deployment:
    found = simulator.ready(text or _quiet())
    with _socket(simulator) as socket:
        _subscribe(simulator, socket, found)
        assert _texts(socket, 2) == ["starting web", "ready to serve"]
    return found


def test_lines_come_as_they_are_written(simulator: Simulator) -> None:
    found = _ready(simulator)
    with _socket(simulator) as socket:
        _follow(simulator, socket, found)
        began = patient_seconds()
        simulator.write(found.dseq, "web", "one", "one", "two")
        pods, texts = zip(*(_line(socket) for _ in range(3)), strict=True)
        assert patient_seconds() - began < 1
        assert texts == ("one", "one", "two")
        assert len(set(pods)) == 1
        assert pods[0].startswith("web-")


def test_the_tail_comes_first(simulator: Simulator) -> None:
    found = _ready(simulator)
    simulator.write(found.dseq, "web", *(f"line {number}" for number in range(10)))
    for tail, expected in (("3", ["line 7", "line 8", "line 9"]), ("-1", ["starting web"])):
        with _socket(simulator) as socket:
            _subscribe(simulator, socket, found, f"follow=true&tail={tail}")
            assert _texts(socket, len(expected)) == expected


def test_without_follow_a_stream_ends_after_its_tail(simulator: Simulator) -> None:
    found = _ready(simulator)
    with _socket(simulator) as socket:
        _subscribe(simulator, socket, found, "follow=false&tail=1")
        assert _texts(socket, 1) == ["ready to serve"]
        assert _receive(socket) == {"type": "websocket", "message": "", "closed": True, "code": 1000, "reason": ""}


def test_services_write_by_themselves_the_same_line_again_and_again(simulator: Simulator) -> None:
    found = _ready(simulator, sdl({"logs": {"lines_every": 10}}))
    with _socket(simulator) as socket:
        _follow(simulator, socket, found)
        for _ in range(3):
            simulator.advance(10)
            assert _texts(socket, 1) == ["GET / 200"]


def test_a_stream_is_of_the_services_that_were_asked_for(simulator: Simulator) -> None:
    found = _ready(simulator)
    with _socket(simulator) as socket:
        _subscribe(simulator, socket, found, "follow=true&service=web&tail=1")
        assert _texts(socket, 1) == ["ready to serve"]
        _subscribe(simulator, socket, found, "follow=true&service=other&tail=1")
        assert _receive(socket)["code"] == 4000


def test_an_update_brings_another_pod_whose_log_begins_anew(simulator: Simulator) -> None:
    found = _ready(simulator)
    with _socket(simulator) as socket:
        _subscribe(simulator, socket, found, "follow=true&tail=1")
        first, _ = _line(socket)
        simulator.api.update_deployment(found.dseq, sdl({"logs": {"lines_every": 0}}, env=["A=b"]))
        simulator.advance(5)
        second, text = _line(socket)
        assert (first == second, text) == (False, "starting web")
        with _socket(simulator) as late:
            _subscribe(simulator, late, found)
            assert _texts(late, 2) == ["starting web", "ready to serve"]


def test_the_end_of_a_deployment_ends_its_streams(simulator: Simulator) -> None:
    found = _ready(simulator)
    with _socket(simulator) as socket:
        _follow(simulator, socket, found)
        simulator.api.close_deployment(found.dseq)
        assert _receive(socket)["closed"] is True
        _subscribe(simulator, socket, found)
        ended = _receive(socket)
        assert (ended["code"], ended["reason"]) == (4001, "lease not found")


def test_before_its_pods_run_a_lease_has_no_lines(simulator: Simulator) -> None:
    found = simulator.leased(_quiet())
    with _socket(simulator) as socket:
        _subscribe(simulator, socket, found)
        assert _receive(socket)["code"] == 4000


# ── Tokens ──────────────────────────────────────────────────────────────────────────────────────


def test_a_token_says_what_it_is_for(simulator: Simulator) -> None:
    claims = jwt.decode(simulator.api.create_token(60, LOGS), options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 60
    assert (claims["leases"], claims["version"]) == (LOGS, "v1")
    assert claims["iss"].startswith("akash1")


@pytest.mark.parametrize(
    ("ttl", "leases"),
    [
        (0, LOGS),
        (-5, LOGS),
        (60, {}),
        (60, {"access": "scoped", "scope": []}),
        (60, {"access": "scoped", "scope": ["everything"]}),
        (60, {"access": "granular"}),
        (60, {"access": "granular", "permissions": [{"provider": "nobody"}]}),
    ],
)
def test_a_token_of_nonsense_is_not_made(simulator: Simulator, ttl: int, leases: dict[str, Any]) -> None:
    with pytest.raises(UpstreamRefusedError):
        simulator.api.create_token(ttl, leases)


def _granular(provider: str, dseq: str, *, services: list[str] | None = None) -> dict[str, Any]:
    part = {"dseq": dseq, "scope": ["logs"], **({"services": services} if services else {})}
    return {
        "access": "granular",
        "permissions": [{"provider": provider, "access": "granular", "deployments": [part]}],
    }


def test_a_token_opens_only_what_it_is_for(simulator: Simulator) -> None:
    found = _ready(simulator)
    provider = found.leases[0].id.provider
    good: list[dict[str, Any]] = [
        LOGS,
        {"access": "full"},
        {"access": "granular", "permissions": [{"provider": provider, "access": "scoped", "scope": ["logs"]}]},
        _granular(provider, found.dseq),
        _granular(provider, found.dseq, services=["web"]),
    ]
    bad: list[dict[str, Any]] = [
        {"access": "scoped", "scope": ["status"]},
        _granular("akash1" + "q" * 38, found.dseq),
        _granular(provider, "1"),
        _granular(provider, found.dseq, services=["other"]),
    ]
    for leases in [*good, *bad]:
        with _socket(simulator) as socket:
            token = simulator.api.create_token(60, leases)
            _subscribe(simulator, socket, found, "follow=true&tail=1&service=web", token)
            message = _receive(socket)
            assert ("message" in message) == (leases in good), (leases, message)
            assert message.get("error") == (None if leases in good else "Received error from provider websocket")


@pytest.mark.parametrize("token", ["nonsense", "e30.e30.e30"])
def test_a_forged_token_opens_nothing(simulator: Simulator, token: str) -> None:
    found = _ready(simulator)
    with _socket(simulator) as socket:
        _subscribe(simulator, socket, found, token=token)
        assert _receive(socket) == {"error": "Received error from provider websocket"}


def test_a_token_expires_and_another_takes_over_on_the_same_socket(simulator: Simulator) -> None:
    found = _ready(simulator)
    with _socket(simulator) as socket:
        _subscribe(simulator, socket, found, "follow=true&tail=0", simulator.api.create_token(1, LOGS))
        assert _receive(socket) == {"error": "tokenExpired"}
        simulator.write(found.dseq, "web", "meanwhile")
        _subscribe(simulator, socket, found, "follow=true&tail=1")
        assert _texts(socket, 1) == ["meanwhile"]


def test_tokens_can_be_made_to_expire_early(simulator: Simulator) -> None:
    found = simulator.ready(sdl({"logs": {"token_seconds": 0}}))
    with _socket(simulator) as socket:
        _subscribe(simulator, socket, found)
        assert _receive(socket) == {"error": "tokenExpired"}


# ── Sockets ─────────────────────────────────────────────────────────────────────────────────────


def test_a_ping_is_answered(simulator: Simulator) -> None:
    with _socket(simulator) as socket:
        socket.send('{"type": "ping"}')
        assert _receive(socket) == {"type": "pong"}


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"type": "shell"}', '{"type": "websocket"}', "null"])
def test_a_message_without_sense_is_reported(simulator: Simulator, text: str) -> None:
    with _socket(simulator) as socket:
        socket.send(text)
        message = _receive(socket)
        assert message["error"] == "Invalid message format"
        assert message["errors"]
        socket.send('{"type": "ping"}')
        assert _receive(socket) == {"type": "pong"}


@pytest.mark.parametrize("query", ["tail=-2", "tail=x", "service=web,", "service=,"])
def test_a_query_that_the_provider_refuses(simulator: Simulator, query: str) -> None:
    found = _ready(simulator)
    with _socket(simulator) as socket:
        _subscribe(simulator, socket, found, query)
        assert _receive(socket) == {"error": "Received error from provider websocket"}


def test_a_socket_on_which_the_client_is_silent_dies(simulator: Simulator) -> None:
    found = _ready(simulator)
    with _socket(simulator) as idle, _socket(simulator) as kept:
        _subscribe(simulator, idle, found, "follow=true&tail=0")
        simulator.advance(200)
        kept.send('{"type": "ping"}')
        assert _receive(kept) == {"type": "pong"}
        simulator.advance(100)
        with pytest.raises(ConnectionClosed) as caught:
            idle.recv(timeout=5)
        assert caught.value.rcvd is None
        kept.send('{"type": "ping"}')
        assert _receive(kept) == {"type": "pong"}


def test_a_stream_can_be_cut(simulator: Simulator) -> None:
    found = _ready(simulator, sdl({"logs": {"lines_every": 0, "cut_after": 30}}))
    with _socket(simulator) as socket:
        _follow(simulator, socket, found)
        simulator.advance(31)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=5)


def test_a_provider_that_goes_offline_breaks_its_streams(simulator: Simulator) -> None:
    found = _ready(simulator)
    with _socket(simulator) as socket:
        _follow(simulator, socket, found)
        simulator.set_online(found.leases[0].id.provider, False)
        assert _receive(socket) == {"error": "Received error from provider websocket"}


def test_without_an_upgrade_there_is_nothing(simulator: Simulator) -> None:
    assert simulator.http.get("/").status_code == 400


def test_an_sdl_can_shorten_the_patience_with_its_own_sockets(simulator: Simulator) -> None:
    found = _ready(simulator, _quiet(logs={"lines_every": 0, "idle_after": 20}))
    with _socket(simulator) as short, _socket(simulator) as usual:
        _subscribe(simulator, short, found, "follow=true&tail=1")
        assert _texts(short, 1) == ["ready to serve"]
        simulator.advance(21)
        with pytest.raises(ConnectionClosed):
            short.recv(timeout=5)
        usual.send('{"type": "ping"}')
        assert _receive(usual) == {"type": "pong"}
