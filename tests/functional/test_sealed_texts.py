"""SDLs as they are stored: nobody reads one without the key, and none can be moved or changed."""

from __future__ import annotations

import json
import zlib
from typing import Any

import boto3
import botocore.exceptions
import pytest
from boto3.dynamodb.types import Binary

from slipway.akash.store import known_manifest
from slipway.errors import UpstreamUnavailableError
from slipway.sealed_texts import SealedTexts
from tests.functional.test_akash_deploy import accepted, finish
from tests.support.clock import ManualClock
from tests.support.console_simulator import Simulator
from tests.support.installation import Installation

SECRET = "PASSWORD=kept-by-its-owner"


class CountingKms:
    """KMS as moto has it; ``calls`` are the names of what it was asked."""

    def __init__(self) -> None:
        self.kms: Any = boto3.client("kms")
        self.key = self.kms.create_key()["KeyMetadata"]["KeyId"]
        self.calls: list[str] = []

    def generate_data_key(self, **arguments: Any) -> Any:
        self.calls.append("generate")
        return self.kms.generate_data_key(**arguments)

    def decrypt(self, **arguments: Any) -> Any:
        self.calls.append("decrypt")
        return self.kms.decrypt(**arguments)


@pytest.fixture
def kms(slipway: Installation) -> CountingKms:
    return CountingKms()


def test_a_text_comes_back_at_its_place_alone(kms: CountingKms) -> None:
    texts: Any = SealedTexts(kms, kms.key)  # type: ignore[arg-type]
    sealed = texts.seal(SECRET, "DEPLOYMENT#1")
    assert SECRET.encode() not in sealed
    assert texts.open(sealed, "DEPLOYMENT#1") == SECRET
    assert texts.seal(SECRET, "DEPLOYMENT#1") != sealed
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for stored, place in ((sealed, "DEPLOYMENT#2"), (changed, "DEPLOYMENT#1")):
        with pytest.raises(UpstreamUnavailableError):
            texts.open(stored, place)


def test_kms_is_asked_once_an_hour_and_once_for_each_key(kms: CountingKms) -> None:
    clock = ManualClock()
    texts = SealedTexts(kms, kms.key, clock)  # type: ignore[arg-type]
    sealed = [texts.seal(f"text {number}", "place") for number in range(20)]
    assert kms.calls == ["generate"]
    clock.sleep(3601)
    sealed.append(texts.seal("text 20", "place"))
    assert kms.calls == ["generate", "generate"]
    other = SealedTexts(kms, kms.key)  # type: ignore[arg-type]
    assert [other.open(one, "place") for one in sealed] == [f"text {number}" for number in range(21)]
    assert kms.calls[2:] == ["decrypt", "decrypt"]


def test_what_was_stored_before_there_was_a_key_is_read(kms: CountingKms) -> None:
    texts = SealedTexts(kms, kms.key)  # type: ignore[arg-type]
    assert texts.open(zlib.compress(b"version: 2"), "anywhere") == "version: 2"
    assert kms.calls == []


def test_a_key_that_cannot_be_used_is_no_verdict(kms: CountingKms, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: Any = SealedTexts(kms, kms.key)  # type: ignore[arg-type]
    sealed = texts.seal(SECRET, "place")

    def deny(**_: Any) -> Any:
        raise botocore.exceptions.ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "Decrypt")

    monkeypatch.setattr(kms, "decrypt", deny)
    with pytest.raises(UpstreamUnavailableError) as caught:
        texts.open(sealed, "place")
    assert not caught.value.permanent


def test_no_table_holds_what_an_sdl_keeps_secret(slipway: Installation, simulator: Simulator) -> None:
    deployment_id = accepted(slipway, {}, SECRET)
    found = finish(slipway, deployment_id)
    assert found["status"] == "active"
    tables = boto3.resource("dynamodb")
    for table in tables.tables.all():
        for item in table.scan()["Items"]:
            for value in item.values():
                raw = bytes(value) if isinstance(value, Binary) else json.dumps(value, default=str).encode()
                assert SECRET.encode() not in raw, item
                if raw[:1] == b"\x78":
                    assert SECRET.encode() not in zlib.decompress(raw), item
    shown = slipway.api("api_deployments_sdl", token=slipway.token(), path={"id": deployment_id}, query="reveal=true")
    assert SECRET in shown.body["sdl"]
    assert known_manifest("nothing") is None
