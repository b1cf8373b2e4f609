"""No gap, no repeat, in order: whoever delivers, in whatever order they come, and whoever dies meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.streams.models import Posted
from tests.support.stream_world import World

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


def _told_right(world: World) -> None:
    last = len(world.log)
    # In order, without a gap or a repeat, from where the client wanted it.
    assert world.received == list(range(world.begin + 1, world.begin + 1 + len(world.received)))
    if world.failed:
        assert world.received == []
    elif not world.closed:
        # Who is left connected has been told everything, and there is more to come.
        assert world.received == list(range(world.begin + 1, last + 1))
        assert world.log[-1].status not in ENDED


@settings(max_examples=400)
@given(histories(), choices)
def test_everybody_delivers_at_once_and_each_event_is_told_once(
    history: tuple[tuple[str, ...], int, int], order: list[int]
) -> None:
    world = World(*history, order)
    world.run()
    _told_right(world)
    if world.closed and not world.abandoned:
        # Nothing but the build's end closes it, and a client that comes late is told all that there is first.
        told = world.begin + len(world.received)
        assert told >= world.early
        assert world.log[told - 1].status in ENDED


@settings(max_examples=400)
@given(histories(), choices, st.sets(st.integers(0, 120), max_size=3), troubles)
def test_who_dies_leaves_a_stream_that_is_whole_or_closed(
    history: tuple[tuple[str, ...], int, int],
    order: list[int],
    deaths: set[int],
    trouble: dict[int, tuple[Posted, bool]],
) -> None:
    world = World(*history, order, frozenset(deaths), trouble)
    world.run()
    _told_right(world)


@pytest.mark.parametrize("step", range(40))
def test_a_deliverer_dies_at_every_step_in_turn(step: int) -> None:
    world = World(("pending", "generating", "auditing", "complete"), 1, 0, (), frozenset({step}))
    world.run()
    _told_right(world)
    assert world.closed


def test_a_long_history_is_told_whole_to_who_comes_last() -> None:
    statuses = (*["auditing"] * 10, "complete")
    world = World(statuses, len(statuses), 2)
    world.run()
    assert world.received == list(range(3, 12))
    assert world.closed


def test_who_has_seen_the_end_is_told_nothing_and_closed() -> None:
    world = World(("pending", "failed"), 2, 2)
    world.run()
    assert world.received == []
    assert world.closed


def test_a_build_that_went_on_after_its_end_is_told_to_its_last_end() -> None:
    world = World(("pending", "failed", "deploying", "complete"), 3, 0)
    world.run()
    assert world.received == [1, 2, 3, 4]
    assert world.closed


def test_a_post_of_which_nobody_knows_whether_it_arrived_ends_the_connection() -> None:
    world = World(("generating", "auditing"), troubles={2: (Posted.UNKNOWN, True)})
    world.run()
    assert world.closed
    assert world.received == [1, 2]


def test_a_post_that_certainly_did_not_arrive_is_tried_again() -> None:
    world = World(("generating", "complete"), troubles={1: (Posted.NOT_SENT, False)})
    world.run()
    assert world.received == [1, 2]
    assert world.closed
