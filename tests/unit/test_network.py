"""The guard against addresses that reach into our own network."""

import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from slipway import network, request_budget
from slipway.errors import UpstreamUnavailableError
from slipway.network import require_public_url
from tests.support.clock import patient_seconds
from tests.support.template import ROOT


def _resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses_pass(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    _resolve_to(monkeypatch, address)
    require_public_url("https://issuer.test/keys")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "ff02::1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::5db8:d822",
        "64:ff9b:1::1",
        "fec0::1",
        "2002:7f00:1::",
        "2001:0:7f00:1::1",
        "240.0.0.1",
        "198.18.0.1",
    ],
)
def test_inner_addresses_are_refused_even_beside_a_public_one(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    _resolve_to(monkeypatch, address)
    with pytest.raises(UpstreamUnavailableError):
        require_public_url("https://issuer.test/keys")
    _resolve_to(monkeypatch, "93.184.216.34", address)
    with pytest.raises(UpstreamUnavailableError):
        require_public_url("https://issuer.test/keys")


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.test/keys",
        "ftp://issuer.test/",
        "file:///etc/passwd",
        "https://",
        "https:///keys",
        "issuer.test",
        "",
        "https://[::1",
        "https://issuer.test:99999/",
        "https://issuer.test:port/",
    ],
)
def test_what_is_no_https_url_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    _resolve_to(monkeypatch, "93.184.216.34")
    with pytest.raises(UpstreamUnavailableError):
        require_public_url(url)


@pytest.mark.parametrize("error", [socket.gaierror("no such host"), UnicodeError("label too long")])
def test_a_host_that_does_not_resolve_is_refused(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def resolve(*_: Any, **__: Any) -> list[Any]:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(UpstreamUnavailableError) as caught:
        require_public_url("https://" + "x" * 70 + ".test/key-in-the-path")
    assert "key-in" not in str(caught.value)


def test_the_local_build_may_reach_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_PRIVATE_NETWORK", "true")
    require_public_url("http://127.0.0.1:5000")
    monkeypatch.setenv("ALLOW_PRIVATE_NETWORK", "yes")
    with pytest.raises(UpstreamUnavailableError):
        require_public_url("http://127.0.0.1:5000")


@pytest.fixture
def _unjudged() -> Iterator[None]:
    network._found_public.cache_clear()
    yield
    network._found_public.cache_clear()


@pytest.mark.usefixtures("_unjudged")
@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.1.2.3", "::1"])
def test_a_chains_node_in_our_own_network_is_not_asked(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    _resolve_to(monkeypatch, address)
    asked: list[httpx.Request] = []
    client = network.public_client()
    client._transport = httpx.MockTransport(lambda request: asked.append(request) or httpx.Response(200))  # type: ignore[func-returns-value]
    with pytest.raises(UpstreamUnavailableError):
        client.post("https://node.test/v3/key", json={})
    assert asked == []


@pytest.mark.usefixtures("_unjudged")
def test_a_public_node_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve_to(monkeypatch, "93.184.216.34")
    client = network.public_client()
    client._transport = httpx.MockTransport(lambda _: httpx.Response(200, text="well"))
    assert client.post("https://node.test/v3/key").text == "well"
    monkeypatch.setattr(socket, "getaddrinfo", None)
    assert client.post("https://node.test/v3/other").text == "well"


def test_every_client_that_calls_a_configured_address_is_guarded() -> None:
    """A plain client is only for classes that ask ``require_public_url`` themselves."""
    guarded = {"identity/service.py", "tokens/model_source.py", "akash/console/client.py", "network.py", "reconcile.py"}
    library = ROOT / "layers" / "slipway" / "slipway"
    plain = {
        str(path.relative_to(library))
        for path in library.rglob("*.py")
        if re.search(r"httpx\.(Async)?Client\(", path.read_text())
    }
    assert plain <= guarded | {"stacks/node_rpc.py", "notifications/delivery.py"}
    for path in (ROOT / "functions").rglob("*.py"):
        if re.search(r"httpx\.(Async)?Client\(|urlopen|requests\.", path.read_text()):
            assert path.parent.name == "stack_node", path


def test_a_silent_server_of_names_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait())
    began = patient_seconds()
    with pytest.raises(TimeoutError):
        network.resolved("silent.test", 443, 0.2)
    with request_budget.limited(0.1), pytest.raises(TimeoutError):
        network.resolved("silent.test", 443)
    assert patient_seconds() - began < 2
    answered.set()
