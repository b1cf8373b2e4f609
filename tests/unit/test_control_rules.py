"""Percentiles, days and spans of the administrator's views."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.control.rules import days_between, percentile, span
from slipway.errors import ValidationFailedError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(st.lists(st.floats(0, 1000), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_least_value_that_enough_lie_under(values: list[float], percent: int) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_a_percentile_of_nothing() -> None:
    assert percentile([], 50) is None
    assert percentile([1, 2, 3, 4], 50) == 2
    assert percentile([1, 2, 3, 4], 95) == 4


def test_days_that_a_span_touches() -> None:
    days = list(days_between(NOON - timedelta(hours=13), NOON, newest_first=True))
    assert days == [date(2026, 3, 1), date(2026, 2, 28)]
    assert list(days_between(NOON, NOON, newest_first=False)) == [date(2026, 3, 1)]


def test_spans_that_make_no_sense_are_refused() -> None:
    assert span(NOON, NOON + timedelta(days=31))
    for since, until in ((NOON, NOON - timedelta(seconds=1)), (NOON, NOON + timedelta(days=32))):
        with pytest.raises(ValidationFailedError):
            span(since, until)
