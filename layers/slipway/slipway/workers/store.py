"""Workers and their uptime records.

Keys in the workers table, where a wallet is in EIP-55 form:

- ``WORKER#<wallet>`` / ``WORKER``: the worker with its open session; in ``fleet`` from its enrolment on, in ``stale``
  as long as its session is open or it is not down, in ``token`` as long as it has one;
- ``WORKER#<wallet>`` / ``UPTIME#<first beat>``: one session that is over, the time in milliseconds with leading zeros;
- ``WORKER#<wallet>`` / ``OBSERVED#<first arrival>``: one run of observed beats that is over, by Slipway's clock.
"""

import json
import zlib
from collections.abc import Sequence
from typing import Any

from pynamodb.attributes import Attribute, BinaryAttribute, BooleanAttribute, JSONAttribute, UnicodeAttribute
from pynamodb.constants import BINARY, NUMBER
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from slipway.settings import name_of_table
from slipway.store import (
    TableSettings,
    Transaction,
    newest_first,
    read_item,
    read_together,
    share_connection,
    upstream_errors,
)
from slipway.times import epoch_milliseconds, now_text, parse_moment
from slipway.workers.rules import Liveness, Session, liveness

FLEET = "FLEET"
_LAST_TIME = 10**15 - 1


class IntegerAttribute(Attribute[int]):
    """A whole number; PynamoDB's own is any number."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        return str(value)

    def deserialize(self, value: str) -> int:
        return int(value)


class Fleet(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """All workers, by the time of their enrolment."""

    class Meta:
        index_name = "fleet"
        projection = KeysOnlyProjection()

    fleet = UnicodeAttribute(hash_key=True)
    enrolled_at = UnicodeAttribute(range_key=True)


class Stale(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Sparse: workers with an open session and others that are alive, by when to look at them (``rules.flush_at``)."""

    class Meta:
        index_name = "stale"
        projection = KeysOnlyProjection()

    flush_shard = UnicodeAttribute(hash_key=True)
    flush_at = IntegerAttribute(range_key=True)


