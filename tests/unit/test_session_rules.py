"""The rules of sessions, held to a plain reference: any beats, in any order, with flushes at any moment."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from slipway.workers.rules import (
    GAP,
    MINUTE,
    OVERDUE,
    SHARDS,
    Change,
    ObservedRun,
    Session,
    flush_at,
    is_observed,
    newest_session,
    observe,
    place,
    shard_of,
)
from slipway.workers.uptime import uptime
from tests.support.sessions import reference_sessions

NOW = 1_795_235_200_000
DAY = 24 * 60 * MINUTE


@dataclass
class Stored:
    """What the table holds of one worker, changed as the store changes it."""

    records: dict[int, int] = field(default_factory=dict)
    session_start: int | None = None
    last_seen: int | None = None

    def beat(self, at: int) -> Change | None:
        records = [Session(*entry) for entry in sorted(self.records.items())]
        before = next((record for record in reversed(records) if record.time_from <= at), None)
        after = next((record for record in records if record.time_from > at), None)
        change = place(at, self.session_start, self.last_seen, before, after)
        if change is None:
            return None
        for time_from in change.removed:
            del self.records[time_from]
        if change.written:
            self.records[change.written.time_from] = change.written.time_to
        if change.session_start is not None:
            self.session_start = change.session_start
        if change.newest:
            self.last_seen = at
        return change

    def flush(self) -> None:
        if self.session_start is not None and self.last_seen is not None:
            self.records[self.session_start] = self.last_seen
            self.session_start = None

    def sessions(self) -> list[tuple[int, int]]:
        current = newest_session(self.session_start, self.last_seen, NOW)
        return sorted(self.records.items()) + ([(current.time_from, current.time_to)] if current else [])


# Times that lie around each other's edges far more often than chance would have it.
STEPS = st.one_of(
    st.sampled_from([0, 1, 5 * MINUTE, GAP - 1, GAP, GAP + 1, 2 * GAP, 2 * GAP + 1]),
    st.integers(0, 3 * GAP),
)
BEATS = st.lists(STEPS, min_size=1, max_size=30).map(
    lambda steps: [NOW - DAY + sum(steps[: index + 1]) for index in range(len(steps))]
)
FLUSH = None


@given(BEATS, st.randoms(use_true_random=False))
def test_any_order_with_duplicates_and_flushes_gives_what_the_same_beats_give_in_order(
    beats: list[int], chance: random.Random
) -> None:
    stored = Stored()
    events: list[int | None] = [*beats, *chance.choices(beats, k=chance.randrange(5))]
    chance.shuffle(events)
    for _ in range(chance.randrange(6)):
        events.insert(chance.randrange(len(events) + 1), FLUSH)
    sent: list[int] = []
    for event in events:
        if event is FLUSH:
            stored.flush()
        else:
            stored.beat(event)
            sent.append(event)
        assert stored.sessions() == reference_sessions(sent)
        assert stored.last_seen == (max(sent) if sent else None)


@given(BEATS)
def test_in_order_the_newest_session_is_the_open_one(beats: list[int]) -> None:
    stored = Stored()
    for at in beats:
        stored.beat(at)
    assert (stored.session_start, stored.last_seen) == reference_sessions(beats)[-1]
    assert sorted(stored.records.items()) == reference_sessions(beats)[:-1]


@given(BEATS, st.integers(0, 29))
def test_a_beat_inside_a_known_session_changes_nothing(beats: list[int], index: int) -> None:
    stored = Stored()
    for at in beats:
        stored.beat(at)
    for start, end in stored.sessions():
        for at in (start, end, (start + end) // 2):
            assert stored.beat(at) is None


@given(BEATS, st.randoms(use_true_random=False))
def test_only_the_newest_beat_is_reported_as_such(beats: list[int], chance: random.Random) -> None:
    stored, newest = Stored(), -1
    for at in chance.sample(beats, len(beats)):
        change = stored.beat(at)
        assert (change is not None and change.newest) == (at > newest)
        newest = max(newest, at)


def test_one_beat_is_a_session_of_no_length() -> None:
    stored = Stored()
    stored.beat(NOW)
    assert stored.sessions() == [(NOW, NOW)]


def test_thirty_minutes_are_one_session_and_a_millisecond_more_are_two() -> None:
    for gap, count in ((GAP, 1), (GAP + 1, 2)):
        stored = Stored()
        stored.beat(NOW)
        stored.beat(NOW + gap)
        assert len(stored.sessions()) == count


def test_the_newest_session_is_over_when_its_last_beat_is_too_old() -> None:
    assert newest_session(NOW - 10, NOW, NOW + GAP) == Session(NOW - 10, NOW, open=True)
    assert newest_session(NOW - 10, NOW, NOW + GAP + 1) == Session(NOW - 10, NOW, open=False)
    assert newest_session(NOW - 10, NOW, NOW - 5 * MINUTE) == Session(NOW - 10, NOW, open=True)
    assert newest_session(None, NOW, NOW) is None
    assert newest_session(None, None, NOW) is None


@given(st.integers(NOW - DAY, NOW + DAY), st.integers(0, SHARDS - 1), st.integers(-5 * MINUTE, GAP))
def test_who_is_due_is_stale_and_who_is_stale_is_due_within_two_hours(beat: int, shard: int, age: int) -> None:
    due = flush_at(beat, beat + age, shard) * 1000
    assert beat + GAP - 1000 < due <= beat + GAP + 2 * 60 * MINUTE


@given(st.integers(NOW - DAY, NOW), st.integers(0, SHARDS - 1))
def test_a_day_of_beats_moves_a_worker_twelve_times(start: int, shard: int) -> None:
    places = [flush_at(at, at, shard) for at in range(start, start + DAY, 5 * MINUTE)]
    assert len(set(places)) <= 13
    assert places == sorted(places)


def test_a_spool_does_not_move_its_worker() -> None:
    beats = range(NOW - DAY, NOW - GAP, 5 * MINUTE)
    assert {flush_at(at, NOW, 3) for at in beats} == {OVERDUE}
    assert flush_at(NOW - GAP, NOW, 3) > OVERDUE


def test_the_shards_move_at_different_times() -> None:
    edges = {flush_at(NOW, NOW, shard) for shard in range(SHARDS)}
    assert len(edges) == SHARDS


def test_wallets_spread_over_the_shards() -> None:
    chance = random.Random(5)
    counts = [0] * SHARDS
    for _ in range(8000):
        counts[shard_of("0x" + chance.randbytes(20).hex())] += 1
    assert min(counts) > 800


# ── What was observed ───────────────────────────────────────────────────────────────────────────


@given(st.lists(st.tuples(st.integers(0, 3 * GAP), st.integers(-5 * MINUTE, DAY)), min_size=1, max_size=40))
def test_no_invention_of_timestamps_makes_more_uptime_than_the_arrivals(given_beats: list[tuple[int, int]]) -> None:
    """Whatever times beats name, and in whatever order, what counts lies between arrivals at most GAP apart."""
    enrolled = NOW - DAY
    arrivals, runs = [], list[Session]()
    start: int | None = None
    until: int | None = None
    now = enrolled
    for pause, age in given_beats:
        now += pause
        arrivals.append(now)
        if is_observed(min(now - age, now), now):
            run = observe(now, start, until)
            runs += [run.ended] if run.ended else []
            start, until = run.time_from, run.time_to
    present = now + MINUTE
    if newest := newest_session(start, until, present):
        runs.append(newest)
    # Sessions may be anything at all: `percent` does not see them.
    found = uptime(runs, [Session(enrolled - DAY, present + DAY)], enrolled - DAY, present + DAY, enrolled, present)
    really = sum(last - first for first, last in reference_sessions(arrivals))
    assert found.percent is not None
    assert found.percent * (present - enrolled) / 100 <= really
    assert found.percent <= (found.reported_percent or 0)


def test_the_observed_run_goes_on_for_half_an_hour_of_silence() -> None:
    assert observe(NOW, None, None) == ObservedRun(NOW, NOW)
    assert observe(NOW + GAP, NOW - 5, NOW) == ObservedRun(NOW - 5, NOW + GAP)
    assert observe(NOW + GAP + 1, NOW - 5, NOW) == ObservedRun(NOW + GAP + 1, NOW + GAP + 1, Session(NOW - 5, NOW))
    # Two processes' clocks differ by a little.
    assert observe(NOW - 1, NOW - 5, NOW) == ObservedRun(NOW - 5, NOW)


def test_a_beat_is_observed_within_ten_minutes() -> None:
    assert is_observed(NOW - 10 * MINUTE, NOW)
    assert not is_observed(NOW - 10 * MINUTE - 1, NOW)
