"""Access tokens that are almost right, signed by the stack's own key where only a claim is wrong."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from slipway.p256_key import P256Key, base64url
from tests.stack.conftest import RunningStack

LONG_AGO = 1_500_000_000
# What is wrong with a forgery is never its age.
LIFE_SECONDS = 86_400


class Forger:
    """Makes tokens out of a good one of the stack."""

    def __init__(self, stack: RunningStack, good: str) -> None:
        self._key = P256Key(stack.client("kms"), stack.outputs["IdentityKeyId"])
        self.header: dict[str, Any] = jwt.get_unverified_header(good)
        claims: dict[str, Any] = jwt.decode(good, options={"verify_signature": False})
        self.claims = {**claims, "exp": claims["iat"] + LIFE_SECONDS}
        self.good = self.signed()

    def signed(self, **changes: Any) -> str:
        """Signed by the stack's key, with other claims; a change to None leaves the claim out."""
        claims = {name: value for name, value in {**self.claims, **changes}.items() if value is not None}
        text = self._text(self.header, claims)
        return f"{text}.{base64url(self._key.signature(text.encode()))}"

    def forgeries(self) -> dict[str, str]:
        """Every token that nobody may be let in with, by what is wrong with it."""
        now = int(time.time())
        head, body, signature = self.good.split(".")
        altered = self._text(self.header, {**self.claims, "roles": ["admin", "operator", "user"]}).split(".")[1]
        return {
            "altered claims": f"{head}.{altered}.{signature}",
            "altered signature": f"{head}.{body}.{signature[::-1]}",
            "no signature": f"{head}.{body}.",
            "another key": self._by_another_key(),
            "alg none": f"{self._text({**self.header, 'alg': 'none'}, self.claims)}.",
            "alg HS256 with the public key": self._by_public_key(),
            "unknown kid": f"{self._text({**self.header, 'kid': 'another'}, self.claims)}.{signature}",
            "expired": self.signed(iat=LONG_AGO, nbf=LONG_AGO, exp=LONG_AGO + 900),
            "not valid yet": self.signed(iat=now + 3600, nbf=now + 3600, exp=now + LIFE_SECONDS),
            "no expiry": self.signed(exp=None),
            "wrong audience": self.signed(aud="another"),
            "no audience": self.signed(aud=None),
            "wrong issuer": self.signed(iss="https://issuer.example.com"),
            "no issuer": self.signed(iss=None),
            "not a token": "slw_Zm9yIHRlc3RzIG9ubHksIG5vIHdvcmtlciBoYXMgdGh",
        }

    def _by_another_key(self) -> str:
        own = ec.generate_private_key(ec.SECP256R1())
        pem = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return jwt.encode(self.claims, pem, "ES256", headers={"kid": self.header["kid"]})

    def _by_public_key(self) -> str:
        text = self._text({**self.header, "alg": "HS256"}, self.claims)
        public = self._key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return f"{text}.{base64url(hmac.new(public, text.encode(), hashlib.sha256).digest())}"

    @staticmethod
    def _text(header: dict[str, Any], claims: dict[str, Any]) -> str:
        return ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
