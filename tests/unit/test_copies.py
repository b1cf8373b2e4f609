"""Copies: who asks upstream, who gets an old copy, and how long anybody waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from slipway.akash import stale_while_revalidate as copies
from slipway.akash.stale_while_revalidate import CLAIM_SECONDS, DIRECT_SECONDS, Copy, Source, read_copy, refresh
from slipway.errors import UpstreamUnavailableError


@dataclass
class FakeShelf:
    """A shelf in memory; ``arrives`` puts a copy on it after so many reads."""

    copy: Copy[str] | None = None
    claimed_until: float | None = None
    arrives: tuple[int, Copy[str]] | None = None
    reads: int = 0

    def read(self) -> Copy[str] | None:
        self.reads += 1
        if self.arrives and self.reads > self.arrives[0]:
            self.copy = self.arrives[1]
        return self.copy

    def claim(self, now: float, until: float) -> bool:
        if self.claimed_until is not None and self.claimed_until >= now:
            return False
        self.claimed_until = until
        return True

    def put(self, copy: Copy[str]) -> None:
        if self.copy is None or self.copy.as_of < copy.as_of:
            self.copy, self.claimed_until = copy, None


@dataclass
class World:
    """A clock, an upstream that needs ``takes`` seconds, and a background that is only counted."""

    shelf: FakeShelf
    monkeypatch: pytest.MonkeyPatch
    takes: float | None = 0.5
    now: float = 1000.0
    asked: list[float] = field(default_factory=list)
    background: int = 0

    def __post_init__(self) -> None:
        self.monkeypatch.setattr(copies.time, "sleep", self._pass)

    def _pass(self, seconds: float) -> None:
        self.now += seconds

    def fetch(self, seconds: float) -> str:
        self.asked.append(seconds)
        if self.takes is None or self.takes > seconds:
            self._pass(seconds)
            raise UpstreamUnavailableError("too slow")
        self._pass(self.takes)
        return "new"

    def ask(self) -> None:
        self.background += 1

    def source(self, is_final: Callable[[str], bool] = lambda _: False) -> Source[str]:
        return Source(self.fetch, self.ask, 15.0, is_final)

    def read(self) -> Copy[str] | None:
        return read_copy(self.shelf, self.source(), lambda: self.now)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(FakeShelf(), monkeypatch)


def test_a_fresh_copy_is_served_without_asking(world: World) -> None:
    world.shelf.copy = Copy("old", world.now - 14.9, 0.1)
    assert world.read() == world.shelf.copy
    assert world.asked == []
    assert world.shelf.claimed_until is None


def test_an_old_copy_is_refreshed_at_once_where_upstream_is_quick(world: World) -> None:
    world.shelf.copy = Copy("old", world.now - 15, 0.1)
    found = world.read()
    assert found == Copy("new", world.now, 0.5)
    assert world.shelf.copy == found
    assert world.background == 0


def test_where_upstream_was_slow_nobody_waits(world: World) -> None:
    world.shelf.copy = Copy("old", world.now - 40, 9.8)
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
    world.shelf.copy = Copy("old", world.now - 40, 0.2)
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
    world.shelf.copy = Copy("old", world.now - 40, 9.8)
    world.read()
    world.now += CLAIM_SECONDS + 1
    world.read()
    assert world.background == 2


def test_without_a_copy_the_first_reader_asks_and_the_others_wait_for_it(world: World) -> None:
    made = Copy("theirs", world.now, 0.5)
    world.shelf = FakeShelf(claimed_until=world.now + 30, arrives=(3, made))
    assert world.read() == made
    assert world.asked == []


def test_nobody_waits_longer_than_the_deadline_for_a_first_copy(world: World) -> None:
    world.shelf.claimed_until = world.now + 30
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
    world.shelf.copy = Copy("closed", world.now - 10**6, 9.0)
    found = read_copy(world.shelf, world.source(lambda value: value == "closed"), lambda: world.now)
    assert found == world.shelf.copy
    assert (world.asked, world.background) == ([], 0)


def test_a_refresh_gives_its_claim_back_and_keeps_nothing_older(world: World) -> None:
    world.shelf.claim(world.now, world.now + 30)
    refresh(world.shelf, world.source(), 25.0, lambda: world.now)
    assert world.shelf.claimed_until is None
    newest = world.shelf.copy
    world.shelf.put(Copy("late", world.now - 5, 20.0))
    assert world.shelf.copy == newest


def test_an_age_is_never_negative() -> None:
    assert Copy("x", 100.0, 0.1).age(99.0) == 0
