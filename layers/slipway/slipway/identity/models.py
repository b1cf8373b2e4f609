"""Shapes of sign-in, and the caller that a verified token stands for."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

USER, ADMIN, OPERATOR = "user", "admin", "operator"
ROLES = frozenset({USER, ADMIN, OPERATOR})


@dataclass(frozen=True)
class Caller:
    """Whoever a verified token speaks for. ``wallet`` is in EIP-55 form, None if an external issuer named none."""

    subject: str
    wallet: str | None
    roles: frozenset[str]
    tier: str
    token_id: str | None


def is_staff(caller: Caller) -> bool:
    """Return whether a caller is an operator or an administrator."""
    return bool(caller.roles & {ADMIN, OPERATOR})


class NonceAnswer(BaseModel):
    """A value to put in a sign-in message, good once and for five minutes."""

    nonce: str = Field(examples=["k3vQxT0c9mYb2LrN"])


class VerifyRequest(BaseModel):
    """A Sign-In with Ethereum message (EIP-4361) and the wallet's signature of it (EIP-191)."""

    model_config = ConfigDict(extra="forbid")

    message: str = Field(min_length=1, max_length=4096)
    signature: str = Field(pattern=r"^0x[0-9a-fA-F]{130}$", description="65 bytes r, s, v in hexadecimal")


class VerifyAnswer(BaseModel):
    """An access token; ``expires_in`` is in seconds."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 (a scheme, not a secret)
    expires_in: int
