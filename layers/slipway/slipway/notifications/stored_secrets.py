"""Webhooks' secrets as they are stored: encrypted by Fernet under a key that AWS Secrets Manager keeps.

The secret holds texts, one a line, of which keys are made: the first encrypts, all decrypt. So a key is rotated by a
new first line.
"""

import base64
import hashlib
from typing import TYPE_CHECKING

from slipway.errors import UpstreamUnavailableError
from slipway.secret_values import secret_text
from slipway.settings import webhook_key_secret

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


def encrypted(secret: str) -> str:
    """Return a secret as it is stored; raises UpstreamUnavailableError."""
    return _keys().encrypt(secret.encode()).decode()


def decrypted(stored: str) -> str:
    """Return a stored secret.

    Raises:
        UpstreamUnavailableError: Secrets Manager did not answer, or has the secret's key no more.
    """
    from cryptography.fernet import InvalidToken

    try:
        return _keys().decrypt(stored).decode()
    except InvalidToken as error:
        raise UpstreamUnavailableError("A webhook's secret was encrypted under a key that is gone") from error


def _keys() -> "MultiFernet":
    # Imported here because few requests need it.
    from cryptography.fernet import Fernet, MultiFernet

    lines = secret_text(webhook_key_secret()).splitlines()
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(line.encode()).digest())) for line in lines])
