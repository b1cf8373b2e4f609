"""Access tokens: signed by a KMS P-256 key (ES256), verified offline; an external issuer's are verified the same way.

Sources: RFC 7515, RFC 7519, RFC 7517, OpenID Connect Discovery.
"""

import json
from dataclasses import replace
from typing import Any

import jwt

from slipway.errors import AuthenticationFailedError
from slipway.identity.jwks import JwksClient
from slipway.identity.models import Caller
from slipway.identity.rules import caller_from_claims, granted
from slipway.p256_key import ALGORITHM, P256Key, base64url
from slipway.settings import IdentitySettings

_OWN_CLAIMS = {"wallet": "wallet", "roles": "roles", "tier": "tier"}
_REQUIRED = ["exp", "aud", "iss", "sub"]
_REQUIRED_OF_CLIENTS = ["exp", "iss", "sub"]
_MAX_TOKEN_CHARACTERS = 8192
# How far an external issuer's clock may be from ours.
_LEEWAY_SECONDS = 5


class IdentityKey(P256Key):
    """Slipway's own signing key."""

    def sign(self, claims: dict[str, Any]) -> str:
        """Sign claims as a compact JWS."""
        header = {"alg": ALGORITHM, "typ": "JWT", "kid": self.jwk["kid"]}
        parts = [base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)]
        signing_input = ".".join(parts)
        return f"{signing_input}.{base64url(self.signature(signing_input.encode()))}"


class TokenVerifier:
    """Accepts tokens of Slipway itself and, when one is configured, of one external issuer.

    The issuer that a token names decides which keys and algorithms may verify it, so neither can stand in for the
    other, ``none`` and symmetric algorithms are never tried, and no call leaves the process but the first for keys.
    """

    def __init__(self, settings: IdentitySettings, own_key: IdentityKey, jwks: JwksClient | None = None) -> None:
        self._settings = settings
        self._own_key = own_key
        self._jwks = jwks

    def verify(self, token: str) -> Caller:
        """Verify a token and return its caller.

        Raises:
            AuthenticationFailedError: It is malformed, forged, expired, not valid yet, or meant for others.
            UpstreamUnavailableError: The external issuer's keys could not be fetched.
        """
        if not token or len(token) > _MAX_TOKEN_CHARACTERS:
            raise AuthenticationFailedError("The access token is missing or malformed")
        try:
            unverified = jwt.decode_complete(token, options={"verify_signature": False})
            issuer = unverified["payload"].get("iss")
            if issuer == self._settings.issuer:
                claims = self._decode(token, self._own_key.public_key, (ALGORITHM,), issuer, self._settings.audience)
                caller = caller_from_claims(claims, _OWN_CLAIMS)
                return replace(caller, session_id=claims.get("sid"), generation=claims.get("gen"))
            oidc = self._settings.oidc
            if oidc and self._jwks and issuer == oidc.issuer:
                key_id = unverified["header"].get("kid")
                key = self._jwks.key(None if key_id is None else str(key_id))
                is_by_client = _client_without_audience(unverified["payload"]) in oidc.clients
                audience = None if is_by_client else oidc.audience
                claims = self._decode(token, key, oidc.algorithms, issuer, audience, _LEEWAY_SECONDS)
                return granted(caller_from_claims(claims, oidc.claims), oidc.roles, oidc.tiers, issuer)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise AuthenticationFailedError(_reason(error)) from error
        raise AuthenticationFailedError("The access token's issuer is not trusted")

    @staticmethod
    def _decode(
        token: str, key: Any, algorithms: tuple[str, ...], issuer: str, audience: str | None, leeway: int = 0
    ) -> dict[str, Any]:
        """Return the verified claims; without an audience, whoever calls has found that the token needs none."""
        claims = jwt.decode(
            token,
            key,
            algorithms=list(algorithms),
            audience=audience,
            issuer=issuer,
            leeway=leeway,
            options={"require": _REQUIRED if audience else _REQUIRED_OF_CLIENTS, "verify_aud": bool(audience)},
        )
        return dict(claims)


def _client_without_audience(claims: dict[str, Any]) -> str | None:
    """Return the client that a token was made for (``azp`` or, of Cognito, ``client_id``) if it has no audience."""
    if claims.get("aud") is not None:
        return None
    found = claims.get("azp") or claims.get("client_id")
    return found if isinstance(found, str) else None


def _reason(error: Exception) -> str:
    if isinstance(error, jwt.ExpiredSignatureError):
        return "The access token has expired"
    if isinstance(error, jwt.ImmatureSignatureError):
        return "The access token is not valid yet"
    if isinstance(error, jwt.InvalidAudienceError):
        return "The access token is meant for another audience"
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The access token lacks the claim {error.claim}"
    return "The access token is malformed or its signature is wrong"
