"""Connections in the control table.

- ``STREAM#<build id>`` / ``CONNECTION#<connection id>``: a client that follows a build, what it was sent, and who is
  writing to it;
- ``CONNECTION#<connection id>`` / ``STREAM``: which build that is, for all that API Gateway tells later is the id.

``sent`` counts only what was certainly sent. Whoever wants to write takes the turn first, which is one conditional
write; see ``delivery``.
"""

import uuid

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist

from slipway.limits import leases
from slipway.store import ControlItem, Transaction, condition_held, upstream_errors
from slipway.streams.models import Connection, Taken, Turn
from slipway.times import epoch_milliseconds, epoch_seconds

# API Gateway ends a connection after two hours.
CONNECTION_SECONDS = 2 * 3600 + 60
# Longer than anybody writes (`delivery.WRITING_SECONDS`, and one post): who still has it then has died.
TURN_SECONDS = 15.0
_OPEN_PREFIX = "CONNECTION#"
# Under which an owner's connections are counted.
HELD = "build_streams"


class StreamConnection(ControlItem):
    """A client that follows a build.

    Attributes:
        lease: The owner's holding, given back when the connection ends.
        connected_at: Milliseconds since 1970.
        after: What the client had seen when it connected.
        sent: Sequence of the last event that it was sent, or ``after``.
        turn: Who is writing to it; ``turn_until`` in milliseconds since 1970.
    """

    build_id = UnicodeAttribute()
    connection_id = UnicodeAttribute()
    wallet = UnicodeAttribute()
    lease = UnicodeAttribute()
    connected_at = NumberAttribute()
    after = NumberAttribute()
    sent = NumberAttribute()
    turn = UnicodeAttribute(null=True)
    turn_until = NumberAttribute(null=True)
    expires_at = NumberAttribute()


class StreamOfConnection(ControlItem):
    """Which build a connection follows."""

    build_id = UnicodeAttribute()
    expires_at = NumberAttribute()


def _key(connection: Connection) -> tuple[str, str]:
    return f"STREAM#{connection.build_id}", f"{_OPEN_PREFIX}{connection.connection_id}"


def _back_key(connection_id: str) -> tuple[str, str]:
    return f"{_OPEN_PREFIX}{connection_id}", "STREAM"


def add(connection: Connection, wallet: str, lease: str, after: int) -> None:
    """Write a new connection.

    Raises:
        UpstreamUnavailableError: The table did not answer.
    """
    ends_at = epoch_seconds() + CONNECTION_SECONDS
    item = StreamConnection(
        *_key(connection),
        build_id=connection.build_id,
        connection_id=connection.connection_id,
        wallet=wallet,
        lease=lease,
        connected_at=epoch_milliseconds(),
        after=after,
        sent=after,
        expires_at=ends_at,
    )
    write = Transaction()
    write.create("connection", item)
    write.create(
        "build",
        StreamOfConnection(*_back_key(connection.connection_id), build_id=connection.build_id, expires_at=ends_at),
    )
    write.commit()


def find(connection_id: str) -> Connection | None:
    """Return a connection by API Gateway's id."""
    with upstream_errors():
        try:
            found = StreamOfConnection.get(*_back_key(connection_id), consistent_read=True)
        except DoesNotExist:
            return None
    return Connection(found.build_id, connection_id)


def connections_of(build_id: str) -> list[Connection]:
    """Return every connection that follows a build now (a consistent read: one made before an event was written is in
    it)."""
    with upstream_errors():
        found = StreamConnection.query(
            f"STREAM#{build_id}", StreamConnection.sk.startswith(_OPEN_PREFIX), consistent_read=True
        )
        return [Connection(build_id, item.connection_id) for item in found]


def take_turn(connection: Connection) -> Turn | Taken | None:
    """Take the turn, unless somebody has it, even if they should be done by now; None when there is no connection."""
    name, now = uuid.uuid4().hex, epoch_milliseconds()
    item = StreamConnection(*_key(connection))
    taken = condition_held(
        lambda: item.update(
            actions=[StreamConnection.turn.set(name), StreamConnection.turn_until.set(now + int(TURN_SECONDS * 1000))],
            condition=StreamConnection.pk.exists() & StreamConnection.turn.does_not_exist(),
        )
    )
    if taken:
        sent, after = int(item.sent), int(item.after)
        return Turn(name, sent, opened=sent > after, age=(now - int(item.connected_at)) / 1000)
    with upstream_errors():
        try:
            item = StreamConnection.get(*_key(connection), consistent_read=True)
        except DoesNotExist:
            return None
    if item.turn is None:
        # It ended between the two; the next try may get it.
        return Taken("", abandoned=False)
    return Taken(item.turn, abandoned=int(item.turn_until or 0) < now)


def end_turn(connection: Connection, turn: Turn, sent: int) -> bool:
    """End the turn and say what was sent; False when the connection is no more."""
    return condition_held(
        lambda: StreamConnection(*_key(connection)).update(
            actions=[
                StreamConnection.sent.set(sent),
                StreamConnection.turn.remove(),
                StreamConnection.turn_until.remove(),
            ],
            condition=StreamConnection.turn == turn.name,
        )
    )


def forget(connection: Connection) -> None:
    """Delete a connection and give its owner's lease back; nothing happens when that was done already."""
    with upstream_errors():
        try:
            item = StreamConnection.get(*_key(connection), consistent_read=True)
        except DoesNotExist:
            return
        StreamOfConnection(*_back_key(connection.connection_id)).delete()
        StreamConnection(*_key(connection)).delete()
    leases.give_back(HELD, item.wallet, item.lease)
