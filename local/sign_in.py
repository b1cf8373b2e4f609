"""Signs in with Ethereum (EIP-4361), as a wallet and a frontend do it together."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from local.accounts import LocalAccount
from local.failures import LaunchError

if TYPE_CHECKING:
    import httpx


class Session:
    """A signed-in account; written into a header, or as an httpx client's ``auth``, it is a token that is still young.

    Args:
        sign_in: Returns what the API answers to a sign-in.
        clock: Seconds of any origin.
    """

    def __init__(self, sign_in: Callable[[], dict[str, Any]], clock: Callable[[], float] = time.monotonic) -> None:
        self._sign_in = sign_in
        self._clock = clock
        self._lock = threading.Lock()
        self._token, self._renewed_at = "", float("-inf")

    def __str__(self) -> str:
        with self._lock:
            if self._clock() >= self._renewed_at:
                asked_at = self._clock()
                answer = self._sign_in()
                # What is left of it is enough for any request, a long test or a slow machine.
                self._token, self._renewed_at = str(answer["access_token"]), asked_at + answer["expires_in"] / 3
            return self._token

    def __call__(self, request: httpx.Request) -> httpx.Request:
        """Authorize a request, as httpx asks for it."""
        request.headers["authorization"] = f"Bearer {self}"
        return request


def session(api: str, account: LocalAccount, chain_id: int = 31337) -> Session:
    """Return a session that signs in when it is first used."""

    def ask() -> dict[str, Any]:
        nonce = call(api, "GET", "/api/auth/nonce")["nonce"]
        message = sign_in_message(api, account.address, nonce, chain_id)
        return call(api, "POST", "/api/auth/verify", {"message": message, "signature": sign(message, account)})

    return Session(ask)


def sign_in(api: str, account: LocalAccount) -> str:
    """Return a fresh access token; for arguments see ``session``."""
    return str(session(api, account))


def sign_in_message(api: str, address: str, nonce: str, chain_id: int) -> str:
    """Write the text that the wallet shows and signs."""
    issued_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return (
        f"{urlsplit(api).netloc} wants you to sign in with your Ethereum account:\n{address}\n\n"
        f"Sign in to Slipway.\n\nURI: {api}\nVersion: 1\nChain ID: {chain_id}\nNonce: {nonce}\nIssued At: {issued_at}"
    )


def sign(message: str, account: LocalAccount) -> str:
    """Sign a text (EIP-191); return the signature in hexadecimal."""
    from eth_account import Account  # slow to import
    from eth_account.messages import encode_defunct

    signed = Account.sign_message(encode_defunct(text=message), account.private_key)
    return "0x" + bytes(signed.signature).hex()


def call(
    api: str, method: str, path: str, body: dict[str, Any] | None = None, token: str | None = None
) -> dict[str, Any]:
    """Call the API once.

    Raises:
        LaunchError: It answered with an error; holds the answer.
    """
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(api + path, data=data, headers=headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            content: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        raise LaunchError(f"{method} {path} answered {error.code}: {error.read().decode()[:2000]}") from error
    except OSError as error:
        raise LaunchError(f"{method} {path} did not answer: {error}") from error
    return content
