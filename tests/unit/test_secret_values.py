"""Secrets are read once in a while, and the Console API's key only when it is sent."""

import socket
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from slipway import secret_values
from slipway.akash.console.client import console_api
from slipway.errors import UpstreamUnavailableError
from slipway.secret_values import secret_text
from tests.support.clock import ManualClock


class Secrets:
    """Stands in for Secrets Manager."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Any = {"SecretString": "first\n"}

    def get_secret_value(self, SecretId: str) -> Any:  # noqa: N803 (AWS's name)
        self.asked.append(SecretId)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    secrets = Secrets()
    monkeypatch.setattr(secret_values, "aws_client", {"secretsmanager": secrets}.__getitem__)
    monkeypatch.setattr(secret_values, "_kept", {})
    return secrets


def test_a_secret_is_kept_for_a_while_and_then_read_again(secrets: Secrets) -> None:
    clock = ManualClock()
    assert [secret_text("arn:a", clock), secret_text("arn:a", clock)] == ["first", "first"]
    assert secrets.asked == ["arn:a"]
    secrets.answer = {"SecretString": "rotated"}
    clock.seconds += 301
    assert secret_text("arn:a", clock) == "rotated"


@pytest.mark.parametrize(
    "answer",
    [
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "arn:a"}}, "GetSecretValue"),
        EndpointConnectionError(endpoint_url="https://secrets.test"),
        {"SecretBinary": b"first"},
    ],
    ids=repr,
)
def test_a_secret_that_can_not_be_read_is_asked_for_again(secrets: Secrets, answer: Any) -> None:
    secrets.answer = answer
    for _ in range(2):
        with pytest.raises(UpstreamUnavailableError):
            secret_text("arn:a")
    assert len(secrets.asked) == 2


def test_the_api_is_made_without_reading_its_key(monkeypatch: pytest.MonkeyPatch, secrets: Secrets) -> None:
    monkeypatch.setenv("ALLOW_PRIVATE_NETWORK", "true")
    monkeypatch.setenv("AKASH_CONSOLE_API_URL", "http://127.0.0.1:1/")
    monkeypatch.setenv("AKASH_API_KEY_SECRET_ARN", "arn:key")
    console_api.cache_clear()
    try:
        assert console_api() is console_api()
        assert secrets.asked == []
    finally:
        console_api.cache_clear()


def test_the_key_is_not_sent_into_our_own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AKASH_API_KEY_SECRET_ARN", "arn:key")
    console_api.cache_clear()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("10.0.0.1", 443))])
    for address in ("http://console-api.akash.network", "https://console.internal.test"):
        monkeypatch.setenv("AKASH_CONSOLE_API_URL", address)
        with pytest.raises(UpstreamUnavailableError):
            console_api()
