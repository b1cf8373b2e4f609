"""Points in time as this API writes them: UTC, ISO 8601, milliseconds, a final Z."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def to_text(moment: datetime) -> str:
    """``2026-11-21T04:20:00.000Z``; text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """The inverse of ``to_text``; raises ValueError for anything that is not ISO 8601."""
    return datetime.fromisoformat(text)


def now_text() -> str:
    """The current time as text."""
    return to_text(now())


def epoch_seconds() -> int:
    """Whole seconds since 1970, as DynamoDB's time to live wants them."""
    return int(time.time())
