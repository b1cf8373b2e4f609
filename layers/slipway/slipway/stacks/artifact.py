"""The artifact by which a node's endpoint is published, and its signature.

``endpoint.json`` is ``{"banano_rpc_endpoint":"host:port"}`` and nothing else (docs/endpoint.schema.json). Beside it
lies ``endpoint.json.sig``: a JSON Web Signature with detached, unencoded content (RFC 7515 §7.2.2 and appendix F, RFC
7797), ``{"protected", "signature"}``. The protected header names the environment, the node's generation and the time,
so that an artifact can be used neither elsewhere nor later. Pure.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

from slipway.errors import (
    ArtifactAlteredError,
    ArtifactForeignError,
    ArtifactMissingError,
    ArtifactOutdatedError,
    ArtifactUnsignedError,
    SlipwayError,
)
from slipway.json_bodies import parse_json
from slipway.p256_key import ALGORITHM, base64url
from slipway.stacks.rules import Endpoint, parse_endpoint

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

KEY = "banano_rpc_endpoint"
_MAX_BYTES = 4096


@dataclass(frozen=True)
class SignedFor:
    """What an artifact was signed for.

    Attributes:
        environment: Name of the environment.
        generation: The node's generation.
        signed_at: ISO 8601 in UTC.
    """

    environment: str
    generation: int
    signed_at: str


@dataclass(frozen=True)
class Published:
    """An artifact that was verified."""

    endpoint: Endpoint
    signed_for: SignedFor


def artifact_bytes(endpoint: Endpoint) -> bytes:
    """Return the artifact of an endpoint: always the same bytes."""
    return json.dumps({KEY: str(endpoint)}, separators=(",", ":")).encode()


def signature_document(artifact: bytes, signed_for: SignedFor, key_id: str, sign: Callable[[bytes], bytes]) -> bytes:
    """Return the signature of an artifact.

    Args:
        artifact: The exact bytes.
        signed_for: What it is good for.
        key_id: Thumbprint of the key (RFC 7638).
        sign: Gives r and s, 64 bytes, of a message's signature.
    """
    header = {
        "alg": ALGORITHM,
        "b64": False,
        "crit": ["b64"],
        "kid": key_id,
        "environment": signed_for.environment,
        "generation": signed_for.generation,
        "signed_at": signed_for.signed_at,
    }
    protected = base64url(json.dumps(header, separators=(",", ":")).encode())
    signature = base64url(sign(protected.encode() + b"." + artifact))
    return json.dumps({"protected": protected, "signature": signature}, separators=(",", ":")).encode()


def _jws(signature: bytes) -> str:
    document = parse_json(signature)
    if not isinstance(document, dict) or set(document) != {"protected", "signature"}:
        raise ValueError("not a signature document")
    return f"{document['protected']}..{document['signature']}"


def _signed_for(artifact: bytes, signature: bytes, public_key: "EllipticCurvePublicKey") -> SignedFor:
    """Return what an artifact is signed for.

    Raises:
        ArtifactAlteredError: The signature is not one of these bytes by this key.
    """
    try:
        header: dict[str, Any] = jwt.PyJWS().decode_complete(
            _jws(signature), public_key, algorithms=[ALGORITHM], detached_payload=artifact
        )["header"]
        if header.get("b64") is not False:
            raise ValueError("the content is not detached")
        found = SignedFor(header["environment"], header["generation"], header["signed_at"])
    except (jwt.PyJWTError, SlipwayError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ArtifactAlteredError("The published endpoint is not what was signed") from error
    return found


def verified(
    artifact: bytes | None,
    signature: bytes | None,
    public_key: "EllipticCurvePublicKey",
    *,
    environment: str,
    generation: int,
    allow_loopback: bool = False,
) -> Published:
    """Return an artifact, once everything about it holds.

    Args:
        artifact: ``endpoint.json``, None where there is none.
        signature: ``endpoint.json.sig``, None where there is none.
        public_key: Of the key that signs artifacts.
        environment: For which it is wanted.
        generation: The node's present generation.
        allow_loopback: See ``rules.valid_endpoint``.

    Raises:
        ArtifactMissingError: There is none.
        ArtifactUnsignedError: It has no signature.
        ArtifactAlteredError: It is not what was signed.
        ArtifactForeignError: It was signed for another environment.
        ArtifactOutdatedError: It was signed for another generation.
    """
    if artifact is None:
        raise ArtifactMissingError(f"No endpoint is published for {environment}")
    if signature is None:
        raise ArtifactUnsignedError("The published endpoint has no signature")
    if max(len(artifact), len(signature)) > _MAX_BYTES:
        raise ArtifactAlteredError("The published endpoint is not what was signed")
    signed_for = _signed_for(artifact, signature, public_key)
    if signed_for.environment != environment:
        raise ArtifactForeignError(f"The published endpoint was signed for another environment than {environment}")
    if signed_for.generation != generation:
        message = f"The published endpoint is of generation {signed_for.generation}, the node of {generation}"
        raise ArtifactOutdatedError(message)
    try:
        document = parse_json(artifact)
        if not isinstance(document, dict) or set(document) != {KEY} or not isinstance(document[KEY], str):
            raise ArtifactAlteredError("The published endpoint has another form than it should")
        endpoint = parse_endpoint(document[KEY], allow_loopback=allow_loopback)
    except ArtifactAlteredError:
        raise
    except SlipwayError as error:
        raise ArtifactAlteredError(f"The published endpoint is none: {error.message}") from error
    return Published(endpoint, signed_for)
