"""Use cases of identity: hand out a nonce, exchange a signed message for a token, publish keys, verify a token."""

import uuid
from functools import cache
from typing import Any

import httpx

from slipway.identity.access_tokens import IdentityKey, TokenVerifier
from slipway.identity.jwks import JwksClient
from slipway.identity.models import VerifyAnswer
from slipway.identity.rules import ACCESS_TOKEN_SECONDS, access_claims, wallet_roles
from slipway.identity.store import use_nonce
from slipway.settings import identity_settings
from slipway.store import aws_client
from slipway.times import epoch_seconds


@cache
def identity_key() -> IdentityKey:
    """Return the installation's signing key."""
    return IdentityKey(aws_client("kms"), identity_settings().key_id)


@cache
def token_verifier() -> TokenVerifier:
    """Return the verifier of Slipway's tokens and, if one is configured, of an external issuer's."""
    settings = identity_settings()
    jwks = JwksClient(settings.oidc.jwks_url, httpx.Client()) if settings.oidc else None
    return TokenVerifier(settings, identity_key(), jwks)


def sign_in(message: str, signature: str) -> VerifyAnswer:
    """Exchange a signed Sign-In with Ethereum message for an access token.

    The nonce is used up last, so that a message which is refused for another reason can't burn another user's nonce.

    Raises:
        AuthenticationFailedError: See ``verified_wallet`` and ``use_nonce``.
    """
    # Imported here because it brings web3: functions that only verify tokens must not pay for it.
    from slipway.identity.sign_in import verified_wallet

    settings = identity_settings()
    wallet, nonce = verified_wallet(message, signature, settings.sign_in_domains)
    use_nonce(nonce)
    roles, tier = wallet_roles(wallet, settings.wallets)
    claims = access_claims(
        wallet,
        roles,
        tier,
        issuer=settings.issuer,
        audience=settings.audience,
        token_id=str(uuid.uuid4()),
        issued_at=epoch_seconds(),
    )
    return VerifyAnswer(access_token=identity_key().sign(claims), expires_in=ACCESS_TOKEN_SECONDS)


def published_keys() -> dict[str, Any]:
    """Return the JWK set by which others verify Slipway's tokens."""
    return {"keys": [identity_key().jwk]}
