"""One long poll of a log stream: an answer as soon as there are lines, or a sign of life after a while.

Each service is read over a socket of its own, whose troubles are dealt with here: it dies and is opened again, its
token ends and is replaced, the pod is not there yet, the lease is gone. The answer's cursor says where to go on, so
nothing is kept between polls but tokens.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from slipway.akash.logs.cursors import Cursor, encode_cursor, pod_key
from slipway.akash.logs.lease_tokens import LeaseTokens
from slipway.akash.logs.positions import Gap, Position
from slipway.akash.logs.provider_proxy import (
    LEASE_NOT_FOUND,
    LeaseAddress,
    LogLine,
    ProviderProxy,
    ProxySocket,
    StreamEnded,
    TokenExpired,
)
from slipway.akash.logs.tail import Entry, ServiceTail
from slipway.errors import SlipwayError, UpstreamUnavailableError
from slipway.observability import logger
from slipway.server_sent_events import comment, event, retry
from slipway.times import Clock

# API Gateway waits 30 s for an answer.
POLL_SECONDS = 20.0
MAX_BYTES = 256 * 1024
# Lines that come this shortly after the first go into the same answer.
_LINGER_SECONDS = 0.25
# A service whose first lines have not come by then does not hold the others' lines back.
_SETTLE_SECONDS = 1.0
_END_POLL_SECONDS = 2.0
_COMPLETE = 1000
_PAUSE_SECONDS = 0.5
_MAX_FAILURES = 3
_MAX_ROTATIONS = 3
_IDLE_SECONDS = 1.0
_NEXT_POLL_SECONDS, _NEXT_POLL_AFTER_FAILURE_SECONDS = 0.2, 3.0
_GAPS = {
    Gap.RESTARTED: "The service was started anew; some of what it wrote before may be missing",
    Gap.OVERWRITTEN: "More was written than can be read again; lines are missing here",
    Gap.AMBIGUOUS: "The log repeats itself too much to tell whether lines are missing here",
}


@dataclass(frozen=True)
class LogRequest:
    """What is to be read.

    Attributes:
        leases: The lease of each service.
        cursor: Where to go on; None to begin.
        tail: How many lines to begin with.
        bad_cursor: Whether the client sent a cursor that can't be read.
    """

    leases: Mapping[str, LeaseAddress]
    cursor: Cursor | None
    tail: int
    bad_cursor: bool = False


@dataclass
class _Feed:
    """One service."""

    service: str
    lease: LeaseAddress
    tail: ServiceTail
    settled: bool = False
    failure: SlipwayError | None = None


@dataclass(frozen=True)
class Watch:
    """How a poll learns that the workload is over.

    Attributes:
        is_closed: Whether Slipway knows it is closed; asked every two seconds.
        has_ended: Whether upstream says so; asked when a provider knows no such lease.
    """

    is_closed: Callable[[], bool]
    has_ended: Callable[[], bool]


def poll(
    request: LogRequest,
    proxy: ProviderProxy,
    tokens: LeaseTokens,
    watch: Watch,
    seconds: float = POLL_SECONDS,
    clock: Clock = time,
) -> str:
    """Return the next part of a stream, as Server-Sent Events; after ``seconds`` of the clock at the latest.

    Raises:
        UpstreamUnavailableError: Nothing can be read, and there is no cursor to go on from later.
    """
    # Not asyncio.run, which would wait for threads that still ask upstream, and take the caller's event loop away.
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_Poll(request, proxy, tokens, watch, seconds, clock).answer())
    finally:
        loop.close()


def end_of_stream(cursor: Cursor) -> str:
    """Return the last event of a stream."""
    ended = encode_cursor(Cursor(cursor.services, ended=True))
    return event({"message": "The workload is closed"}, event_id=ended, name="end")


class _Poll:
    def __init__(
        self,
        request: LogRequest,
        proxy: ProviderProxy,
        tokens: LeaseTokens,
        watch: Watch,
        seconds: float,
        clock: Clock,
    ) -> None:
        self._clock = clock
        known = request.cursor.services if request.cursor else {}
        self._request = request
        self._proxy = proxy
        self._tokens = tokens
        self._watch = watch
        self._began_at = self._clock.monotonic()
        self._ends_at = self._began_at + seconds
        self._feeds = [
            _Feed(service, lease, ServiceTail(known.get(service), request.tail))
            for service, lease in request.leases.items()
        ]
        self._positions: dict[str, Mapping[bytes, Position]] = dict(known)
        self._parts: list[str] = []
        self._bytes = 0
        self._first_at: float | None = None
        self._ended = False
        self._progress = asyncio.Event()

    # ── The answer ──────────────────────────────────────────────────────────────────────────────

    async def answer(self) -> str:
        """Read until there is something to send."""
        if self._request.bad_cursor:
            self._add(event({"message": "The position is not one of this stream's"}, event_id=self._id(), name="gap"))
        tasks = [asyncio.create_task(self._follow(feed)) for feed in self._feeds]
        tasks.append(asyncio.create_task(self._watch_for_end()))
        try:
            await self._until_answered()
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return self._text()

    def _text(self) -> str:
        failures = [feed.failure for feed in self._feeds if feed.failure]
        if self._ended:
            return "".join(self._parts) + end_of_stream(Cursor(self._positions))
        if failures and not self._parts and self._request.cursor is None and len(failures) == len(self._feeds):
            raise failures[0]
        for failure in failures:
            self._parts.append(comment(self._id(), failure.message))
        if not self._parts:
            self._parts.append(comment(self._id(), "nothing new"))
        return retry(_NEXT_POLL_AFTER_FAILURE_SECONDS if failures else _NEXT_POLL_SECONDS) + "".join(self._parts)

    async def _until_answered(self) -> None:
        while (wait := self._answers_at() - self._clock.monotonic()) > 0:
            self._progress.clear()
            try:
                async with asyncio.timeout(wait):
                    await self._progress.wait()
            except TimeoutError:
                continue

    def _answers_at(self) -> float:
        """Return when to answer, as far as is known now."""
        if self._ended or self._bytes >= MAX_BYTES or all(feed.failure for feed in self._feeds):
            return 0.0
        if self._first_at is None:
            return self._ends_at
        ready_at = self._first_at + _LINGER_SECONDS
        if not all(feed.settled or feed.failure for feed in self._feeds):
            ready_at = max(ready_at, self._began_at + _SETTLE_SECONDS)
        return min(ready_at, self._ends_at)

    def _id(self) -> str:
        return encode_cursor(Cursor(self._positions))

    def _add_entries(self, feed: _Feed, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if self._bytes >= MAX_BYTES:
                # The next poll reads it again.
                break
            # As the tail does: pods that it has forgotten leave the cursor as well.
            positions = {
                pod: at for pod, at in self._positions.get(feed.service, {}).items() if pod in feed.tail.positions
            }
            self._positions[feed.service] = positions | {pod_key(entry.pod): entry.position}
            if entry.gap:
                data = {
                    "service": feed.service,
                    "pod": entry.pod,
                    "reason": str(entry.gap),
                    "message": _GAPS[entry.gap],
                }
                self._add(event(data, event_id=self._id(), name="gap"))
            elif entry.line is not None:
                data = {"service": feed.service, "pod": entry.pod, "line": entry.line}
                self._add(event({**data, "truncated": True} if entry.truncated else data, event_id=self._id()))
        if entries:
            feed.settled = True
        self._progress.set()

    def _add(self, part: str) -> None:
        self._parts.append(part)
        self._bytes += len(part.encode())
        if self._first_at is None:
            self._first_at = self._clock.monotonic()

    # ── One service ─────────────────────────────────────────────────────────────────────────────

    async def _follow(self, feed: _Feed) -> None:
        """Read a service until the poll ends, over as many sockets as that takes."""
        failures = 0
        while not feed.failure:
            began = self._clock.monotonic()
            try:
                pause = await self._read_socket(feed)
            except (SlipwayError, ConnectionError) as error:
                logger.info("log stream broke", service=feed.service, reason=str(error))
                failures = failures + 1 if self._clock.monotonic() - began < _SETTLE_SECONDS else 1
                pause = _PAUSE_SECONDS * 2 ** (failures - 1)
                if isinstance(error, SlipwayError) or failures >= _MAX_FAILURES:
                    feed.failure = _failure(error)
                    self._progress.set()
                    return
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 (jitter, not a secret)

    async def _read_socket(self, feed: _Feed) -> float:
        """Read over one socket; return how many seconds to wait before the next."""
        token = await asyncio.to_thread(self._tokens.token, feed.lease)
        async with self._proxy.socket() as socket:
            for _ in range(_MAX_ROTATIONS):
                await socket.subscribe(feed.lease, feed.service, feed.tail.begin(), token)
                ended = await self._read_subscription(feed, socket)
                if not isinstance(ended, TokenExpired):
                    break
                token = await asyncio.to_thread(self._tokens.token, feed.lease, token)
        if ended is None:
            return 0.0
        if isinstance(ended, TokenExpired):
            raise ConnectionError("The provider takes no token")
        self._settle(feed, silent=True)
        if ended.code == LEASE_NOT_FOUND and await asyncio.to_thread(self._watch.has_ended):
            self._ended = True
            self._progress.set()
        return _IDLE_SECONDS

    async def _read_subscription(self, feed: _Feed, socket: ProxySocket) -> TokenExpired | StreamEnded | None:
        """Read one subscription; None when the next one has to begin with more lines."""
        began = self._clock.monotonic()
        while True:
            now = self._clock.monotonic()
            due = feed.tail.due()
            if not feed.settled and now >= began + _SETTLE_SECONDS:
                self._settle(feed, silent=due is None)
            message = await socket.next((due if due is not None else now + _SETTLE_SECONDS) - now)
            if isinstance(message, LogLine):
                feed.tail.feed(message.pod, message.text, self._clock.monotonic())
            ended = message if isinstance(message, TokenExpired | StreamEnded) else None
            # A stream that ended in order was read whole.
            complete = isinstance(ended, StreamEnded) and ended.code == _COMPLETE
            entries = feed.tail.settle(float("inf") if complete else self._clock.monotonic())
            if entries:
                self._add_entries(feed, entries)
            if ended:
                return ended
            if feed.tail.wants_more:
                return None

    def _settle(self, feed: _Feed, *, silent: bool) -> None:
        """Hold the other services' lines back for this one no longer."""
        feed.settled = True
        if silent:
            # Remembered, so that what it writes before the next poll is shown from its first line.
            self._positions.setdefault(feed.service, {})
        self._progress.set()

    # ── The end ─────────────────────────────────────────────────────────────────────────────────

    async def _watch_for_end(self) -> None:
        while not self._ended:
            await asyncio.sleep(_END_POLL_SECONDS)
            try:
                self._ended = self._ended or await asyncio.to_thread(self._watch.is_closed)
            except SlipwayError as error:
                logger.warning("not known whether the workload is closed", reason=error.message)
        self._progress.set()


def _failure(error: SlipwayError | ConnectionError) -> SlipwayError:
    if isinstance(error, SlipwayError):
        return error
    return UpstreamUnavailableError(f"Logs can't be read now: {error}", retry_after=5)
