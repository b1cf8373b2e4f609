"""Pure arithmetic of the metrics summary, and the days that a span of time touches."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from slipway.errors import ValidationFailedError

MAX_DAYS = 31


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the nearest-rank percentile, None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def days_between(since: datetime, until: datetime, *, newest_first: bool) -> Iterator[date]:
    """Yield each day in UTC that the span touches."""
    first, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    count = (last - first).days + 1
    for index in range(count):
        yield last - timedelta(days=index) if newest_first else first + timedelta(days=index)


def span(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Return the span, if it makes sense.

    Raises:
        ValidationFailedError: It ends before it begins, or is longer than 31 days.
    """
    if until < since:
        raise ValidationFailedError.of_field("to", "lies before from")
    if until - since > timedelta(days=MAX_DAYS):
        raise ValidationFailedError.of_field("from", f"lies more than {MAX_DAYS} days before to")
    return since, until
