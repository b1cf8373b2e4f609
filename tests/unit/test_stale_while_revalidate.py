"""The cache of upstream's answers: who asks upstream, who gets a stale entry, and how long anybody waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from slipway.akash.stale_while_revalidate import (
    CLAIM_SECONDS,
    DIRECT_SECONDS,
    CacheEntry,
    Origin,
    read_through,
    revalidate,
)
from slipway.errors import UpstreamUnavailableError


@dataclass
class FakeCache:
    """A cache in memory; ``arrives`` puts an entry into it after so many reads."""

    entry: CacheEntry[str] | None = None
    claimed_until: float | None = None
    arrives: tuple[int, CacheEntry[str]] | None = None
    reads: int = 0

    def read(self) -> CacheEntry[str] | None:
        self.reads += 1
        if self.arrives and self.reads > self.arrives[0]:
            self.entry = self.arrives[1]
        return self.entry

    def claim(self, now: float, until: float) -> bool:
        if self.claimed_until is not None and self.claimed_until >= now:
            return False
        self.claimed_until = until
        return True

    def put(self, entry: CacheEntry[str]) -> None:
        if self.entry is None or self.entry.as_of < entry.as_of:
            self.entry, self.claimed_until = entry, None


@dataclass
class World:
    """A clock, an upstream that needs ``takes`` seconds, and a background that is only counted."""

    cache: FakeCache
    takes: float | None = 0.5
    now: float = 1000.0
    asked: list[float] = field(default_factory=list)
    background: int = 0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds

    def fetch(self, seconds: float) -> str:
        self.asked.append(seconds)
        if self.takes is None or self.takes > seconds:
            self.sleep(seconds)
            raise UpstreamUnavailableError("too slow")
        self.sleep(self.takes)
        return "new"

    def ask(self) -> None:
        self.background += 1

    def origin(self, is_final: Callable[[str], bool] = lambda _: False) -> Origin[str]:
        return Origin(self.fetch, self.ask, 15.0, is_final)

    def read(self) -> CacheEntry[str] | None:
        return read_through(self.cache, self.origin(), self)


@pytest.fixture
def world() -> World:
    return World(FakeCache())


def test_a_fresh_entry_is_served_without_asking(world: World) -> None:
    world.cache.entry = CacheEntry("old", world.now - 14.9, 0.1)
    assert world.read() == world.cache.entry
    assert world.asked == []
    assert world.cache.claimed_until is None


def test_a_stale_entry_is_revalidated_at_once_where_upstream_is_quick(world: World) -> None:
    world.cache.entry = CacheEntry("old", world.now - 15, 0.1)
    found = world.read()
    assert found == CacheEntry("new", world.now, 0.5)
    assert world.cache.entry == found
    assert world.background == 0


def test_where_upstream_was_slow_nobody_waits(world: World) -> None:
    world.cache.entry = CacheEntry("old", world.now - 40, 9.8)
    began = world.now
    found = world.read()
    assert found is not None
    assert found.value == "old"
    assert found.age(world.now) == 40
    assert world.now == began
    assert (world.asked, world.background) == ([], 1)


@pytest.mark.parametrize("takes", [10.0, None])
def test_a_slow_upstream_is_left_to_the_background(world: World, takes: float | None) -> None:
    world.takes = takes
    world.cache.entry = CacheEntry("old", world.now - 40, 0.2)
    began = world.now
    found = world.read()
    assert found is not None
    assert found.value == "old"
    assert world.now - began == pytest.approx(DIRECT_SECONDS)
    assert world.background == 1
    # Whoever comes next is served at once and asks nobody: the background has the claim.
    assert world.read() == found
    assert world.now - began == pytest.approx(DIRECT_SECONDS)
    assert (len(world.asked), world.background) == (1, 1)


def test_a_claim_whose_holder_died_ends(world: World) -> None:
    world.takes = None
    world.cache.entry = CacheEntry("old", world.now - 40, 9.8)
    world.read()
    world.now += CLAIM_SECONDS + 1
    world.read()
    assert world.background == 2


def test_without_an_entry_the_first_reader_asks_and_the_others_wait_for_it(world: World) -> None:
    made = CacheEntry("theirs", world.now, 0.5)
    world.cache = FakeCache(claimed_until=world.now + 30, arrives=(3, made))
    assert world.read() == made
    assert world.asked == []


def test_nobody_waits_longer_than_the_deadline_for_a_first_entry(world: World) -> None:
    world.cache.claimed_until = world.now + 30
    began = world.now
    assert world.read() is None
    assert world.now - began <= DIRECT_SECONDS


def test_the_first_reader_gets_nothing_from_a_stuck_upstream_and_the_background_goes_on(world: World) -> None:
    world.takes = None
    began = world.now
    assert world.read() is None
    assert world.now - began == pytest.approx(DIRECT_SECONDS)
    assert world.background == 1


def test_what_is_final_is_never_asked_again(world: World) -> None:
    world.cache.entry = CacheEntry("closed", world.now - 10**6, 9.0)
    found = read_through(world.cache, world.origin(lambda value: value == "closed"), world)
    assert found == world.cache.entry
    assert (world.asked, world.background) == ([], 0)


def test_a_refresh_gives_its_claim_back_and_keeps_nothing_older(world: World) -> None:
    world.cache.claim(world.now, world.now + 30)
    revalidate(world.cache, world.origin(), 25.0, world)
    assert world.cache.claimed_until is None
    newest = world.cache.entry
    world.cache.put(CacheEntry("late", world.now - 5, 20.0))
    assert world.cache.entry == newest


def test_an_age_is_never_negative() -> None:
    assert CacheEntry("x", 100.0, 0.1).age(99.0) == 0
