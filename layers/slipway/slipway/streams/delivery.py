"""Sending one client the events that it has not been sent yet.

Several publishers serve a client at the same time: the replay when it has connected, and the table's stream at each
event. The log of events is the queue, and all of them do the same: acquire the connection's lease, read the log from
where the client is, post in order, record how far it came, release the lease. So

- only one writes at a time, in the order of the log: no repeat, nothing out of order;
- a publisher that finds the lease taken tries again, or requests a replay, until nothing is left to send: no gap;
- a publisher that dies while it writes leaves a lease that expires. It is unknown then whether its last post arrived,
  so the connection is never written to again: it is closed, and the client resumes with ``?after=``. The same when a
  post's outcome is unknown. A client therefore sees the events in order from where it wanted them, up to where the
  connection ends, and never a repeat.

``deliver`` does what can be done now and says whether it has to be tried again; ``deliver_with_retries`` tries again.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from slipway.errors import SlipwayError
from slipway.streams.models import Connection, Lease, LeaseTaken, Outcome, Posted
from slipway.streams.rules import is_final, may_open, message_of
from slipway.times import Clock

WRITING_SECONDS = 8.0
# By then the lease of a publisher that died has expired, and a connection that was opening is open or never will be.
REPLAY_SECONDS = 25.0
_PAUSE_SECONDS = 0.05
_MAX_PAUSE_SECONDS = 1.0


class Event(Protocol):
    """A progress event; the numbers are whole."""

    sequence: float
    status: str
    progress: float
    step: str
    message: str


class Log(Protocol):
    """The events of builds."""

    def after(self, build_id: str, sequence: int) -> Sequence[Event]:
        """Return the next events, in order; empty when there are no more at this moment."""

    def is_over(self, build_id: str, sequence: int) -> bool:
        """Return whether the build has ended, and ``sequence`` was its last event."""


class Connections(Protocol):
    """The connections that follow builds; see ``store``."""

    def acquire_lease(self, connection: Connection) -> Lease | LeaseTaken | None:
        """Acquire the right to write."""

    def release_lease(self, connection: Connection, lease: Lease, sent: int) -> bool:
        """Release it and record how far the client was sent; False when the connection is no more."""

    def forget(self, connection: Connection) -> None:
        """Delete a connection that is no more."""


class Sockets(Protocol):
    """Open connections; see ``connections_api``."""

    def post(self, connection_id: str, text: str) -> Posted:
        """Send a message."""

    def close(self, connection_id: str) -> bool:
        """Close a connection; False when there is none: not any more, or not yet."""


@dataclass
class _Writing:
    """A lease, how far the client was sent under it, and whether a post may or may not have arrived."""

    lease: Lease
    sent: int
    uncertain: bool = False

    @property
    def may_open(self) -> bool:
        """Whether a connection that is called gone may only not be open yet."""
        return self.sent == self.lease.sent and may_open(self.lease.opened, self.lease.age)


@dataclass(frozen=True)
class Delivery:
    """Sends clients what they have not been sent.

    Attributes:
        log: The events.
        connections: Who follows them.
        sockets: How they are sent.
        clock: Passes the time.
    """

    log: Log
    connections: Connections
    sockets: Sockets
    clock: Clock = time

    def deliver(self, connection: Connection) -> Outcome:
        """Send a client what it has not been sent, as far as that is possible now.

        Returns:
            LATER: Another publisher is writing, the connection is not open yet, or it takes no more at the moment.

        Raises:
            UpstreamUnavailableError: The store did not answer, or API Gateway did not close the connection.
        """
        ends_at = self.clock.monotonic() + WRITING_SECONDS
        while True:
            lease = self.connections.acquire_lease(connection)
            if lease is None:
                return Outcome.DONE
            if isinstance(lease, LeaseTaken):
                return self._close(connection) if lease.expired else Outcome.LATER
            writing = _Writing(lease, lease.sent)
            try:
                outcome = self._write(connection, writing, ends_at)
            except SlipwayError:
                # The log can't be read now. What was posted is certain, so the next one may go on.
                self.connections.release_lease(connection, lease, writing.sent)
                raise
            if outcome is None and self._end(connection, writing):
                return Outcome.DONE
            if writing.uncertain:
                # The post may be on its way still. The lease is never released, so that the connection is closed when
                # it opens.
                return Outcome.LATER
            if not self.connections.release_lease(connection, lease, writing.sent):
                return Outcome.DONE
            if outcome is not Outcome.DONE:
                return Outcome.LATER
            # A long history comes in parts, and a publisher that came meanwhile found the lease taken.
            if not self.log.after(connection.build_id, writing.sent):
                return Outcome.DONE

    def _write(self, connection: Connection, writing: _Writing, ends_at: float) -> Outcome | None:
        """Post what is new; None when the connection has to end."""
        events = self.log.after(connection.build_id, writing.sent)
        for event in events:
            if self.clock.monotonic() > ends_at:
                return Outcome.LATER
            posted = self.sockets.post(connection.connection_id, _text(event))
            if posted is Posted.NOT_SENT or (posted is Posted.GONE and writing.may_open):
                return Outcome.LATER
            if posted is not Posted.SENT:
                writing.uncertain = posted is Posted.UNKNOWN
                return None
            writing.sent = int(event.sequence)
        ends = not events or is_final(events[-1].status)
        return None if ends and self.log.is_over(connection.build_id, writing.sent) else Outcome.DONE

    def _end(self, connection: Connection, writing: _Writing) -> bool:
        """End a connection: first the connection, then what is known of it, so that no client is left waiting.

        False when it may not be open yet: it is to be ended when it is.
        """
        if not self.sockets.close(connection.connection_id) and writing.may_open:
            return False
        self.connections.forget(connection)
        return True

    def _close(self, connection: Connection) -> Outcome:
        """End a connection whose publisher died; it is older than any that may still open."""
        self.sockets.close(connection.connection_id)
        self.connections.forget(connection)
        return Outcome.DONE

    def deliver_with_retries(self, connection: Connection, seconds: float) -> Outcome:
        """Deliver again and again until it is done or so many seconds have passed."""
        ends_at = self.clock.monotonic() + seconds
        wait = _PAUSE_SECONDS
        while self.deliver(connection) is Outcome.LATER:
            if self.clock.monotonic() + wait > ends_at:
                return Outcome.LATER
            self.clock.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 (jitter, not a secret)
            wait = min(2 * wait, _MAX_PAUSE_SECONDS)
        return Outcome.DONE


def _text(event: Event) -> str:
    return message_of(event.status, int(event.progress), event.step, event.message, int(event.sequence))
