"""Pure decisions about claims: what a token says of its caller, and what a wallet may be."""

from typing import Any

from slipway.addresses import parse_address
from slipway.errors import AuthenticationFailedError, ValidationFailedError
from slipway.identity.models import ROLES, USER, Caller

DEFAULT_TIER = "standard"
ACCESS_TOKEN_SECONDS = 900


def wallet_roles(wallet: str, wallets: dict[str, dict[str, Any]]) -> tuple[list[str], str]:
    """Return the roles and tier that the configuration gives a wallet; ``wallets`` is keyed by lower-case address."""
    entry = wallets.get(wallet.lower(), {})
    roles = sorted({USER, *entry.get("roles", [])} & ROLES)
    return roles, str(entry.get("tier", DEFAULT_TIER))


def access_claims(
    wallet: str, roles: list[str], tier: str, *, issuer: str, audience: str, token_id: str, issued_at: int
) -> dict[str, Any]:
    """Return the claims of an access token; times in seconds since 1970."""
    return {
        "iss": issuer,
        "aud": audience,
        "sub": wallet,
        "wallet": wallet,
        "roles": roles,
        "tier": tier,
        "jti": token_id,
        "iat": issued_at,
        "nbf": issued_at,
        "exp": issued_at + ACCESS_TOKEN_SECONDS,
    }


def caller_from_claims(claims: dict[str, Any], names: dict[str, str]) -> Caller:
    """Read the caller of a verified token.

    Args:
        claims: The verified claims.
        names: What the issuer calls ``wallet``, ``roles`` and ``tier``.

    Raises:
        AuthenticationFailedError: The wallet or the roles have the wrong shape.
    """
    wallet = claims.get(names["wallet"])
    if wallet is not None:
        try:
            wallet = parse_address(str(wallet), "wallet")
        except ValidationFailedError as error:
            raise AuthenticationFailedError("The token's wallet is not an Ethereum address") from error
    roles = claims.get(names["roles"], [])
    if isinstance(roles, str):
        roles = roles.split()
    if not isinstance(roles, list) or not isinstance(claims.get("sub"), str):
        raise AuthenticationFailedError("The token's claims have the wrong shape")
    token_id = claims.get("jti")
    return Caller(
        subject=claims["sub"],
        wallet=wallet,
        # Roles that Slipway does not know mean nothing here; everyone it believes is at least a user.
        roles=frozenset({USER, *(str(role) for role in roles)} & ROLES),
        tier=str(claims.get(names["tier"]) or DEFAULT_TIER),
        token_id=str(token_id) if token_id is not None else None,
    )
