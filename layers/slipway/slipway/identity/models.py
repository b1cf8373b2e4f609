"""Shapes of sign-in, sessions and API keys, and the caller that verified credentials stand for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from slipway.fields import printable
from slipway.identity.scopes import Scope

USER, ADMIN, OPERATOR = "user", "admin", "operator"
ROLES = frozenset({USER, ADMIN, OPERATOR})


@dataclass(frozen=True)
class Caller:
    """The one whom verified credentials speak for.

    Attributes:
        subject: What the issuer calls them.
        wallet: In EIP-55 form; None if an external issuer named none that is linked.
        roles: What they may do.
        tier: Whose limits hold for them.
        token_id: The access token's id, or the API key's.
        session_id: Of the session that the access token belongs to; None for other credentials.
        generation: How often all sessions of the wallet had been ended when the token was made.
        issuer: The external issuer of the token; None for credentials of Slipway's own.
        scopes: What an API key may be used for; None for a token, which may do all that its caller may.
        limits: Limits that an administrator set for the caller's wallet or tier, by name and span.
    """

    subject: str
    wallet: str | None
    roles: frozenset[str]
    tier: str
    token_id: str | None
    session_id: str | None = None
    generation: int | None = None
    issuer: str | None = None
    scopes: frozenset[str] | None = None
    limits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def is_staff(caller: Caller) -> bool:
    """Return whether a caller is an operator or an administrator."""
    return bool(caller.roles & {ADMIN, OPERATOR})


class NonceAnswer(BaseModel):
    """A value to put in a sign-in message, good once and for five minutes, and a chain that it may name."""

    nonce: str = Field(examples=["k3vQxT0c9mYb2LrN"])
    chain_id: int = Field(examples=[31337])


class VerifyRequest(BaseModel):
    """A Sign-In with Ethereum message (EIP-4361) and the wallet's signature of it (EIP-191)."""

    model_config = ConfigDict(extra="forbid")

    message: str = Field(min_length=1, max_length=4096)
    signature: str = Field(
        pattern=r"^0x([0-9a-fA-F]{2})*$",
        max_length=8194,
        description="65 bytes r, s, v in hexadecimal, or what a contract wallet takes (ERC-1271, ERC-6492)",
    )


class VerifyAnswer(BaseModel):
    """An access token and the refresh token that renews it once; times are in seconds from now."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 (a scheme, not a secret)
    expires_in: int
    refresh_token: str
    refresh_expires_in: int


class RefreshRequest(BaseModel):
    """A refresh token, which is used up: the answer has the next one."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: str = Field(min_length=1, max_length=256, pattern=r"^[\x21-\x7e]+$")


class LogoutRequest(RefreshRequest):
    """The session's refresh token; ``everywhere`` ends all sessions of its wallet."""

    everywhere: bool = False


class LogoutAnswer(BaseModel):
    """Which sessions have ended."""

    ended: Literal["session", "everywhere"]


class LinkAnswer(BaseModel):
    """The wallet that an external issuer's user has proved to be theirs."""

    issuer: str
    subject: str
    wallet: str


class KeyRequest(BaseModel):
    """An API key to make. ``expires_at`` is a moment in the future; without one the key does not expire."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        str, Field(min_length=1, max_length=64, examples=["deploys of the web site"]), AfterValidator(printable)
    ]
    scopes: list[Scope] = Field(min_length=1, max_length=64, examples=[["deployments:read", "deployments:write"]])
    expires_at: str | None = Field(default=None, examples=["2027-01-01T00:00:00Z"])


class KeyFacts(BaseModel):
    """An API key as its owner sees it; the key itself is shown once, when it is made."""

    id: str
    name: str
    scopes: list[Scope]
    created_at: str
    expires_at: str | None
    last_used_at: str | None = Field(description="To within an hour")


class KeyAnswer(KeyFacts):
    """A new API key."""

    key: str = Field(examples=["slk_…"])


class KeyList(BaseModel):
    """All API keys of the caller's wallet that were not deleted, oldest first."""

    keys: list[KeyFacts]


class BlockRequest(BaseModel):
    """Why a wallet is blocked or unblocked."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500)


class StandingAnswer(BaseModel):
    """What an administrator decided about a wallet."""

    wallet: str
    blocked: bool
    reason: str | None
    changed_by: str | None
    changed_at: str | None
