"""Sign-in nonces. Key in the control table: ``SIGN_IN_NONCE#<nonce>`` / ``NONCE``."""

import secrets
import string
import time

from pynamodb.attributes import NumberAttribute

from slipway.errors import AuthenticationFailedError
from slipway.store import ControlItem, delete_if, read_item, upstream_errors
from slipway.times import Clock, epoch_seconds

NONCE_SECONDS = 300
# EIP-4361 asks for at least eight letters and digits; twenty-two carry 128 bits.
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 22


class SignInNonce(ControlItem):
    """A nonce that was handed out and not used yet. DynamoDB deletes it some time after ``expires_at``."""

    expires_at = NumberAttribute()


def _key(nonce: str) -> tuple[str, str]:
    return f"SIGN_IN_NONCE#{nonce}", "NONCE"


def issue_nonce(clock: Clock = time) -> str:
    """Hand out a new nonce."""
    nonce = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    with upstream_errors():
        SignInNonce(*_key(nonce), expires_at=epoch_seconds(clock) + NONCE_SECONDS).save()
    return nonce


def require_nonce(nonce: str, clock: Clock = time) -> None:
    """Refuse a nonce that can't be used up; raises as ``use_nonce``, and changes nothing."""
    found = read_item(SignInNonce, _key(nonce))
    if found is None or found.expires_at <= epoch_seconds(clock):
        raise _refusal()


def _refusal() -> AuthenticationFailedError:
    return AuthenticationFailedError("The sign-in nonce is unknown, used or expired")


def use_nonce(nonce: str, clock: Clock = time) -> None:
    """Use a nonce up, in one conditional delete.

    Raises:
        AuthenticationFailedError: It was never handed out, is used, or has expired.
    """
    if not delete_if(SignInNonce(*_key(nonce)), SignInNonce.expires_at > epoch_seconds(clock)):
        raise _refusal()
