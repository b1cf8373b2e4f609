"""Tokens for providers, as the managed wallets sign them: JWT with ES256K and the claims that providers check."""

from __future__ import annotations

import secrets
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from local.console_api.market import Account, RefusedError

_SCOPES = {
    "send-manifest", "get-manifest", "logs", "shell", "events", "status", "restart", "hostname-migrate", "ip-migrate",
    "attestation",
}  # fmt: skip


class TokenExpiredError(Exception):
    """The token's time is over."""


class TokenRefusedError(Exception):
    """The token is not ours or does not allow that."""


class Tokens:
    """Makes and checks tokens, with a key of this process."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256K1())

    def make(self, account: Account, ttl: Any, leases: Any) -> str:
        """Make a token that lasts ``ttl`` real seconds.

        Raises:
            RefusedError: The request is not of the API's shape.
        """
        if not isinstance(ttl, int) or isinstance(ttl, bool) or ttl <= 0:
            raise _invalid("ttl", "Number must be greater than 0")
        _check_access(leases)
        now = int(time.time())
        claims = {
            "iss": account.address,
            "iat": now,
            "nbf": now,
            "exp": now + ttl,
            "jti": secrets.token_hex(8),
            "version": "v1",
            "leases": leases,
        }
        return jwt.encode(claims, self._key, algorithm="ES256K")

    def check(self, token: Any, provider: str, dseq: str, services: set[str], scope: str) -> float:
        """Return until when a token allows something at a provider, and since when, in seconds since 1970.

        Raises:
            TokenExpiredError: It has allowed it.
            TokenRefusedError: It never did.
        """
        try:
            claims = jwt.decode(token, self._key.public_key(), algorithms=["ES256K"], options={"verify_iat": False})
        except jwt.ExpiredSignatureError as error:
            raise TokenExpiredError from error
        except (jwt.InvalidTokenError, TypeError, AttributeError) as error:
            raise TokenRefusedError from error
        if not _allows(claims["leases"], provider, dseq, services, scope):
            raise TokenRefusedError
        return float(claims["exp"])

    def read(self, token: str) -> dict[str, Any]:
        """Read a token's claims, whether it has expired or not."""
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        return claims


def _invalid(field: str, message: str) -> RefusedError:
    issue = {"code": "custom", "path": ["data", *field.split(".")], "message": message}
    return RefusedError(400, "Validation error", "validation_error", [issue])


def _check_access(leases: Any) -> None:
    access = leases.get("access") if isinstance(leases, dict) else None
    if access == "full":
        return
    if access == "scoped":
        _check_scope(leases.get("scope"))
        return
    permissions = leases.get("permissions") if access == "granular" else None
    if not isinstance(permissions, list) or not all(isinstance(entry, dict) for entry in permissions):
        raise _invalid("leases.access", "Invalid access")
    for entry in permissions:
        if not str(entry.get("provider", "")).startswith("akash1"):
            raise _invalid("leases.permissions", "Invalid provider")
        if entry.get("access") == "scoped":
            _check_scope(entry.get("scope"))
        for part in entry.get("deployments") or ():
            _check_scope(part.get("scope"))


def _check_scope(scope: Any) -> None:
    if not isinstance(scope, list) or not scope or not _SCOPES.issuperset(scope):
        raise _invalid("leases.scope", "Invalid scope")


def _allows(leases: dict[str, Any], provider: str, dseq: str, services: set[str], scope: str) -> bool:
    if leases["access"] == "full":
        return True
    if leases["access"] == "scoped":
        return scope in leases["scope"]
    for entry in leases["permissions"]:
        if entry["provider"] != provider:
            continue
        if entry.get("access") == "full" or (entry.get("access") == "scoped" and scope in entry["scope"]):
            return True
        for part in entry.get("deployments") or ():
            only = set(part.get("services") or ())
            if str(part.get("dseq")) == dseq and scope in part["scope"] and (not only or services <= only):
                return True
    return False
