"""A P-256 key that never leaves AWS KMS, with its signatures in the form that JOSE wants (RFC 7518, ES256)."""

import base64
import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from jwt.algorithms import ECAlgorithm

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

ALGORITHM = "ES256"
_BYTES = 32


def base64url(data: bytes) -> str:
    """Encode as URL-safe base64 without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class P256Key:
    """A key pair in KMS."""

    def __init__(self, kms: "KMSClient", key_id: str) -> None:
        self._kms = kms
        self._key_id = key_id

    @cached_property
    def public_key(self) -> EllipticCurvePublicKey:
        """Fetched once in the life of the process; the key's pair never changes."""
        key = load_der_public_key(self._kms.get_public_key(KeyId=self._key_id)["PublicKey"])
        if not isinstance(key, EllipticCurvePublicKey):
            raise TypeError("the key is not an elliptic-curve key")
        return key

    @cached_property
    def jwk(self) -> dict[str, Any]:
        """The public key as a JWK, with the key's thumbprint (RFC 7638) as its id."""
        key = json.loads(ECAlgorithm.to_jwk(self.public_key))
        members = {name: key[name] for name in ("crv", "kty", "x", "y")}
        canonical = json.dumps(members, separators=(",", ":"), sort_keys=True).encode()
        thumbprint = base64url(hashlib.sha256(canonical).digest())
        return {**members, "kid": thumbprint, "use": "sig", "alg": ALGORITHM}

    def signature(self, message: bytes) -> bytes:
        """Sign a message of at most 4096 bytes; return r and s, 64 bytes together."""
        answer = self._kms.sign(
            KeyId=self._key_id, Message=message, MessageType="RAW", SigningAlgorithm="ECDSA_SHA_256"
        )
        r, s = decode_dss_signature(answer["Signature"])
        return r.to_bytes(_BYTES, "big") + s.to_bytes(_BYTES, "big")