class Token(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Sparse: workers by the hash of their token, which beats leave alone, so that they write nothing here."""

    class Meta:
        index_name = "token"
        projection = KeysOnlyProjection()

    token_hash = BinaryAttribute(legacy_encoding=False, hash_key=True)


class ContainersAttribute(Attribute[list[dict[str, str]]]):
    """Containers as compressed JSON, so that a worker with a usual number of them fits into one write unit."""

    attr_type = BINARY

    def serialize(self, value: list[dict[str, str]]) -> bytes:
        return zlib.compress(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(), 1)

    def deserialize(self, value: bytes) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(zlib.decompress(value))
        return found


class WorkersItem(Model):
    """An item of the workers table."""

    class Meta(TableSettings):
        table_name = name_of_table("workers")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    by_fleet = Fleet()
    by_staleness = Stale()
    by_token = Token()
    fleet = UnicodeAttribute(null=True)
    enrolled_at = UnicodeAttribute(null=True)
    flush_shard = UnicodeAttribute(null=True)
    flush_at = IntegerAttribute(null=True)


share_connection(WorkersItem)


class WorkerItem(WorkersItem):
    """A worker. Times in milliseconds since 1970, but ``enrolled_at`` (text) and ``flush_at`` (seconds).

    ``token_hash`` is absent before a token was given out and after it was revoked; ``session_start`` is absent when no
    session is open; ``last_seen`` is the newest beat of all and so the last one of the open session; ``revision`` grows
    with every write that touches ``session_start`` or an uptime record.

    ``arrived_at`` is when the last beat that changed anything arrived; ``observed_start`` and ``observed_until`` are
    the newest run of observed beats (``rules.ObservedRun``); ``late_hour`` and ``late_beats`` count the late ones of an
    hour; ``noticed`` is the silence that was noticed, ``late`` or ``down``, and absent otherwise; ``clock_offset`` is
    in seconds; ``previous_boot_id`` are the senders' before ``boot_id``, one a line; one that returns was never
    rebooted: a clone.
    """

    token_hash = BinaryAttribute(legacy_encoding=False, null=True)
    enrolment_hash = BinaryAttribute(legacy_encoding=False, null=True)
    enrolment_expires_at = IntegerAttribute(null=True)
    session_start = IntegerAttribute(null=True)
    last_seen = IntegerAttribute(null=True)
    containers = ContainersAttribute(null=True)
    revision = IntegerAttribute(null=True)
    arrived_at = IntegerAttribute(null=True)
    observed_start = IntegerAttribute(null=True)
    observed_until = IntegerAttribute(null=True)
    late_hour = IntegerAttribute(null=True)
    late_beats = IntegerAttribute(null=True)
    noticed = UnicodeAttribute(null=True)
    clock_offset = IntegerAttribute(null=True)
    boot_id = UnicodeAttribute(null=True)
    previous_boot_id = UnicodeAttribute(null=True)
    cloned_at = IntegerAttribute(null=True)
    retired_at = IntegerAttribute(null=True)
    public = BooleanAttribute(null=True)
    figures = JSONAttribute(null=True)

    @property
    def wallet(self) -> str:
        """Whose worker it is."""
        return self.pk.removeprefix("WORKER#")

    @property
    def seen_at(self) -> int | None:
        """When a beat last arrived since the enrolment; that beat's own time where no arrival was kept."""
        if self.arrived_at is None:
            return self.last_seen
        return self.arrived_at if self.arrived_at >= self.enrolled_milliseconds else None

    @property
    def enrolled_milliseconds(self) -> int:
        """When it was enrolled."""
        return epoch_milliseconds(parse_moment(str(self.enrolled_at), "enrolled_at"))

    def status(self, now: int) -> Liveness:
        """Return what is known of it at ``now``."""
        return Liveness.RETIRED if self.retired_at is not None else liveness(self.seen_at, now)

    def is_alive(self, now: int) -> bool:
        """Return whether it beat so lately that it is not down."""
        return self.status(now) in (Liveness.HEALTHY, Liveness.LATE)


class UptimeRecord(WorkersItem):
    """A session, or a run of observed beats, that is over: its first and last moment, in milliseconds since 1970."""

    time_from = IntegerAttribute()
    time_to = IntegerAttribute()

    @property
    def session(self) -> Session:
        """As the rules know it."""
        return Session(self.time_from, self.time_to)


def worker_key(wallet: str) -> tuple[str, str]:
    """Return the key of a worker's item."""
    return f"WORKER#{wallet}", "WORKER"


def uptime_key(wallet: str, time_from: int, kind: str = "UPTIME") -> tuple[str, str]:
    """Return the key of an uptime record, or of a run of observed beats (``OBSERVED``)."""
    return f"WORKER#{wallet}", f"{kind}#{time_from:015d}"


def find_worker(wallet: str) -> WorkerItem | None:
    """Return a worker, or None for a wallet that never enrolled one."""
    return read_item(WorkerItem, worker_key(wallet))


def is_token_known(token_hash: bytes) -> bool:
    """Return whether a worker has this token; one that was given out or revoked this second may still be unknown."""
    with upstream_errors():
        return any(True for _ in WorkerItem.by_token.query(token_hash, limit=1))


def fleet_places(limit: int, cursor: str | None) -> tuple[list[WorkersItem], str | None]:
    """Return keys and ``enrolled_at`` of workers, newest enrolment first, and where the next page begins."""
    return newest_first(WorkersItem, WorkersItem.by_fleet, ("fleet", FLEET), "enrolled_at", limit=limit, cursor=cursor)


def workers_at(places: Sequence[WorkersItem]) -> list[WorkerItem]:
    """Return the workers themselves, at most 100, in no order."""
    return read_together(WorkerItem, [(place.pk, place.sk) for place in places])


def keep_enrolment(
    write: Transaction, wallet: str, code_hash: bytes, expires_at: int, retired_at: int | None = None
) -> None:
    """Add a worker, or a new code of one that is there, to a transaction.

    Args:
        write: The transaction; its write ``worker`` fails when the worker was retired or revived meanwhile.
        wallet: Whose.
        code_hash: SHA-256 of the code.
        expires_at: When the code ends, in seconds since 1970.
        retired_at: Of a retired worker, which this revives: its percentages begin anew.
    """
    revived = retired_at is not None
    actions = [
        WorkerItem.fleet.set(FLEET),
        WorkerItem.enrolled_at.set(now_text() if revived else WorkerItem.enrolled_at | now_text()),
        WorkerItem.enrolment_hash.set(code_hash),
        WorkerItem.enrolment_expires_at.set(expires_at),
    ]
    if revived:
        actions += [WorkerItem.retired_at.remove(), WorkerItem.noticed.remove()]
    condition = WorkerItem.retired_at == retired_at if revived else WorkerItem.retired_at.does_not_exist()
    write.update("worker", WorkerItem(*worker_key(wallet)), actions, condition)


def take_enrolment(write: Transaction, wallet: str, code_hash: bytes, token_hash: bytes, now: int) -> None:
    """Add to a transaction that a code is used up for a token; it fails when there is no such code now (seconds)."""
    write.update(
        "worker",
        WorkerItem(*worker_key(wallet)),
        [
            WorkerItem.token_hash.set(token_hash),
            # Who has the new token is one machine again, as far as is known.
            *(name.remove() for name in (WorkerItem.boot_id, WorkerItem.previous_boot_id, WorkerItem.cloned_at)),
            *_without_code(),
        ],
        condition=(WorkerItem.enrolment_hash == code_hash) & (WorkerItem.enrolment_expires_at > now),
    )


def forget_tokens(write: Transaction, wallet: str, retired_at: int | None = None) -> None:
    """Add to a transaction that a worker's token and code end, and that it retires if a time (milliseconds) is given.

    The write ``worker`` fails when the wallet enrolled no worker. One that is retired already stays so since then.
    """
    actions = [WorkerItem.token_hash.remove(), *_without_code()]
    if retired_at is not None:
        actions.append(WorkerItem.retired_at.set(WorkerItem.retired_at | retired_at))
    write.update("worker", WorkerItem(*worker_key(wallet)), actions, condition=WorkerItem.pk.exists())


def set_public(write: Transaction, wallet: str, public: bool) -> None:
    """Add to a transaction whether a worker has a badge; its write ``worker`` fails when there is no such worker."""
    write.update(
        "worker", WorkerItem(*worker_key(wallet)), [WorkerItem.public.set(public)], condition=WorkerItem.pk.exists()
    )


def _without_code() -> list[Action]:
    return [WorkerItem.enrolment_hash.remove(), WorkerItem.enrolment_expires_at.remove()]


def records_of_window(wallet: str, begin: int, end: int, kind: str = "UPTIME") -> list[Session]:
    """Return the records that may reach into a window: those that begin in it, and the last one before.

    Args:
        wallet: Whose.
        begin: Where it begins.
        end: Where it ends.
        kind: ``UPTIME`` for sessions, ``OBSERVED`` for runs of observed beats.
    """
    found = _between(wallet, begin, end, kind)
    if before := last_session_before(wallet, begin, kind):
        found.append(before)
    return found


def _between(wallet: str, begin: int, end: int, kind: str) -> list[Session]:
    if end - begin < 2:
        return []
    (pk, first), (_, last) = uptime_key(wallet, begin + 1, kind), uptime_key(wallet, end - 1, kind)
    with upstream_errors():
        found = UptimeRecord.query(pk, UptimeRecord.sk.between(first, last), consistent_read=True)
        return [record.session for record in found]


def last_session_before(wallet: str, moment: int, kind: str = "UPTIME") -> Session | None:
    """Return the latest record that begins at ``moment`` or earlier, read consistently."""
    return _first(wallet, 0, moment, kind, forward=False)


def first_session_after(wallet: str, moment: int) -> Session | None:
    """Return the earliest uptime record that begins later than ``moment``, read consistently."""
    return _first(wallet, moment + 1, _LAST_TIME, "UPTIME", forward=True)


def _first(wallet: str, low: int, high: int, kind: str, *, forward: bool) -> Session | None:
    (pk, first), (_, last) = uptime_key(wallet, low, kind), uptime_key(wallet, high, kind)
    with upstream_errors():
        found = UptimeRecord.query(
            pk, UptimeRecord.sk.between(first, last), consistent_read=True, limit=1, scan_index_forward=forward
        )
        return next((record.session for record in found), None)
