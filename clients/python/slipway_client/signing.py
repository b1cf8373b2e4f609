"""Who signs: a wallet by its key, or anything with the same four names."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit


@dataclass(frozen=True)
class SignedTransaction:
    """Bytes that a node takes, in hexadecimal, and their hash."""

    raw: str
    hash: str


class Signer(Protocol):
    """A wallet. Each method may return its answer or, for the asynchronous client, an awaitable of it."""

    @property
    def address(self) -> str:
        """Return the wallet's address, in EIP-55 form."""

    def sign_message(self, text: str) -> str | Awaitable[str]:
        """Sign a text as personal_sign does (EIP-191); return 65 bytes in hexadecimal."""

    def sign_typed_data(self, data: dict[str, Any]) -> str | Awaitable[str]:
        """Sign typed data (EIP-712); return 65 bytes in hexadecimal."""

    def sign_transaction(self, transaction: dict[str, Any]) -> SignedTransaction | Awaitable[SignedTransaction]:
        """Sign a transaction that has nonce, fees and chain."""


class PrivateKey:
    """A wallet by its private key. The key is in no representation and in no error.

    Raises:
        ValueError: It is no private key.
    """

    def __init__(self, key: str | bytes) -> None:
        from eth_account import Account  # half a second, which users of API keys need not wait

        try:
            self._account = Account.from_key(key)
        except Exception:
            # What it raises may quote the key.
            raise ValueError("This is no private key: 32 bytes in hexadecimal are one") from None

    @classmethod
    def from_file(cls, path: str | Path, password: str | None = None) -> PrivateKey:
        """Read a key: hexadecimal text, or a keystore (version 3) with its password.

        Raises:
            ValueError: There is no key in it, or the password is wrong or missing.
            OSError: It can't be read.
        """
        text = Path(path).read_text(encoding="utf-8").strip()
        if not text.startswith("{"):
            return cls(text)
        if password is None:
            raise ValueError("The key file is a keystore, which needs its password")
        from eth_account import Account

        try:
            return cls(Account.decrypt(json.loads(text), password))
        except Exception:
            raise ValueError("The keystore can't be opened with this password") from None

    @property
    def address(self) -> str:
        """Return the wallet's address."""
        return str(self._account.address)

    def sign_message(self, text: str) -> str:
        """Sign a text (EIP-191)."""
        from eth_account.messages import encode_defunct

        return "0x" + bytes(self._account.sign_message(encode_defunct(text=text)).signature).hex()

    def sign_typed_data(self, data: dict[str, Any]) -> str:
        """Sign typed data (EIP-712)."""
        return "0x" + bytes(self._account.sign_typed_data(full_message=data).signature).hex()

    def sign_transaction(self, transaction: dict[str, Any]) -> SignedTransaction:
        """Sign a transaction."""
        signed = self._account.sign_transaction(transaction)
        return SignedTransaction("0x" + bytes(signed.raw_transaction).hex(), "0x" + bytes(signed.hash).hex())

    def __repr__(self) -> str:
        return f"PrivateKey({self.address})"


def sign_in_message(
    *, address: str, nonce: str, chain_id: int, uri: str, domain: str | None = None, now: datetime | None = None
) -> str:
    """Return the text that a wallet signs to sign in (EIP-4361).

    Args:
        address: The wallet's, in EIP-55 form.
        nonce: From `GET /api/auth/nonce`.
        chain_id: One that the installation serves.
        uri: Where the sign-in happens: the API's address, or a frontend's.
        domain: Its host and port; by default the URI's.
        now: When it is issued.
    """
    issued_at = (now or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return (
        f"{domain or urlsplit(uri).netloc} wants you to sign in with your Ethereum account:\n{address}\n\n"
        f"Sign in to Slipway.\n\nURI: {uri}\nVersion: 1\nChain ID: {chain_id}\nNonce: {nonce}\nIssued At: {issued_at}"
    )
