"""Points in time as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import ValidationFailedError
from slipway.times import epoch_milliseconds, from_text, now, now_text, optional_moment, parse_moment, to_text

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


def test_a_callers_moment_needs_an_offset() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert optional_moment(None, "from") is None
    assert optional_moment("2026-03-01T12:00:00Z", "from") == noon
    assert parse_moment("2026-03-01T13:00:00+01:00", "from") == noon
    for text in ("", "yesterday", "2026-03-01T12:00:00", "2026-03-01", "9999999999", "2026-13-01T00:00:00Z"):
        with pytest.raises(ValidationFailedError) as caught:
            parse_moment(text, "from")
        assert caught.value.details is not None
        assert caught.value.details["fields"][0]["field"] == "from"


def test_a_callers_moment_lies_in_years_that_can_be_reckoned_with() -> None:
    for text in (
        "0001-01-01T00:00:00+14:00",
        "1999-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
    ):
        with pytest.raises(ValidationFailedError):
            parse_moment(text, "from")


@given(MOMENTS)
def test_milliseconds_since_1970_are_whole_and_exact(moment: datetime) -> None:
    milliseconds = epoch_milliseconds(moment)
    assert timedelta(0) <= moment - datetime(1970, 1, 1, tzinfo=UTC) - timedelta(milliseconds=milliseconds)
    assert moment - datetime(1970, 1, 1, tzinfo=UTC) < timedelta(milliseconds=milliseconds + 1)
    assert epoch_milliseconds(now()) <= epoch_milliseconds()
