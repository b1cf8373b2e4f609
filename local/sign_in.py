"""Signs in with Ethereum (EIP-4361), as a wallet and a frontend do it together."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from local.accounts import LocalAccount
from local.failures import LaunchError


def sign_in(api: str, account: LocalAccount, chain_id: int = 31337) -> str:
    """A fresh access token.

    Args:
        api: The API's address.
        account: Who signs in.
        chain_id: The chain that the message names.
    """
    nonce = call(api, "GET", "/api/auth/nonce")["nonce"]
    message = sign_in_message(api, account.address, nonce, chain_id)
    answer = call(api, "POST", "/api/auth/verify", {"message": message, "signature": sign(message, account)})
    return str(answer["access_token"])


def sign_in_message(api: str, address: str, nonce: str, chain_id: int) -> str:
    """The text that the wallet shows and signs."""
    issued_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return (
        f"{urlsplit(api).netloc} wants you to sign in with your Ethereum account:\n{address}\n\n"
        f"Sign in to Slipway.\n\nURI: {api}\nVersion: 1\nChain ID: {chain_id}\nNonce: {nonce}\nIssued At: {issued_at}"
    )


def sign(message: str, account: LocalAccount) -> str:
    """A personal signature (EIP-191), in hexadecimal."""
    from eth_account import Account  # slow to import
    from eth_account.messages import encode_defunct

    signed = Account.sign_message(encode_defunct(text=message), account.private_key)
    return "0x" + bytes(signed.signature).hex()


def call(
    api: str, method: str, path: str, body: dict[str, Any] | None = None, token: str | None = None
) -> dict[str, Any]:
    """One call of the API.

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
