"""How much of a time a worker was up: pure arithmetic over its sessions, in milliseconds since 1970 unless said."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from slipway.errors import ValidationFailedError
from slipway.times import epoch_milliseconds, parse_moment
from slipway.workers.rules import Session

MOST_DAYS = 366
DEFAULT_DAYS = 7
DAY = 86_400_000
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# Percentages are cut, not rounded, after so many thousandths, so 100 is only said of a time that is covered whole.
_THOUSANDTHS = 1000


@dataclass(frozen=True)
class Uptime:
    """Percentages of the time that has passed: for each UTC day that has begun, and for all of it.

    ``percent`` is None when nothing of the window has passed.
    """

    days: tuple[tuple[date, float], ...]
    percent: float | None


def parse_edge(text: str | None, field: str) -> datetime | None:
    """Read an edge of a window as a caller gives it: a moment, or a date for its first moment in UTC.

    Raises:
        ValidationFailedError: Neither; names ``field``.
    """
    if text is None:
        return None
    if _DATE.fullmatch(text):
        text += "T00:00:00Z"
    return parse_moment(text, field)


def window(since: datetime | None, until: datetime | None, now: datetime) -> tuple[int, int]:
    """Return the window that a caller asks for; by default the last seven days.

    Raises:
        ValidationFailedError: It ends before it begins, is empty, or is longer than 366 days.
    """
    until = until or now
    since = since or until - timedelta(days=DEFAULT_DAYS)
    if since >= until:
        raise ValidationFailedError.of_field("to", "must lie after from")
    if until - since > timedelta(days=MOST_DAYS):
        raise ValidationFailedError.of_field("from", f"lies more than {MOST_DAYS} days before to")
    return epoch_milliseconds(since), epoch_milliseconds(until)


def overlapping(records: Iterable[Session], newest: Session | None, begin: int, end: int) -> list[Session]:
    """Return the sessions that have a moment in ``[begin, end)``, whole, in order.

    The newest one may become a record, or be joined to an older one, between the read of the worker and that of its
    records, so it is left out when a record has it already.
    """
    sessions = list(records)
    if newest and not any(_meet(record, newest.time_from, newest.time_to + 1) for record in sessions):
        sessions.append(newest)
    return sorted(
        (session for session in sessions if _meet(session, begin, end)), key=lambda session: session.time_from
    )


def _meet(session: Session, begin: int, end: int) -> bool:
    return session.time_from < end and session.time_to >= begin


def uptime(sessions: Sequence[Session], begin: int, end: int, now: int) -> Uptime:
    """Compute how much of a window the sessions cover.

    Args:
        sessions: May reach over the window's edges; none overlaps another.
        begin: Where the window begins.
        end: Where it ends.
        now: The present; what comes after it has not passed and counts for nothing.
    """
    passed = min(end, now)
    covered: dict[int, int] = {}
    for session in sessions:
        for day, length in _by_day(max(session.time_from, begin), min(session.time_to, passed)):
            covered[day] = covered.get(day, 0) + length
    days = tuple((_date(day), _percent(covered.get(day, 0), length)) for day, length in _by_day(begin, passed))
    return Uptime(days, _percent(sum(covered.values()), passed - begin) if passed > begin else None)


def _by_day(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield each UTC day, as days since 1970, with how much of it lies between; nothing when ``end`` is not later."""
    while begin < end:
        day = begin // DAY
        until = min(end, (day + 1) * DAY)
        yield day, until - begin
        begin = until


def _percent(part: int, whole: int) -> float:
    return part * 100 * _THOUSANDTHS // whole / _THOUSANDTHS


def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=day)
