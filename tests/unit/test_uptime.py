"""Uptime percentages against a reference that looks at each minute."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import ValidationFailedError
from slipway.times import epoch_milliseconds
from slipway.workers.rules import Session
from slipway.workers.uptime import DAY, Uptime, covered_length, is_reported, overlapping, uptime, window

MINUTE = 60_000
# Two and a half days around a midnight that is not the first.
FIRST, LAST = 20_000 * 1440 - 600, 20_000 * 1440 + 3000


@st.composite
def sessions(draw: st.DrawFn) -> list[Session]:
    """Sessions at least half an hour apart, at whole minutes."""
    found, at = [], FIRST + draw(st.integers(0, 300))
    while at < LAST and draw(st.booleans()):
        until = at + draw(st.one_of(st.just(0), st.integers(0, 90), st.integers(0, 2500)))
        found.append(Session(at * MINUTE, until * MINUTE))
        at = until + draw(st.integers(31, 900))
    return found


MINUTES = st.integers(FIRST - 100, LAST + 100)


def _reference(spans: list[Session], begin: int, end: int, now: int) -> Uptime:
    """Each minute that has passed is up when a session holds both its ends."""
    up: dict[int, int] = {}
    passed: dict[int, int] = {}
    for minute in range(begin, min(end, now)):
        day = minute // 1440
        passed[day] = passed.get(day, 0) + 1
        held = any(s.time_from <= minute * MINUTE and (minute + 1) * MINUTE <= s.time_to for s in spans)
        up[day] = up.get(day, 0) + held
    days = tuple((date(1970, 1, 1) + timedelta(days=day), _cut(up[day], passed[day])) for day in sorted(passed))
    percent = _cut(sum(up.values()), sum(passed.values())) if passed else None
    return Uptime(days, percent, percent)


def _all_observed(spans: Sequence[Session], begin: int, end: int, now: int) -> Uptime:
    """Uptime of a worker of long ago whose sessions were observed whole."""
    return uptime(spans, spans, begin, end, 0, now)


def _cut(part: int, whole: int) -> float:
    return int(100_000 * part / whole + 1e-6) / 1000


@given(sessions(), MINUTES, st.integers(1, 3000), MINUTES)
def test_percentages_are_those_of_each_minute(spans: list[Session], begin: int, length: int, now: int) -> None:
    begin_ms, end_ms = begin * MINUTE, (begin + length) * MINUTE
    found = _all_observed(overlapping(spans, None, begin_ms, end_ms), begin_ms, end_ms, now * MINUTE)
    assert found == _reference(spans, begin, begin + length, now)


@given(sessions(), MINUTES, st.integers(1, 3000))
def test_what_lies_outside_the_window_changes_nothing(spans: list[Session], begin: int, length: int) -> None:
    begin_ms, end_ms = begin * MINUTE, (begin + length) * MINUTE
    chosen = overlapping(spans, None, begin_ms, end_ms)
    assert _all_observed(chosen, begin_ms, end_ms, end_ms) == _all_observed(spans, begin_ms, end_ms, end_ms)
    for span in spans:
        touches = span.time_from < end_ms and span.time_to >= begin_ms
        assert (span in chosen) is touches


@given(sessions(), st.integers(0, 5))
def test_an_open_session_counts_up_to_its_last_beat(spans: list[Session], closed: int) -> None:
    begin, end = FIRST * MINUTE, (LAST + 4000) * MINUTE
    records, session = spans[:-1], spans[-1] if spans else None
    still_open = Session(session.time_from, session.time_to, open=True) if session else None
    found = overlapping(records, still_open, begin, end)
    assert [(span.time_from, span.time_to) for span in found] == [(span.time_from, span.time_to) for span in spans]
    assert [span.open for span in found] == [False] * len(records) + [True] * bool(session)
    assert _all_observed(found, begin, end, end) == _all_observed(spans, begin, end, end)


def test_a_session_that_was_closed_between_two_reads_is_reported_once() -> None:
    record, stale_view = Session(1000, 9000), Session(1000, 5000, open=True)
    assert overlapping([record], stale_view, 0, 10_000) == [record]


@given(st.integers(1, 400 * DAY), st.integers(1, 400 * DAY))
def test_a_hundred_is_only_said_of_what_is_covered_whole(length: int, missing: int) -> None:
    begin = 20_000 * DAY
    assert _all_observed([Session(begin, begin + length)], begin, begin + length, begin + length).percent == 100
    short = _all_observed(
        [Session(begin, begin + length - min(missing, length))], begin, begin + length, begin + length
    )
    assert short.percent is not None
    assert 0 <= short.percent < 100


def test_the_future_has_no_percentage() -> None:
    begin = 20_000 * DAY
    assert _all_observed([], begin, begin + DAY, begin) == Uptime((), None, None)
    half = _all_observed([Session(begin, begin + DAY // 2)], begin, begin + 3 * DAY, begin + DAY // 2)
    assert half == Uptime(((date(2024, 10, 4), 100.0),), 100.0, 100.0)


NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_window_is_the_last_week_by_default() -> None:
    begin, end = window(None, None, NOW)
    assert (end - begin, end) == (7 * DAY, epoch_milliseconds(NOW))
    begin, end = window(None, NOW - timedelta(days=30), NOW)
    assert (end - begin, end) == (7 * DAY, epoch_milliseconds(NOW) - 30 * DAY)
    assert window(NOW - timedelta(days=366), None, NOW)[1] == epoch_milliseconds(NOW)


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        (NOW, NOW, "to"),
        (NOW + timedelta(milliseconds=1), NOW, "to"),
        (NOW + timedelta(days=1), None, "to"),
        (NOW - timedelta(days=366, milliseconds=1), NOW, "from"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(since: datetime, until: datetime | None, field: str) -> None:
    with pytest.raises(ValidationFailedError) as refused:
        window(since, until, NOW)
    assert refused.value.details == {"fields": [{"field": field, "message": refused.value.message.split(": ", 1)[1]}]}


@given(sessions(), st.randoms(use_true_random=False), MINUTES, st.integers(1, 3000), MINUTES)
def test_observed_and_reported_are_those_of_each_minute_since_the_enrolment(
    spans: list[Session], chance: random.Random, begin: int, length: int, enrolled: int
) -> None:
    end = begin + length
    observed = [part for span in spans if (part := _part(span, chance))]
    found = uptime(observed, spans, begin * MINUTE, end * MINUTE, enrolled * MINUTE, end * MINUTE)
    whole = _reference(observed, max(begin, enrolled), end, end)
    assert found.percent == whole.percent
    assert [day for day in found.days if day[1] is not None] == list(whole.days)
    assert found.reported_percent == _reference(spans, max(begin, enrolled), end, end).percent
    assert len(found.days) == len(_reference([], begin, end, end).days)


def _part(span: Session, chance: random.Random) -> Session | None:
    first, last = sorted(chance.randint(span.time_from // MINUTE, span.time_to // MINUTE) for _ in range(2))
    return Session(first * MINUTE, last * MINUTE) if chance.random() < 0.8 else None


@given(sessions())
def test_a_session_is_reported_when_more_than_ten_minutes_of_it_were_not_seen(spans: list[Session]) -> None:
    for span in spans:
        assert is_reported(span, [])
        assert not is_reported(span, spans)
        # A beat may be on its way for ten minutes, and a session is that of one beat at least.
        assert not is_reported(span, [Session(span.time_from + 10 * MINUTE, span.time_to + 10 * MINUTE)])
        assert is_reported(Session(span.time_from - 10 * MINUTE - 1, span.time_to), [span])


def test_spans_that_overlap_count_once() -> None:
    spans = [Session(50, 90), Session(0, 60), Session(10, 20), Session(95, 200)]
    assert covered_length(spans, 5, 100) == 90
