"""Sign-In with Ethereum (EIP-4361): what a signed message must say before its wallet is authenticated.

The grammar's library needs time that grows with the square of a line. So the first line is compared with the domains
that may ask for sign-ins before anything is parsed, and every line is bounded.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

import siwe  # type: ignore[import-untyped]
from eth_account import Account
from eth_account.messages import defunct_hash_message, encode_defunct

from slipway.addresses import to_checksum
from slipway.errors import AuthenticationFailedError
from slipway.identity.rules import is_domain_of
from slipway.times import Clock, now

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
# 65 bytes r, s, v as 0x and hexadecimal digits.
_SIGNATURE_CHARACTERS = 132
# How far a wallet's clock may be from ours.
_CLOCK_SKEW = timedelta(minutes=5)
_OLDEST = timedelta(hours=24)
_FIRST_LINE = " wants you to sign in with your Ethereum account:"
_SCHEMES = ("https", "http")
_MAX_LINE = 512
_MAX_LINES = 40


@dataclass(frozen=True)
class SignedMessage:
    """A message that says what it must, signed by something else than its wallet's own key.

    Attributes:
        wallet: In EIP-55 form.
        nonce: Still to be used up.
        chain_id: Of the chain that the wallet's contract is on.
        digest: Of the message (EIP-191).
        signature: What the contract is to judge.
    """

    wallet: str
    nonce: str
    chain_id: int
    digest: bytes
    signature: bytes


class SignIn(NamedTuple):
    """What a message proves: its wallet in EIP-55 form, the nonce that is still to be used up, and its domain."""

    wallet: str
    nonce: str
    domain: str


# Says whether a contract wallet takes a signature.
type ContractWallets = Callable[[SignedMessage], bool]


def _domain_of(message: str, domains: Collection[str]) -> str:
    """Return the domain that the first line names.

    Raises:
        AuthenticationFailedError: It is no sign-in message, has a line beyond the bound, or is for another domain.
    """
    lines = message.split("\n", _MAX_LINES)
    first, found, rest = lines[0].partition(_FIRST_LINE)
    if not found or rest or len(lines) > _MAX_LINES or any(len(line) > _MAX_LINE for line in lines):
        raise AuthenticationFailedError("The message is not a valid Sign-In with Ethereum message")
    scheme, separator, authority = first.rpartition("://")
    if not is_domain_of(domains, authority) or (separator and scheme not in _SCHEMES):
        raise AuthenticationFailedError("The message was made for another domain")
    return authority


def _parse(message: str) -> siwe.SiweMessage:
    try:
        return siwe.SiweMessage.from_message(message)
    except Exception as error:  # the parser's grammar library raises several unrelated kinds
        raise AuthenticationFailedError("The message is not a valid Sign-In with Ethereum message") from error


def _judge_times(parsed: siwe.SiweMessage, now: datetime) -> None:
    def moment(text: str | None) -> datetime | None:
        return datetime.fromisoformat(str(text)) if text else None

    try:
        issued = moment(parsed.issued_at)
        expires, not_before = moment(parsed.expiration_time), moment(parsed.not_before)
        if issued is None or issued > now + _CLOCK_SKEW:
            raise AuthenticationFailedError("The message was issued in the future")
        if issued < now - _OLDEST:
            raise AuthenticationFailedError("The message was issued more than 24 hours ago; make a new one")
        if expires and expires <= now:
            raise AuthenticationFailedError("The sign-in message was refused: ExpiredMessage")
        if not_before and not_before > now + _CLOCK_SKEW:
            raise AuthenticationFailedError("The sign-in message was refused: NotYetValidMessage")
    except (ValueError, TypeError, OverflowError) as error:  # a time without a zone, or of no calendar
        raise AuthenticationFailedError("The message is not a valid Sign-In with Ethereum message") from error


def _recovers_to(wallet: str, message: str, signature: str) -> bool:
    """Return whether the wallet's own key made the signature.

    Raises:
        AuthenticationFailedError: The signature is the twin of a canonical one.
    """
    s, v = int(signature[66:130], 16), int(signature[130:132], 16)
    if v not in (0, 1, 27, 28):
        return False
    try:
        recovered = Account.recover_message(encode_defunct(text=message), signature=signature)
    except Exception:  # the curve's libraries raise several unrelated kinds for what is no point
        return False
    if recovered != wallet:
        return False
    # Every signature has a twin with n - s that recovers to the same account; only one of them is accepted (EIP-2).
    if not 0 < s <= _HALF_ORDER:
        raise AuthenticationFailedError("The signature is not in canonical form (low s)")
    return True


def verified_wallet(
    message: str,
    signature: str,
    domains: Collection[str],
    chains: Collection[int],
    contract_wallets: ContractWallets,
    clock: Clock = time,
) -> SignIn:
    """Return what the message proves.

    Args:
        message: The text that the wallet showed its owner.
        signature: In hexadecimal: 65 bytes of the wallet's key, or what a contract wallet takes.
        domains: Hosts (with port, where there is one) that may ask for sign-ins; ``*`` stands for any port.
        chains: Ids of the chains that a message may be bound to.
        contract_wallets: Asked only when the wallet's own key did not make the signature.
        clock: Gives the time.

    Raises:
        AuthenticationFailedError: The message is malformed, for another domain or chain, out of its time, or not signed
            by the wallet that it names.
        UpstreamUnavailableError: The wallet's chain did not answer.
    """
    domain = _domain_of(message, domains)
    parsed = _parse(message)
    target = urlsplit(str(parsed.uri))
    if target.scheme not in _SCHEMES or not is_domain_of(domains, target.netloc):
        raise AuthenticationFailedError("The message was made for another domain")
    if parsed.chain_id not in chains:
        raise AuthenticationFailedError(f"The message is bound to chain {parsed.chain_id}, which is not served here")
    _judge_times(parsed, now(clock))
    wallet, nonce = to_checksum(str(parsed.address)), str(parsed.nonce)
    if len(signature) == _SIGNATURE_CHARACTERS and _recovers_to(wallet, message, signature):
        return SignIn(wallet, nonce, domain)
    digest = bytes(defunct_hash_message(text=message))
    if not contract_wallets(SignedMessage(wallet, nonce, int(parsed.chain_id), digest, bytes.fromhex(signature[2:]))):
        raise AuthenticationFailedError("The sign-in message was refused: InvalidSignature")
    return SignIn(wallet, nonce, domain)
