"""Points in time as this API writes them: UTC, ISO 8601, milliseconds, a final Z."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from slipway.errors import ValidationFailedError

_FIRST_YEAR, _LAST_YEAR = 2000, 2199
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Clock(Protocol):
    """What gives and passes the time: the module ``time``, or a test's own."""

    def time(self) -> float:
        """Return seconds since 1970."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""

    def sleep(self, seconds: float, /) -> None:
        """Let so many seconds pass."""


def now(clock: Clock = time) -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.fromtimestamp(clock.time(), UTC)


def to_text(moment: datetime) -> str:
    """Write a moment as ``2026-11-21T04:20:00.000Z``; text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Read what ``to_text`` writes; raises ValueError for anything that is not ISO 8601."""
    return datetime.fromisoformat(text)


def epoch_text(seconds: float) -> str:
    """Write seconds since 1970, as chains give the time, as text."""
    return to_text(datetime.fromtimestamp(seconds, UTC))


def now_text(clock: Clock = time) -> str:
    """Return the current time as text."""
    return to_text(now(clock))


def epoch_seconds(clock: Clock = time) -> int:
    """Return whole seconds since 1970, as DynamoDB's time to live wants them."""
    return int(clock.time())


def epoch_milliseconds(moment: datetime | None = None) -> int:
    """Return whole milliseconds from 1970 to a moment, now by default."""
    return (moment - _EPOCH) // _MILLISECOND if moment else time.time_ns() // 1_000_000


def of_milliseconds(milliseconds: int) -> datetime:
    """Return the moment of so many milliseconds since 1970."""
    return _EPOCH + milliseconds * _MILLISECOND


def parse_moment(text: str, field: str) -> datetime:
    """Read a moment that a caller gave.

    Raises:
        ValidationFailedError: Not ISO 8601 with an offset or Z, or outside the years 2000 to 2199; names ``field``.
    """
    try:
        moment = from_text(text)
    except ValueError as error:
        raise ValidationFailedError.of_field(field, "must be a time in ISO 8601") from error
    if moment.tzinfo is None:
        raise ValidationFailedError.of_field(field, "must name its offset, or end in Z")
    # Before and after that, arithmetic leaves the calendar.
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValidationFailedError.of_field(field, f"must lie in the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return moment


def optional_moment(text: str | None, field: str) -> datetime | None:
    """Read a moment that may be left out."""
    return None if text is None else parse_moment(text, field)
