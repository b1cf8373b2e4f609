"""The published endpoint and its signature."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import (
    ArtifactAlteredError,
    ArtifactForeignError,
    ArtifactMissingError,
    ArtifactOutdatedError,
    ArtifactUnsignedError,
    SlipwayError,
)
from slipway.p256_key import P256Key, base64url
from slipway.stacks.artifact import Published, SignedFor, artifact_bytes, signature_document, verified
from slipway.stacks.rules import Endpoint
from tests.support.keys import FakeKms

KEY = P256Key(FakeKms(ec.SECP256R1()).client, "artifact")
OTHER = P256Key(FakeKms(ec.SECP256R1()).client, "other")
ENDPOINT = Endpoint("provider.example", 31572)
FOR = SignedFor("production", 7, "2026-11-21T08:00:00.000Z")
ARTIFACT = artifact_bytes(ENDPOINT)


def _signature(artifact: bytes = ARTIFACT, signed_for: SignedFor = FOR, key: P256Key = KEY) -> bytes:
    return signature_document(artifact, signed_for, key.jwk["kid"], key.signature)


SIGNATURE = _signature()


def _verify(artifact: bytes | None = ARTIFACT, signature: bytes | None = SIGNATURE, **changes: Any) -> Published:
    return verified(artifact, signature, KEY.public_key, **{"environment": "production", "generation": 7, **changes})


def test_the_artifact_is_one_key_in_exact_bytes() -> None:
    assert ARTIFACT == b'{"banano_rpc_endpoint":"provider.example:31572"}'


def test_what_was_signed_is_believed() -> None:
    assert _verify() == Published(ENDPOINT, FOR)


def test_the_signature_is_a_detached_jws_that_any_library_verifies() -> None:
    document = json.loads(SIGNATURE)
    assert set(document) == {"protected", "signature"}
    header = json.loads(base64.urlsafe_b64decode(document["protected"] + "=="))
    assert header == {
        "alg": "ES256", "b64": False, "crit": ["b64"], "kid": KEY.jwk["kid"],
        "environment": "production", "generation": 7, "signed_at": "2026-11-21T08:00:00.000Z",
    }  # fmt: skip
    compact = f"{document['protected']}..{document['signature']}"
    decoded = jwt.PyJWS().decode_complete(compact, KEY.public_key, algorithms=["ES256"], detached_payload=ARTIFACT)
    assert decoded["payload"] == ARTIFACT


def test_a_missing_artifact_is_named_so() -> None:
    with pytest.raises(ArtifactMissingError):
        _verify(None, None)
    with pytest.raises(ArtifactMissingError):
        _verify(None)


def test_an_unsigned_one_is_refused() -> None:
    with pytest.raises(ArtifactUnsignedError):
        _verify(signature=None)


@given(st.integers(0, len(ARTIFACT) - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed(position: int, change: int) -> None:
    changed = bytearray(ARTIFACT)
    changed[position] ^= change
    with pytest.raises(ArtifactAlteredError):
        _verify(bytes(changed))


@given(st.integers(0, len(SIGNATURE) - 1), st.integers(1, 127))
def test_a_changed_signature_never_says_something_else(position: int, change: int) -> None:
    changed = bytearray(SIGNATURE)
    changed[position] ^= change
    # Base64 has bits that say nothing; they are the only ones that may differ.
    with suppress(ArtifactAlteredError):
        assert _verify(signature=bytes(changed)) == Published(ENDPOINT, FOR)


@pytest.mark.parametrize(
    "signature",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"protected": 1, "signature": 2}', b'{"protected":"","signature":""}',
     b"{" * 5000, b'{"protected":"e30","signature":"e30","more":1}'],
)  # fmt: skip
def test_a_signature_that_is_none_is_refused(signature: bytes) -> None:
    with pytest.raises(ArtifactAlteredError):
        _verify(signature=signature)


def test_another_key_is_not_ours() -> None:
    with pytest.raises(ArtifactAlteredError):
        _verify(signature=_signature(key=OTHER))


def _resigned(header: dict[str, Any], content: bytes = ARTIFACT) -> bytes:
    protected = base64url(json.dumps(header).encode())
    signature = base64url(KEY.signature(protected.encode() + b"." + content))
    return json.dumps({"protected": protected, "signature": signature}).encode()


HEADER = {"alg": "ES256", "b64": False, "crit": ["b64"], "environment": "production", "generation": 7, "signed_at": "x"}


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "alg": "none"},
        {**HEADER, "alg": "HS256"},
        {key: value for key, value in HEADER.items() if key != "environment"},
        {key: value for key, value in HEADER.items() if key != "generation"},
        {**HEADER, "crit": ["b64", "unheard-of"], "unheard-of": 1},
        {key: value for key, value in HEADER.items() if key not in ("b64", "crit")},
    ],
)
def test_a_header_that_says_something_else_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(ArtifactAlteredError):
        _verify(signature=_resigned(header))


def test_an_access_token_is_no_artifact() -> None:
    """A compact JWS of the same key over its own content does not pass for a detached one."""
    token = f"{base64url(json.dumps(HEADER | {'b64': True}).encode())}.{base64url(ARTIFACT)}"
    signature = base64url(KEY.signature(token.encode()))
    protected, _ = token.split(".")
    with pytest.raises(ArtifactAlteredError):
        _verify(signature=json.dumps({"protected": protected, "signature": signature}).encode())


def test_another_environments_is_refused() -> None:
    with pytest.raises(ArtifactForeignError):
        _verify(environment="staging")


@pytest.mark.parametrize("generation", [6, 8])
def test_another_generations_is_refused(generation: int) -> None:
    with pytest.raises(ArtifactOutdatedError, match=str(generation)):
        _verify(generation=generation)


@pytest.mark.parametrize(
    "artifact",
    [b'{"banano_rpc_endpoint":"1.2.3.4:31572"}', b'{"banano_rpc_endpoint":"a.example:80"}', b"[]", b"{}", b"x",
     b'{"banano_rpc_endpoint":7}', b'{"banano_rpc_endpoint":"a.example:31572","more":1}'],
)  # fmt: skip
def test_a_signature_makes_no_endpoint_of_what_is_none(artifact: bytes) -> None:
    with pytest.raises(ArtifactAlteredError):
        _verify(artifact, _signature(artifact))


@given(
    st.builds(Endpoint, st.sampled_from(["a.example", "b-c.example", "x"]), st.integers(1024, 65535)),
    st.sampled_from(["a", "production", "pr-1"]),
    st.integers(1, 10**6),
)
def test_whatever_is_published_is_read_back(endpoint: Endpoint, environment: str, generation: int) -> None:
    artifact = artifact_bytes(endpoint)
    signature = _signature(artifact, SignedFor(environment, generation, "x"))
    found = _verify(artifact, signature, environment=environment, generation=generation)
    assert found.endpoint == endpoint


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_nothing_made_up_is_believed(artifact: bytes, signature: bytes) -> None:
    with pytest.raises(SlipwayError):
        _verify(artifact, signature)


def test_the_key_is_a_curve() -> None:
    assert isinstance(KEY.public_key, ec.EllipticCurvePublicKey)
