"""When a worker was alive: its sessions, derived from its beats alone, in whatever order those come.

Times are integers, milliseconds since 1970, unless a name says otherwise. A session is a longest run of beats with no
more than ``GAP`` between one and the next. The newest session is kept on the worker's own item as long as it is open;
all others are uptime records. Open or not is a matter of storage: a session whose last beat is older than ``GAP`` is
over, whether or not ``uptime_flush`` has come by already.
"""

import zlib
from dataclasses import dataclass
from enum import StrEnum

MINUTE = 60_000
# Spec 001: a longer silence ends a session.
GAP = 30 * MINUTE
# What a worker's clock may be ahead of ours, and how long it may keep a beat that it could not send.
MAX_AHEAD = 5 * MINUTE
MAX_LATE = 24 * 60 * MINUTE

# A beat comes every five minutes, so one may be lost unnoticed. A beat that is older when it arrives was reported, not
# observed.
HEALTHY_WITHIN = 10 * MINUTE
# Late beats of one worker that are written within an hour: two days' spools.
MAX_LATE_BEATS = 600
HOUR = 60 * MINUTE

SHARDS = 8
# A worker that is alive changes the index once in such a time, at two write units. In two hours, with a beat in five
# minutes, that is 0.08 units a beat.
_BUCKET_SECONDS = 7200
_SHARD_OFFSET_SECONDS = _BUCKET_SECONDS // SHARDS
# In the index before all times, and always the same: a spool that is sent at last does not move its worker about.
OVERDUE = 0


class Liveness(StrEnum):
    """What is known of a worker: ``new`` until a beat arrives after its enrolment, then what its silence says."""

    NEW = "new"
    HEALTHY = "healthy"
    LATE = "late"
    DOWN = "down"
    RETIRED = "retired"


@dataclass(frozen=True)
class Session:
    """A time in which a worker was alive: its first and its last beat. ``open`` when more beats may still extend it."""

    time_from: int
    time_to: int
    open: bool = False


@dataclass(frozen=True)
class Change:
    """What a beat makes of the sessions that are stored.

    Attributes:
        newest: The beat is the newest of all, so last time and containers become its own.
        session_start: The open session's first beat from now on; None when that stays as it is.
        removed: First beats of the uptime records that are no more, other than one that ``written`` replaces.
        written: An uptime record to write, in the place of the one with the same first beat if there is one.
    """

    newest: bool
    session_start: int | None = None
    removed: tuple[int, ...] = ()
    written: Session | None = None


def place(
    beat: int, session_start: int | None, last_seen: int | None, before: Session | None, after: Session | None
) -> Change | None:
    """Find what a beat changes.

    Args:
        beat: Its time.
        session_start: First beat of the open session; None when none is open.
        last_seen: The newest beat so far, and so the last one of the open session; None before the first.
        before: The latest uptime record that begins at the beat or earlier.
        after: The earliest uptime record that begins later.

    Returns:
        None when the beat lies inside a session that is known already.
    """
    newest = last_seen is None or beat > last_seen
    if session_start is not None and last_seen is not None and beat >= session_start:
        if not newest:
            return None
        if beat - last_seen <= GAP:
            return Change(newest)
        return Change(newest, session_start=beat, written=Session(session_start, last_seen))
    if before and beat <= before.time_to:
        return None
    joins_before = before is not None and beat - before.time_to <= GAP
    first = before.time_from if before and joins_before else beat
    following = after.time_from if after else session_start
    joins_after = following is not None and following - beat <= GAP
    if newest or (after is None and joins_after):
        return Change(newest, session_start=first, removed=(first,) if joins_before else ())
    if after and joins_after:
        return Change(newest, removed=(after.time_from,), written=Session(first, after.time_to))
    return Change(newest, written=Session(first, beat))


def is_observed(beat: int, now: int) -> bool:
    """Return whether Slipway saw this itself: the beat arrived, at ``now``, within ten minutes of its own time."""
    return now - beat <= HEALTHY_WITHIN


@dataclass(frozen=True)
class ObservedRun:
    """A longest run of arrivals of observed beats, by Slipway's clock, with at most ``GAP`` between two.

    ``ended`` is the run before it, which this one replaces on the worker's item.
    """

    time_from: int
    time_to: int
    ended: Session | None = None


def observe(now: int, start: int | None, until: int | None) -> ObservedRun:
    """Add the arrival of an observed beat at ``now`` to the run ``[start, until]``, or begin the next run."""
    if start is None or until is None:
        return ObservedRun(now, now)
    if now - until > GAP:
        return ObservedRun(now, now, ended=Session(start, until))
    return ObservedRun(start, max(now, until))


def newest_session(session_start: int | None, last_seen: int | None, now: int) -> Session | None:
    """Return the session that is stored on the worker's item, as it is at ``now``.

    Returns:
        None when every session is an uptime record already.
    """
    if session_start is None or last_seen is None:
        return None
    return Session(session_start, last_seen, open=now - last_seen <= GAP)


def liveness(last_seen: int | None, now: int) -> Liveness:
    """Return new before the first arrival, healthy for ten minutes after one, late until ``GAP``, then down."""
    if last_seen is None:
        return Liveness.NEW
    if now - last_seen > GAP:
        return Liveness.DOWN
    return Liveness.HEALTHY if now - last_seen <= HEALTHY_WITHIN else Liveness.LATE


def shard_of(wallet: str) -> int:
    """Return the part of the staleness index in which a worker is looked for."""
    return zlib.crc32(wallet.encode()) % SHARDS


def flush_at(beat: int, now: int, shard: int) -> int:
    """Return when a worker has to be looked at if this beat was its last, in seconds since 1970.

    The time that a session needs to end, after the end of the bucket of time in which the beat lies. So a worker that
    is due is stale, and one that is alive is not found. The shards' buckets end at different times, so the fleet does
    not move at once.

    Returns:
        ``OVERDUE`` for a beat that was stale when it came.
    """
    if beat + GAP < now:
        return OVERDUE
    offset = shard * _SHARD_OFFSET_SECONDS
    into_bucket = (beat // 1000 - offset) % _BUCKET_SECONDS
    return beat // 1000 - into_bucket + _BUCKET_SECONDS + GAP // 1000
