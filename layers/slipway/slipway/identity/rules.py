"""Pure decisions about claims: what a token says of its caller, and what a wallet may be."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from slipway.addresses import parse_address
from slipway.errors import AuthenticationFailedError, ValidationFailedError
from slipway.identity.models import ROLES, USER, Caller

DEFAULT_TIER = "standard"
ACCESS_TOKEN_SECONDS = 900


def is_domain_of(domains: Collection[str], authority: str) -> bool:
    """Return whether a host with its port, where it has one, is among the domains; ``*`` there stands for any port."""
    host, separator, port = authority.rpartition(":")
    return authority in domains or bool(separator and port.isdecimal() and f"{host}:*" in domains)


def wallet_roles(wallet: str, wallets: dict[str, dict[str, Any]]) -> tuple[list[str], str]:
    """Return the roles and tier that the configuration gives a wallet; ``wallets`` is keyed by lower-case address."""
    entry = wallets.get(wallet.lower(), {})
    roles = sorted({USER, *entry.get("roles", [])} & ROLES)
    return roles, str(entry.get("tier", DEFAULT_TIER))


def access_claims(
    wallet: str,
    roles: list[str],
    tier: str,
    *,
    issuer: str,
    audience: str,
    token_id: str,
    issued_at: int,
    session_id: str | None = None,
    generation: int = 0,
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
        **({"sid": session_id, "gen": generation} if session_id else {}),
    }


def claim_of(claims: dict[str, Any], name: str) -> Any:
    """Return the claim of that name or, where there is none and the name has dots, the one that it leads to."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def caller_from_claims(claims: dict[str, Any], names: dict[str, str]) -> Caller:
    """Read the caller of a verified token.

    Args:
        claims: The verified claims.
        names: What the issuer calls ``wallet``, ``roles`` and ``tier``; dots lead into nested objects.

    Raises:
        AuthenticationFailedError: The wallet or the roles have the wrong shape.
    """
    wallet = claim_of(claims, names["wallet"])
    if wallet is not None:
        try:
            wallet = parse_address(str(wallet), "wallet")
        except ValidationFailedError as error:
            raise AuthenticationFailedError("The token's wallet is not an Ethereum address") from error
    roles = claim_of(claims, names["roles"])
    if roles is None:
        roles = []
    if isinstance(roles, str):
        roles = roles.split()
    if not isinstance(roles, list) or not isinstance(claims.get("sub"), str):
        raise AuthenticationFailedError("The token's claims have the wrong shape")
    token_id = claims.get("jti")
    return Caller(
        subject=claims["sub"],
        wallet=wallet,
        # Roles that Slipway does not know mean nothing here; everyone whose token is good is at least a user.
        roles=frozenset({USER, *(str(role) for role in roles)} & ROLES),
        tier=str(claim_of(claims, names["tier"]) or DEFAULT_TIER),
        token_id=str(token_id) if token_id is not None else None,
    )


def granted(caller: Caller, roles: Collection[str], tiers: Collection[str], issuer: str) -> Caller:
    """Return the caller of an external issuer with no more than the operator lets that issuer grant."""
    return replace(
        caller,
        roles=frozenset({USER, *(caller.roles & frozenset(roles))}),
        tier=caller.tier if caller.tier in tiers else DEFAULT_TIER,
        issuer=issuer,
    )
