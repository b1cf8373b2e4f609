"""Use cases of identity: sign in, renew and end sessions, link wallets, publish keys, authenticate a request."""

import uuid
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx

from slipway.configuration import chain_settings, known_wallets
from slipway.errors import AuthenticationFailedError
from slipway.identity import api_keys, links, sessions
from slipway.identity.access_tokens import IdentityKey, TokenVerifier
from slipway.identity.jwks import JwksClient
from slipway.identity.models import Caller, LinkAnswer, LogoutAnswer, VerifyAnswer
from slipway.identity.revocation import require_good_standing
from slipway.identity.rules import ACCESS_TOKEN_SECONDS, access_claims, wallet_roles
from slipway.identity.scopes import READS
from slipway.identity.store import require_nonce, use_nonce
from slipway.settings import identity_settings
from slipway.store import aws_client
from slipway.times import epoch_seconds

if TYPE_CHECKING:
    from slipway.identity.sign_in import ContractWallets, SignedMessage, SignIn


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


def authenticate(credentials: str, method: str, path: str) -> Caller:
    """Return the caller of a request.

    Args:
        credentials: An access token or an API key.
        method: Of the request.
        path: Of the request.

    Raises:
        AuthenticationFailedError: The credentials are not good, or their session has ended.
        ForbiddenError: The wallet is blocked, or the API key is not for this.
        UpstreamUnavailableError: The table, or an external issuer, did not answer.
    """
    if credentials.startswith(api_keys.PREFIX):
        caller = api_keys.caller_of(credentials, method, path)
    else:
        caller = _external_wallet(token_verifier().verify(credentials))
    return replace(caller, limits=require_good_standing(caller, changes=method not in READS))


def _external_wallet(caller: Caller) -> Caller:
    oidc = identity_settings().oidc
    if caller.issuer is None or oidc is None or oidc.trusts_wallets:
        return caller
    return links.with_linked_wallet(caller)


def _verified(message: str, signature: str, contract_wallets: "ContractWallets") -> "SignIn":
    """Verify a signed message and use its nonce up.

    The nonce is used up last, so that a message which is refused for another reason can't burn another user's nonce.

    Raises:
        AuthenticationFailedError: See ``verified_wallet`` and ``use_nonce``.
        UpstreamUnavailableError: The chain of a contract wallet did not answer.
    """
    # Imported here because it brings web3: functions that only verify tokens must not pay for it.
    from slipway.identity.sign_in import verified_wallet

    def take(signed: "SignedMessage") -> bool:
        # A stranger's invented message costs no call to a chain.
        require_nonce(signed.nonce)
        return contract_wallets(signed)

    found = verified_wallet(message, signature, identity_settings().sign_in_domains, chain_settings().chains, take)
    use_nonce(found.nonce)
    return found


def sign_in(message: str, signature: str, contract_wallets: "ContractWallets", source_ip: str | None) -> VerifyAnswer:
    """Exchange a signed Sign-In with Ethereum message for an access token and a refresh token.

    Raises:
        AuthenticationFailedError: See ``verified_wallet`` and ``use_nonce``.
        ForbiddenError: The wallet is blocked.
    """
    found = _verified(message, signature, contract_wallets)
    return _answer(sessions.begin(found.wallet, found.domain, source_ip))


def refresh(refresh_token: str, domain: str | None) -> VerifyAnswer:
    """Exchange a refresh token for the next one and an access token; raises as ``sessions.renew``."""
    return _answer(sessions.renew(refresh_token, domain))


def log_out(refresh_token: str, *, everywhere: bool) -> LogoutAnswer:
    """End a session, or all of its wallet's; raises as ``sessions.end``."""
    sessions.end(refresh_token, everywhere=everywhere)
    return LogoutAnswer(ended="everywhere" if everywhere else "session")


def link(external_token: str, message: str, signature: str, contract_wallets: "ContractWallets") -> LinkAnswer:
    """Link a wallet that signs to the user of an external issuer's token.

    Raises:
        AuthenticationFailedError: The token is not an external issuer's, or the message does not prove the wallet.
    """
    caller = token_verifier().verify(external_token)
    if caller.issuer is None:
        raise AuthenticationFailedError("Only a token of the external issuer can be linked to a wallet")
    wallet = _verified(message, signature, contract_wallets).wallet
    links.add(caller.issuer, caller.subject, wallet)
    return LinkAnswer(issuer=caller.issuer, subject=caller.subject, wallet=wallet)


def _answer(session: sessions.Session) -> VerifyAnswer:
    settings = identity_settings()
    roles, tier = wallet_roles(session.wallet, known_wallets())
    claims = access_claims(
        session.wallet,
        roles,
        tier,
        issuer=settings.issuer,
        audience=settings.audience,
        token_id=str(uuid.uuid4()),
        issued_at=epoch_seconds(),
        session_id=session.session_id,
        generation=session.generation,
    )
    return VerifyAnswer(
        access_token=identity_key().sign(claims),
        expires_in=ACCESS_TOKEN_SECONDS,
        refresh_token=session.refresh_token,
        refresh_expires_in=sessions.REFRESH_SECONDS,
    )


def published_keys() -> dict[str, Any]:
    """Return the JWK set by which others verify Slipway's tokens."""
    return {"keys": [identity_key().jwk]}
