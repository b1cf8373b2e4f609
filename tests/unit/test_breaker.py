"""The circuit breaker as a value."""

from hypothesis import given
from hypothesis import strategies as st

from slipway.control.breaker import OPEN_SECONDS, PROBE_SECONDS, WINDOW_SECONDS, Breaker, Decision, Outcome

NOW = 10_000.0


def _told(*outcomes: Outcome, breaker: Breaker | None = None, now: float = NOW) -> Breaker:
    breaker = breaker or Breaker()
    for outcome in outcomes:
        breaker = breaker.after(outcome, now)
    return breaker


def test_it_opens_when_half_of_five_failed() -> None:
    closed = _told(Outcome.SUCCESS, Outcome.SUCCESS, Outcome.FAILURE, Outcome.FAILURE)
    assert closed.decide(NOW) is Decision.ACCEPT
    assert closed.after(Outcome.FAILURE, NOW).decide(NOW) is Decision.REFUSE
    assert closed.after(Outcome.SUCCESS, NOW).decide(NOW) is Decision.ACCEPT


def test_it_does_not_open_for_few_failures() -> None:
    assert _told(*[Outcome.FAILURE] * 4).decide(NOW) is Decision.ACCEPT


def test_it_opens_when_the_chain_is_out_of_reach_three_times_in_a_row() -> None:
    assert _told(*[Outcome.UNREACHABLE] * 2).decide(NOW) is Decision.ACCEPT
    assert _told(*[Outcome.UNREACHABLE] * 3).decide(NOW) is Decision.REFUSE
    between = _told(Outcome.UNREACHABLE, Outcome.UNREACHABLE, Outcome.SUCCESS, Outcome.UNREACHABLE)
    assert between.decide(NOW) is Decision.ACCEPT


def test_old_outcomes_do_not_count() -> None:
    old = _told(*[Outcome.FAILURE] * 4)
    assert old.after(Outcome.FAILURE, NOW + WINDOW_SECONDS).decide(NOW + WINDOW_SECONDS) is Decision.ACCEPT


def test_one_probe_at_a_time_decides_whether_it_closes() -> None:
    opened = _told(*[Outcome.UNREACHABLE] * 3)
    assert opened.decide(NOW + OPEN_SECONDS - 1) is Decision.REFUSE
    later = NOW + OPEN_SECONDS
    assert opened.decide(later) is Decision.PROBE
    probing = opened.probing(later)
    assert probing.decide(later + 1) is Decision.REFUSE
    assert probing.decide(later + PROBE_SECONDS) is Decision.PROBE
    assert probing.after(Outcome.SUCCESS, later + 5).decide(later + 5) is Decision.ACCEPT
    again = probing.after(Outcome.FAILURE, later + 5)
    assert again.decide(later + 6) is Decision.REFUSE
    assert again.decide(later + 5 + OPEN_SECONDS) is Decision.PROBE


@given(st.lists(st.tuples(st.sampled_from(list(Outcome)), st.floats(0, 400)), max_size=30))
def test_it_never_stays_open_for_good_and_says_when_to_come_back(told: list[tuple[Outcome, float]]) -> None:
    breaker, now = Breaker(), NOW
    for outcome, pause in told:
        now += pause
        breaker = breaker.after(outcome, now)
    if breaker.decide(now) is Decision.REFUSE:
        wait = breaker.retry_after(now)
        assert 1 <= wait <= PROBE_SECONDS
        assert breaker.decide(now + wait + 1) is Decision.PROBE
