"""How S3 fails, as callers and state machines know it."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from slipway.errors import UpstreamUnavailableError

# What S3 says of an object that is not there.
GONE = frozenset({"NoSuchKey", "404"})


@contextmanager
def object_errors(what: str) -> Iterator[None]:
    """Turn a failing bucket into ``UpstreamUnavailableError``."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        message = f"{what} did not answer: {type(error).__name__}"
        raise UpstreamUnavailableError(message, retry_after=2) from error


def object_error_code(error: UpstreamUnavailableError) -> str | None:
    """Return S3's own code of an error that ``object_errors`` raised; None when S3 did not answer at all."""
    cause = error.__cause__
    return str(cause.response["Error"]["Code"]) if isinstance(cause, ClientError) else None
