"""Connections in the control table.

- ``STREAM#<build id>`` / ``CONNECTION#<connection id>``: a client that follows a build, what it was sent, and the lease
  of the publisher that writes to it;
- ``CONNECTION#<connection id>`` / ``STREAM``: which build that is, for later API Gateway sends only the id.

``sent`` counts only what was certainly sent. A publisher acquires the connection's lease before it writes, by one
conditional write; see ``delivery``.
"""

import uuid

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from slipway.limits.semaphore import Semaphore
from slipway.store import ControlItem, Transaction, read_item, update_if, upstream_errors
from slipway.streams.models import Connection, Lease, LeaseTaken
from slipway.times import epoch_milliseconds, epoch_seconds

# API Gateway ends a connection after two hours.
CONNECTION_SECONDS = 2 * 3600 + 60
# Longer than a publisher writes (`delivery.WRITING_SECONDS`, and one post): the holder of an older lease has died.
LEASE_SECONDS = 15.0
_OPEN_PREFIX = "CONNECTION#"
# How many streams an owner may follow at once.
FOLLOWED = Semaphore("build_streams", most=20, seconds=CONNECTION_SECONDS)


class StreamConnection(ControlItem):
    """A client that follows a build.

    Attributes:
        permit: The owner's, released when the connection ends.
        connected_at: Milliseconds since 1970.
        after: What the client had seen when it connected.
        sent: Sequence of the last event that it was sent, or ``after``.
        lease: Of the publisher that writes to it; ``lease_until`` in milliseconds since 1970.
    """

    build_id = UnicodeAttribute()
    connection_id = UnicodeAttribute()
    wallet = UnicodeAttribute()
    permit = UnicodeAttribute(attr_name="lease")
    connected_at = NumberAttribute()
    after = NumberAttribute()
    sent = NumberAttribute()
    lease = UnicodeAttribute(null=True, attr_name="turn")
    lease_until = NumberAttribute(null=True, attr_name="turn_until")
    expires_at = NumberAttribute()


class StreamOfConnection(ControlItem):
    """Which build a connection follows."""

    build_id = UnicodeAttribute()
    expires_at = NumberAttribute()


def _key(connection: Connection) -> tuple[str, str]:
    return f"STREAM#{connection.build_id}", f"{_OPEN_PREFIX}{connection.connection_id}"


def _back_key(connection_id: str) -> tuple[str, str]:
    return f"{_OPEN_PREFIX}{connection_id}", "STREAM"


def add(connection: Connection, wallet: str, permit: str, after: int) -> None:
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
        permit=permit,
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
    found = read_item(StreamOfConnection, _back_key(connection_id))
    return Connection(found.build_id, connection_id) if found else None


def connections_of(build_id: str) -> list[Connection]:
    """Return every connection that follows a build now (a consistent read: one made before an event was written is in
    it)."""
    with upstream_errors():
        found = StreamConnection.query(
            f"STREAM#{build_id}", StreamConnection.sk.startswith(_OPEN_PREFIX), consistent_read=True
        )
        return [Connection(build_id, item.connection_id) for item in found]


def acquire_lease(connection: Connection) -> Lease | LeaseTaken | None:
    """Acquire the right to write, unless it is taken, even if it has expired; None when there is no connection."""
    name, now = uuid.uuid4().hex, epoch_milliseconds()
    item = StreamConnection(*_key(connection))
    acquired = update_if(
        item,
        StreamConnection.pk.exists() & StreamConnection.lease.does_not_exist(),
        [StreamConnection.lease.set(name), StreamConnection.lease_until.set(now + int(LEASE_SECONDS * 1000))],
    )
    if acquired:
        sent, after = int(item.sent), int(item.after)
        return Lease(name, sent, opened=sent > after, age=(now - int(item.connected_at)) / 1000)
    holder = read_item(StreamConnection, _key(connection))
    if holder is None:
        return None
    # Without one, it was released between the two; the next try may get it.
    return LeaseTaken(expired=holder.lease is not None and int(holder.lease_until or 0) < now)


def release_lease(connection: Connection, lease: Lease, sent: int) -> bool:
    """Release the lease and record what was sent; False when the connection is no more."""
    actions = [
        StreamConnection.sent.set(sent),
        StreamConnection.lease.remove(),
        StreamConnection.lease_until.remove(),
    ]
    return update_if(StreamConnection(*_key(connection)), StreamConnection.lease == lease.name, actions)


def forget(connection: Connection) -> None:
    """Delete a connection and release its owner's permit; nothing happens when that was done already."""
    item = read_item(StreamConnection, _key(connection))
    if item is None:
        return
    with upstream_errors():
        StreamOfConnection(*_back_key(connection.connection_id)).delete()
        StreamConnection(*_key(connection)).delete()
    FOLLOWED.release(item.wallet, item.permit)
