"""Sign-In with Ethereum (EIP-4361): what a signed message must say before its wallet is authenticated."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import siwe  # type: ignore[import-untyped]

from slipway.addresses import to_checksum
from slipway.errors import AuthenticationFailedError

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
# How far ahead of ours a wallet's clock may be.
_CLOCK_SKEW_SECONDS = 300


def _parse(message: str) -> siwe.SiweMessage:
    try:
        return siwe.SiweMessage.from_message(message)
    except Exception as error:  # the parser's grammar library raises several unrelated kinds
        raise AuthenticationFailedError("The message is not a valid Sign-In with Ethereum message") from error


def _require_canonical(signature: str) -> None:
    # Every signature has a twin with n - s that recovers to the same account; only one of them is accepted (EIP-2).
    s, v = int(signature[66:130], 16), int(signature[130:132], 16)
    if not 0 < s <= _HALF_ORDER or v not in (27, 28):
        raise AuthenticationFailedError("The signature is not in canonical form (low s, v 27 or 28)")


def verified_wallet(message: str, signature: str, domains: tuple[str, ...]) -> tuple[str, str]:
    """Return the wallet that signed the message, and the message's nonce.

    Args:
        message: The text that the wallet showed its owner.
        signature: 65 bytes in hexadecimal.
        domains: Hosts (with port, where there is one) that may ask for sign-ins.

    Returns:
        The wallet in EIP-55 form and the message's nonce, which is still to be used up.

    Raises:
        AuthenticationFailedError: The message is malformed, for another domain, out of its time, or not signed by the
            wallet that it names.
    """
    parsed = _parse(message)
    domain = str(parsed.domain)
    if domain not in domains or urlsplit(str(parsed.uri)).netloc not in domains:
        raise AuthenticationFailedError("The message was made for another domain")
    _require_canonical(signature)
    now = datetime.now(UTC)
    try:
        parsed.verify(signature, scheme=None, domain=domain, timestamp=now)
        issued_at = datetime.fromisoformat(str(parsed.issued_at))
    except Exception as error:  # besides its own, siwe lets through what the curve's libraries raise
        raise AuthenticationFailedError(f"The sign-in message was refused: {type(error).__name__}") from error
    if (issued_at - now).total_seconds() > _CLOCK_SKEW_SECONDS:
        raise AuthenticationFailedError("The message was issued in the future")
    return to_checksum(str(parsed.address)), str(parsed.nonce)
