"""An external issuer's keys: kept, rotated, and not asked for too often."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from slipway.errors import AuthenticationFailedError, KeyNotKnownYetError, UpstreamUnavailableError
from slipway.identity.jwks import JwksClient
from tests.support.clock import ManualClock


class Issuer:
    """Publishes the keys that it has at the moment, unless it is down."""

    def __init__(self) -> None:
        self.key_ids = ["one"]
        self.answer: Callable[[], httpx.Response] | None = None
        self.asked = 0

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.answer:
            return self.answer()
        return httpx.Response(200, json={"keys": [_jwk(key_id) for key_id in self.key_ids]})

    def goes_down(self) -> None:
        self.answer = lambda: httpx.Response(503)


def _jwk(key_id: str, **more: Any) -> dict[str, Any]:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return {**ECAlgorithm.to_jwk(key, as_dict=True), "kid": key_id, **more}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    monkeypatch.setenv("ALLOW_PRIVATE_NETWORK", "true")
    return ManualClock()


@pytest.fixture
def issuer(clock: ManualClock) -> Issuer:
    return Issuer()


@pytest.fixture
def client(issuer: Issuer, clock: ManualClock) -> JwksClient:
    return JwksClient("https://issuer.test/keys", httpx.Client(transport=httpx.MockTransport(issuer.handle)), clock)


def test_keys_are_fetched_once(client: JwksClient, issuer: Issuer, clock: ManualClock) -> None:
    for _ in range(5):
        assert client.key("one")
        clock.seconds += 100
    assert issuer.asked == 1


def test_keys_are_fetched_anew_after_ten_minutes(client: JwksClient, issuer: Issuer, clock: ManualClock) -> None:
    client.key("one")
    issuer.key_ids = ["two"]
    clock.seconds += 601
    with pytest.raises(AuthenticationFailedError):
        client.key("one")


def test_a_rotated_key_is_found_within_half_a_minute(client: JwksClient, issuer: Issuer, clock: ManualClock) -> None:
    client.key("one")
    issuer.key_ids = ["one", "two"]
    clock.seconds += 31
    assert client.key("two")
    assert issuer.asked == 2


def test_unknown_key_ids_do_not_become_requests_to_the_issuer(
    client: JwksClient, issuer: Issuer, clock: ManualClock
) -> None:
    client.key("one")
    for number in range(50):
        with pytest.raises((AuthenticationFailedError, KeyNotKnownYetError)):
            client.key(f"made-up-{number}")
        clock.seconds += 1
    assert issuer.asked <= 3


def test_a_key_that_may_be_new_is_asked_to_come_again(client: JwksClient, issuer: Issuer, clock: ManualClock) -> None:
    """A rotation right after a fetch must not sign its users out."""
    client.key("one")
    issuer.key_ids = ["one", "two"]
    clock.seconds += 10
    with pytest.raises(KeyNotKnownYetError) as found:
        client.key("two")
    assert (found.value.status, found.value.retry_after) == (503, 21)
    clock.seconds += 21
    assert client.key("two")
    with pytest.raises(AuthenticationFailedError):
        client.key("three")


def test_a_token_without_an_id_takes_the_only_key(client: JwksClient, issuer: Issuer, clock: ManualClock) -> None:
    assert client.key(None)
    issuer.key_ids = ["one", "two"]
    clock.seconds += 601
    with pytest.raises(AuthenticationFailedError):
        client.key(None)


def test_the_only_key_without_an_id_verifies_every_token(client: JwksClient, issuer: Issuer) -> None:
    nameless = {name: value for name, value in _jwk("one").items() if name != "kid"}
    issuer.answer = lambda: httpx.Response(200, json={"keys": [nameless]})
    assert client.key("any")
    assert client.key(None)


def test_kept_keys_outlive_an_issuer_that_is_down(client: JwksClient, issuer: Issuer, clock: ManualClock) -> None:
    client.key("one")
    issuer.goes_down()
    clock.seconds += 601
    assert client.key("one")
    with pytest.raises((UpstreamUnavailableError, AuthenticationFailedError)):
        client.key("two")


def test_an_issuer_that_is_down_is_not_asked_at_every_request(
    client: JwksClient, issuer: Issuer, clock: ManualClock
) -> None:
    issuer.goes_down()
    for _ in range(20):
        with pytest.raises(UpstreamUnavailableError):
            client.key("one")
        clock.seconds += 0.1
    assert issuer.asked == 1
    issuer.answer = None
    clock.seconds += 10
    assert client.key("one")


def test_kept_keys_cost_no_wait_while_the_issuer_is_down(
    client: JwksClient, issuer: Issuer, clock: ManualClock
) -> None:
    client.key("one")
    issuer.goes_down()
    clock.seconds += 601
    for _ in range(20):
        client.key("one")
    assert issuer.asked == 2


@pytest.mark.parametrize(
    "answer",
    [
        lambda: httpx.Response(404),
        lambda: httpx.Response(302, headers={"location": "http://169.254.169.254/"}),
        lambda: httpx.Response(200, text="<html>"),
        lambda: httpx.Response(200, json=[]),
        lambda: httpx.Response(200, json={"keys": "none"}),
        lambda: httpx.Response(200, json={"keys": []}),
        lambda: httpx.Response(200, json={"keys": [7]}),
        lambda: httpx.Response(200, json={"keys": [_jwk("one")], "padding": "x" * 300_000}),
    ],
    ids=["404", "redirect", "no JSON", "a list", "keys no list", "no keys", "key no object", "too large"],
)
def test_a_key_set_that_makes_no_sense_is_an_issuer_that_is_down(
    client: JwksClient, issuer: Issuer, answer: Callable[[], httpx.Response]
) -> None:
    issuer.answer = answer
    with pytest.raises(UpstreamUnavailableError):
        client.key("one")


def test_keys_for_encryption_are_left_out(client: JwksClient, issuer: Issuer) -> None:
    keys = {"keys": [_jwk("one", use="sig"), _jwk("two", use="enc")]}
    issuer.answer = lambda: httpx.Response(200, json=keys)
    assert client.key("one")
    with pytest.raises(AuthenticationFailedError):
        client.key("two")


def test_an_issuer_inside_our_own_network_is_not_asked(
    client: JwksClient, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOW_PRIVATE_NETWORK", "false")
    inside = JwksClient("https://127.0.0.1/keys", httpx.Client(transport=httpx.MockTransport(issuer.handle)))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", 443))])
    with pytest.raises(UpstreamUnavailableError):
        inside.key("one")
    assert issuer.asked == 0
