"""Secrets that the installation keeps in AWS Secrets Manager."""

import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from slipway.errors import UpstreamUnavailableError
from slipway.store import aws_client
from slipway.times import Clock

# A key that was rotated is used within this time by functions that stay warm.
_TTL_SECONDS = 300.0

_kept: dict[str, tuple[float, str]] = {}
_lock = threading.Lock()


def secret_text(arn: str, clock: Clock = time) -> str:
    """Return the text of a secret, kept in this process for five minutes.

    Raises:
        UpstreamUnavailableError: Secrets Manager did not answer, or has no such secret for us.
    """
    with _lock:
        found = _kept.get(arn)
        if found and clock.monotonic() - found[0] < _TTL_SECONDS:
            return found[1]
        try:
            text = str(aws_client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]).strip()
        except (ClientError, BotoCoreError, KeyError) as error:
            raise UpstreamUnavailableError(f"A secret can't be read: {type(error).__name__}", retry_after=5) from error
        _kept[arn] = (clock.monotonic(), text)
        return text
