"""Wallets of callers, and the sign-in messages they make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

ALICE: LocalAccount = Account.from_key("0x" + "a1" * 32)
BOB: LocalAccount = Account.from_key("0x" + "b2" * 32)
ADMIN: LocalAccount = Account.from_key("0x" + "c3" * 32)
OPERATOR: LocalAccount = Account.from_key("0x" + "d4" * 32)


def moment(offset_seconds: float = 0) -> str:
    """Return a time as sign-in messages write it, from now."""
    then = datetime.now(UTC) + timedelta(seconds=offset_seconds)
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sign_in_message(
    address: str = ALICE.address,
    *,
    nonce: str = "abcdefgh12345678",
    domain: str = "slipway.test",
    uri: str = "https://slipway.test/login",
    issued_at: str | None = None,
    expires: str | None = None,
    not_before: str | None = None,
    statement: str = "Sign in to Slipway.",
    chain_id: str = "31337",
) -> str:
    """Return an EIP-4361 message."""
    lines = [
        f"{domain} wants you to sign in with your Ethereum account:",
        address,
        "",
        statement,
        "",
        f"URI: {uri}",
        "Version: 1",
        f"Chain ID: {chain_id}",
        f"Nonce: {nonce}",
        f"Issued At: {issued_at or moment()}",
    ]
    if expires:
        lines.append(f"Expiration Time: {expires}")
    if not_before:
        lines.append(f"Not Before: {not_before}")
    return "\n".join(lines)


def sign_text(message: str, account: LocalAccount = ALICE) -> str:
    """Return the wallet's EIP-191 signature, in hexadecimal."""
    return str(account.sign_message(encode_defunct(text=message)).signature.to_0x_hex())
