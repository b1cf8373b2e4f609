"""Points in time as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.times import from_text, now, now_text, to_text

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(MOMENTS, MOMENTS)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    if abs(one - other) > timedelta(milliseconds=1):
        assert (to_text(one) < to_text(other)) is (one < other)


@given(MOMENTS)
def test_text_is_read_back_to_the_millisecond(moment: datetime) -> None:
    assert abs(from_text(to_text(moment)) - moment) < timedelta(milliseconds=1)


def test_text_is_utc_with_milliseconds_and_z() -> None:
    moment = datetime(2026, 11, 21, 5, 20, tzinfo=timezone(timedelta(hours=1)))
    assert to_text(moment) == "2026-11-21T04:20:00.000Z"
    assert abs(from_text(now_text()) - now()) < timedelta(seconds=5)


def test_other_text_is_refused() -> None:
    with pytest.raises(ValueError, match="isoformat"):
        from_text("yesterday")
