"""No gap, no repeat, in order: whoever delivers, in whatever order they come, and whoever dies meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.streams.models import Posted
from tests.support.stream_simulation import StreamSimulation

ENDED = ("complete", "failed", "cancelled")
RUNNING = ("pending", "generating", "auditing", "deploying")

_running_then_ended = st.builds(
    lambda running, end: (*running, end), st.lists(st.sampled_from(RUNNING), max_size=6), st.sampled_from(ENDED)
)
# Builds may go on after their end, too: deployments that failed are tried again.
_any = st.lists(st.sampled_from([*RUNNING, *ENDED]), min_size=1, max_size=8).map(tuple)


@st.composite
def histories(draw: st.DrawFn) -> tuple[tuple[str, ...], int, int]:
    """Statuses, how many of them are there before the client, and how many it has seen."""
    statuses = draw(_running_then_ended | _any)
    early = draw(st.integers(0, len(statuses)))
    return statuses, early, draw(st.integers(0, early))


choices = st.lists(st.integers(0, 11), max_size=250)
troubles = st.dictionaries(
    st.integers(1, 8),
    st.sampled_from([(Posted.UNKNOWN, True), (Posted.UNKNOWN, False), (Posted.NOT_SENT, False)]),
    max_size=2,
)


def _assert_delivered_right(simulation: StreamSimulation) -> None:
    last = len(simulation.log)
    # In order, without a gap or a repeat, from where the client wanted it.
    assert simulation.received == list(range(simulation.begin + 1, simulation.begin + 1 + len(simulation.received)))
    if simulation.failed:
        assert simulation.received == []
    elif not simulation.closed:
        # Who is left connected has been told everything, and there is more to come.
        assert simulation.received == list(range(simulation.begin + 1, last + 1))
        assert simulation.log[-1].status not in ENDED


@settings(max_examples=400)
@given(histories(), choices)
def test_everybody_delivers_at_once_and_each_event_is_reported_once(
    history: tuple[tuple[str, ...], int, int], order: list[int]
) -> None:
    simulation = StreamSimulation(*history, order)
    simulation.run()
    _assert_delivered_right(simulation)
    if simulation.closed and not simulation.abandoned:
        # Nothing but the build's end closes it, and a client that comes late is told all that there is first.
        told = simulation.begin + len(simulation.received)
        assert told >= simulation.early
        assert simulation.log[told - 1].status in ENDED


@settings(max_examples=400)
@given(histories(), choices, st.sets(st.integers(0, 120), max_size=3), troubles)
def test_who_dies_leaves_a_stream_that_is_whole_or_closed(
    history: tuple[tuple[str, ...], int, int],
    order: list[int],
    deaths: set[int],
    trouble: dict[int, tuple[Posted, bool]],
) -> None:
    simulation = StreamSimulation(*history, order, frozenset(deaths), trouble)
    simulation.run()
    _assert_delivered_right(simulation)


@pytest.mark.parametrize("step", range(40))
def test_a_deliverer_dies_at_every_step_in_turn(step: int) -> None:
    simulation = StreamSimulation(("pending", "generating", "auditing", "complete"), 1, 0, (), frozenset({step}))
    simulation.run()
    _assert_delivered_right(simulation)
    assert simulation.closed


def test_a_long_history_is_sent_whole_to_who_comes_last() -> None:
    statuses = (*["auditing"] * 10, "complete")
    simulation = StreamSimulation(statuses, len(statuses), 2)
    simulation.run()
    assert simulation.received == list(range(3, 12))
    assert simulation.closed


def test_who_has_seen_the_end_receives_nothing_and_is_closed() -> None:
    simulation = StreamSimulation(("pending", "failed"), 2, 2)
    simulation.run()
    assert simulation.received == []
    assert simulation.closed


def test_a_build_that_went_on_after_its_end_is_reported_to_its_last_end() -> None:
    simulation = StreamSimulation(("pending", "failed", "deploying", "complete"), 3, 0)
    simulation.run()
    assert simulation.received == [1, 2, 3, 4]
    assert simulation.closed


def test_a_post_of_which_nobody_knows_whether_it_arrived_ends_the_connection() -> None:
    simulation = StreamSimulation(("generating", "auditing"), troubles={2: (Posted.UNKNOWN, True)})
    simulation.run()
    assert simulation.closed
    assert simulation.received == [1, 2]


def test_a_post_that_certainly_did_not_arrive_is_tried_again() -> None:
    simulation = StreamSimulation(("generating", "complete"), troubles={1: (Posted.NOT_SENT, False)})
    simulation.run()
    assert simulation.received == [1, 2]
    assert simulation.closed
