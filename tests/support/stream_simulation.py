"""Everything around a delivery in one process: log, connection, socket, and who delivers when.

The actors run the library's own code in threads of which only one runs at a time. Each touch of the world is a step,
and the test says whose step is next, and who dies before or after one.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from slipway.builds.states import FINAL
from slipway.streams.delivery import REPLAY_SECONDS, Delivery
from slipway.streams.models import Connection, Lease, LeaseTaken, Outcome, Posted

CONNECTION = Connection("build", "connection")
LEASE_SECONDS = 15.0
# $connect has that long; what has not opened by then never will.
CONNECT_SECONDS = 15.0
LIVE_SECONDS = 0.4
_PAGE = 3


class KilledError(BaseException):
    """The process of this actor ends here and now."""


@dataclass
class WrittenEvent:
    """An event of the log."""

    sequence: float
    status: str = "auditing"
    progress: float = 50
    step: str = "security_audit"
    message: str = ""


class _Actor(threading.Thread):
    def __init__(self, simulation: StreamSimulation, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.go, self.waits = threading.Event(), threading.Event()
        self.mortal = self.over = False
        self.error: Exception | None = None
        self._simulation, self._work = simulation, work

    def run(self) -> None:
        self._simulation.by_thread[threading.get_ident()] = self
        self.turn()
        try:
            self._work()
        except Exception as error:
            self.error = error
        finally:
            self.over = True
            self.waits.set()

    def turn(self) -> None:
        """Wait to be chosen."""
        self.waits.set()
        self.go.wait()
        self.go.clear()

    def run_on(self) -> None:
        """Let it do its next step."""
        self.go.set()
        self.settle()

    def settle(self) -> None:
        """Wait until it waits to be chosen, or is over."""
        self.waits.wait()
        self.waits.clear()


@dataclass
class StreamSimulation:
    """A build's history, and a client that connects to it somewhere on the way.

    Attributes:
        statuses: Of the build's events.
        early: How many of them are written, and told to whom it concerned, before anything else happens.
        begin: How many of those the client has seen.
        choices: Whose step is next, as indexes; those who are left then take turns.
        deaths: Numbers of the steps at which a deliverer dies: before it if even, after it if odd.
        troubles: What becomes of a post, by the post's number: an outcome, and whether it arrives all the same.
        received: Sequences that the client was sent.
        closed: Whether the open connection was closed.
        failed: Whether the connection never opened.
        abandoned: How often an expired lease was found.
        died: How many deliverers died.
    """

    statuses: Sequence[str]
    early: int = 0
    begin: int = 0
    choices: Sequence[int] = ()
    deaths: frozenset[int] = frozenset()
    troubles: dict[int, tuple[Posted, bool]] = field(default_factory=dict)
    received: list[int] = field(default_factory=list)
    closed: bool = False
    failed: bool = False
    abandoned: int = 0
    died: int = 0
    now: float = 0.0
    log: list[WrittenEvent] = field(default_factory=list)
    by_thread: dict[int, _Actor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for status in self.statuses[: self.early]:
            self._append(status)
        self._delivery = Delivery(self, self, self, clock=self)
        self._actors: list[_Actor] = []
        self._open = self._exists = False
        self._connected_at = 0.0
        self._sent = self.begin
        self._lease: tuple[str, float] | None = None
        self._leases = self._posts = self._steps = 0

    # ── Time, and whose step is next ────────────────────────────────────────────────────────────

    def run(self, most_steps: int = 6000) -> None:
        """Let everyone do their steps until nobody is left."""
        for work in (self._pipeline, self._table_stream, self._connect):
            self._start(work)
        choices = iter(self.choices)
        while alive := [actor for actor in self._actors if not actor.over]:
            assert self._steps < most_steps, "it never ends"
            alive[next(choices, self._steps) % len(alive)].run_on()
            self.now += 0.01
        for actor in self._actors:
            if actor.error:
                raise actor.error

    def _start(self, work: Callable[[], None]) -> None:
        actor = _Actor(self, work)
        self._actors.append(actor)
        actor.start()
        actor.settle()

    def _step[Result](self, do: Callable[[], Result]) -> Result:
        actor = self.by_thread[threading.get_ident()]
        number = self._steps
        self._steps += 1
        dies = actor.mortal and number in self.deaths
        if dies and number % 2 == 0:
            raise KilledError
        result = do()
        if dies:
            raise KilledError
        actor.turn()
        return result

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        def pass_by() -> None:
            self.now += seconds

        self._step(pass_by)

    @contextmanager
    def _mortal(self) -> Iterator[None]:
        actor = self.by_thread[threading.get_ident()]
        actor.mortal = True
        try:
            yield
        finally:
            actor.mortal = False

    # ── The world, as the library sees it ───────────────────────────────────────────────────────

    def after(self, build_id: str, sequence: int) -> Sequence[WrittenEvent]:
        """Return the log."""
        return self._step(lambda: [event for event in self.log if event.sequence > sequence][:_PAGE])

    def is_over(self, build_id: str, sequence: int) -> bool:
        """Return the build's state."""
        return self._step(lambda: bool(self.log) and self.log[-1].status in FINAL and len(self.log) <= sequence)

    def acquire_lease(self, connection: Connection) -> Lease | LeaseTaken | None:
        """One conditional write."""

        def take() -> Lease | LeaseTaken | None:
            if not self._exists:
                return None
            if self._lease:
                over = self._lease[1] < self.now
                self.abandoned += over
                return LeaseTaken(expired=over)
            self._leases += 1
            self._lease = (str(self._leases), self.now + LEASE_SECONDS)
            opened = self._sent > self.begin
            return Lease(self._lease[0], self._sent, opened=opened, age=self.now - self._connected_at)

        return self._step(take)

    def release_lease(self, connection: Connection, lease: Lease, sent: int) -> bool:
        """One conditional write."""

        def end() -> bool:
            if not self._exists or not self._lease or self._lease[0] != lease.name:
                return False
            self._sent, self._lease = sent, None
            return True

        return self._step(end)

    def forget(self, connection: Connection) -> None:
        """One delete."""

        def delete() -> None:
            self._exists = False

        self._step(delete)

    def post(self, connection_id: str, text: str) -> Posted:
        """Act as API Gateway."""

        def send() -> Posted:
            if not self._open:
                return Posted.GONE
            self._posts += 1
            outcome, arrives = self.troubles.get(self._posts, (Posted.SENT, True))
            if arrives:
                self.received.append(int(json.loads(text)["sequence"]))
            return outcome

        return self._step(send)

    def close(self, connection_id: str) -> bool:
        """Act as API Gateway."""

        def end() -> bool:
            was_open, self._open = self._open, False
            self.closed |= was_open
            return was_open

        return self._step(end)

    # ── Actors ──────────────────────────────────────────────────────────────────────────────────

    def _pipeline(self) -> None:
        """Write the events."""
        for status in self.statuses[self.early :]:
            self._step(lambda status=status: self._append(status))  # type: ignore[misc]

    def _append(self, status: str) -> None:
        self.log.append(WrittenEvent(len(self.log) + 1, status))

    def _connect(self) -> None:
        """Do what $connect does, and API Gateway when that has answered."""

        def add() -> None:
            self._exists, self._connected_at = True, self.now

        def opens() -> None:
            self._open = self.now - self._connected_at < CONNECT_SECONDS
            self.failed = not self._open

        self._step(add)
        self._request_replay()
        self._step(opens)

    def _table_stream(self) -> None:
        """One batch after the other, each of which comes again when its function dies."""
        told_of = self.early
        while told_of < len(self.statuses):
            upto = self._step(lambda: len(self.log))
            if upto > told_of:
                self._until_done(self._live)
                told_of = upto

    def _live(self) -> None:
        if not self._step(lambda: self._exists):
            return
        if self._delivery.deliver_with_retries(CONNECTION, LIVE_SECONDS) is Outcome.LATER:
            self._request_replay()

    def _request_replay(self) -> None:
        """Lambda takes an asynchronous invocation, and tries it again when its function dies or gives up."""
        self._step(lambda: self._start(lambda: self._until_done(self._replay)))

    def _replay(self) -> None:
        while self._delivery.deliver_with_retries(CONNECTION, REPLAY_SECONDS) is Outcome.LATER:
            pass

    def _until_done(self, work: Callable[[], None]) -> None:
        while True:
            try:
                with self._mortal():
                    work()
            except KilledError:
                self.died += 1
                continue
            return
