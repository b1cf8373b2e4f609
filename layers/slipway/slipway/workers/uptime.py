"""How much of a time a worker was up: pure arithmetic over its sessions, in milliseconds since 1970 unless said."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from slipway.errors import ValidationFailedError
from slipway.times import epoch_milliseconds, parse_moment
from slipway.workers.rules import HEALTHY_WITHIN, Session

MAX_DAYS = 366
DEFAULT_DAYS = 7
DAY = 86_400_000
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# Percentages are cut, not rounded, after so many thousandths, so 100 is only said of a time that is covered whole.
_THOUSANDTHS = 1000


@dataclass(frozen=True)
class Uptime:
    """Percentages of the time that has passed since the enrolment: for each UTC day that has begun, and for all of it.

    ``percent`` is what was observed, ``reported_percent`` what was observed or reported. Both are None when nothing of
    the window counts, and a day is None when it was over before the enrolment.
    """

    days: tuple[tuple[date, float | None], ...]
    percent: float | None
    reported_percent: float | None


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
    if until - since > timedelta(days=MAX_DAYS):
        raise ValidationFailedError.of_field("from", f"lies more than {MAX_DAYS} days before to")
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


def uptime(
    observed: Sequence[Session], sessions: Sequence[Session], begin: int, end: int, enrolled: int, now: int
) -> Uptime:
    """Compute how much of a window a worker was up.

    Args:
        observed: Runs of observed beats; like the sessions, they may reach over the window's edges.
        sessions: From all beats; none overlaps another.
        begin: Where the window begins.
        end: Where it ends.
        enrolled: When the worker was enrolled; what comes before it counts for nothing.
        now: The present; what comes after it has not passed and counts for nothing.
    """
    since, passed = max(begin, enrolled), min(end, now)
    covered: dict[int, int] = {}
    for session in observed:
        for day, length in _by_day(max(session.time_from, since), min(session.time_to, passed)):
            covered[day] = covered.get(day, 0) + length
    counting = dict(_by_day(since, passed))
    days = tuple(
        (_date(day), _percent(covered.get(day, 0), counting[day]) if day in counting else None)
        for day, _ in _by_day(begin, passed)
    )
    whole = passed - since
    if whole <= 0:
        return Uptime(days, None, None)
    reported = covered_length([*observed, *sessions], since, passed)
    return Uptime(days, _percent(sum(covered.values()), whole), _percent(reported, whole))


def covered_length(spans: Iterable[Session], begin: int, end: int) -> int:
    """Return how much of ``[begin, end]`` lies within any of the spans."""
    covered = 0
    for span in sorted(spans, key=lambda one: one.time_from):
        first, last = max(span.time_from, begin), min(span.time_to, end)
        if last > first:
            covered += last - first
            begin = last
    return covered


def is_reported(session: Session, observed: Iterable[Session]) -> bool:
    """Return whether more of a session was reported than an observed beat may be on its way.

    A session without any observed beat was reported, however short it is.
    """
    near = [run for run in observed if _meet(run, session.time_from, session.time_to + HEALTHY_WITHIN + 1)]
    length = session.time_to - session.time_from
    return not near or length - covered_length(near, session.time_from, session.time_to) > HEALTHY_WITHIN


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
