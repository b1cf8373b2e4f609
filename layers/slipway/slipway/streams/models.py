"""Shapes of streams: connections, handshakes, and what became of a message."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Connection:
    """One client that follows one build.

    Attributes:
        build_id: The build.
        connection_id: API Gateway's name for the connection.
    """

    build_id: str
    connection_id: str


@dataclass(frozen=True)
class Handshake:
    """What a client brings when it connects. ``after`` is the sequence it has seen already, 0 for none."""

    build_id: str
    after: int
    token: str | None
    ticket: str | None


@dataclass(frozen=True)
class Lease:
    """The right to write to a connection, until it expires.

    Attributes:
        name: Distinguishes this lease from every other.
        sent: Sequence of the last event that the client was sent.
        opened: Whether the connection is known to be open, because something was sent over it before.
        age: Seconds since the client connected.
    """

    name: str
    sent: int
    opened: bool
    age: float


@dataclass(frozen=True)
class LeaseTaken:
    """Another publisher has the lease; ``expired`` when its holder must have died."""

    expired: bool


class Posted(StrEnum):
    """What became of a message.

    ``NOT_SENT`` is certain, so that it may be tried again. ``UNKNOWN`` is not: it may have arrived.
    """

    SENT = "sent"
    GONE = "gone"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What a delivery came to: ``DONE``, or ``LATER`` when it has to be tried again."""

    DONE = "done"
    LATER = "later"
