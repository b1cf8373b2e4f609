"""Sliding windows over accepted requests, held to a plain count."""

from hypothesis import given
from hypothesis import strategies as st

from slipway.limits.rules import Allowance, Window, allowance
from slipway.limits.store import refusal_of

HOUR = 3_600_000
NOW = 1_000_000_000_000


@given(
    st.lists(st.integers(1, 100_000_000), max_size=30, unique=True),
    st.integers(1, 10),
    st.integers(1, 20),
)
def test_what_is_left_is_the_tightest_window(ages: list[int], hourly: int, daily: int) -> None:
    times = sorted((NOW - age for age in ages), reverse=True)
    found = allowance(times, [Window(hourly, 3600), Window(daily, 86400)], NOW)
    left = min(
        max(0, hourly - sum(age < HOUR for age in ages)),
        max(0, daily - sum(age < 24 * HOUR for age in ages)),
    )
    assert found.remaining == left


def test_it_says_when_the_next_one_is_allowed() -> None:
    window = [Window(2, 3600)]
    times = [NOW - 1000, NOW - HOUR + 5000]
    assert allowance(times, window, NOW) == Allowance(limit=2, remaining=0, reset_seconds=5)
    assert allowance(times, window, NOW + 4999).remaining == 0
    assert allowance(times, window, NOW + 5000).remaining == 1


def test_of_two_windows_that_are_used_up_the_longer_wait_counts() -> None:
    times = [NOW - 1000, NOW - 2000]
    found = allowance(times, [Window(2, 3600), Window(2, 86400)], NOW)
    assert found.reset_seconds > 3600


def test_an_allowance_that_is_used_up_becomes_a_refusal_with_headers() -> None:
    assert refusal_of(Allowance(5, 1, 10)) is None
    refused = refusal_of(Allowance(5, 0, 10))
    assert refused is not None
    assert refused.message == "No more than 5 an hour are allowed; try again in 10 s"
    daily = refusal_of(Allowance(20, 0, 10, 86400))
    assert daily is not None
    assert daily.message.startswith("No more than 20 a day are allowed")
    assert (refused.code, refused.status, refused.retry_after) == ("RATE_LIMIT_EXCEEDED", 429, 10)
    assert refused.headers == {"ratelimit-limit": "5", "ratelimit-remaining": "0", "ratelimit-reset": "10"}
