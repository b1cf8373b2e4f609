"""Workers and their uptime records.

Keys in the workers table, where a wallet is in EIP-55 form:

- ``WORKER#<wallet>`` / ``WORKER``: the worker with its open session; in ``fleet`` from its enrolment on, in ``stale``
  as long as its session is open, in ``token`` as long as it has one;
- ``WORKER#<wallet>`` / ``UPTIME#<first beat>``: one session that is over, the time in milliseconds with leading zeros.
"""

import json
import zlib
from collections.abc import Sequence
from typing import Any

from pynamodb.attributes import Attribute, BinaryAttribute, UnicodeAttribute
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
from slipway.times import now_text
from slipway.workers.rules import Session

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
    """Sparse: workers with an open session, by when it has to be looked at (see ``rules.flush_at``)."""

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
    """

    token_hash = BinaryAttribute(legacy_encoding=False, null=True)
    enrolment_hash = BinaryAttribute(legacy_encoding=False, null=True)
    enrolment_expires_at = IntegerAttribute(null=True)
    session_start = IntegerAttribute(null=True)
    last_seen = IntegerAttribute(null=True)
    containers = ContainersAttribute(null=True)
    revision = IntegerAttribute(null=True)


class UptimeRecord(WorkersItem):
    """A session that is over: its first and its last beat, in milliseconds since 1970."""

    time_from = IntegerAttribute()
    time_to = IntegerAttribute()

    @property
    def session(self) -> Session:
        """As the rules know it."""
        return Session(self.time_from, self.time_to)


def worker_key(wallet: str) -> tuple[str, str]:
    """Return the key of a worker's item."""
    return f"WORKER#{wallet}", "WORKER"


def uptime_key(wallet: str, time_from: int) -> tuple[str, str]:
    """Return the key of an uptime record."""
    return f"WORKER#{wallet}", f"UPTIME#{time_from:015d}"


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


def keep_enrolment(write: Transaction, wallet: str, code_hash: bytes, expires_at: int) -> None:
    """Add a worker, or a new code of one that is there, to a transaction; ``expires_at`` in seconds since 1970."""
    write.update(
        "worker",
        WorkerItem(*worker_key(wallet)),
        [
            WorkerItem.fleet.set(FLEET),
            WorkerItem.enrolled_at.set(WorkerItem.enrolled_at | now_text()),
            WorkerItem.enrolment_hash.set(code_hash),
            WorkerItem.enrolment_expires_at.set(expires_at),
        ],
    )


def take_enrolment(write: Transaction, wallet: str, code_hash: bytes, token_hash: bytes, now: int) -> None:
    """Add to a transaction that a code is used up for a token; it fails when there is no such code now (seconds)."""
    write.update(
        "worker",
        WorkerItem(*worker_key(wallet)),
        [WorkerItem.token_hash.set(token_hash), *_without_code()],
        condition=(WorkerItem.enrolment_hash == code_hash) & (WorkerItem.enrolment_expires_at > now),
    )


def forget_tokens(write: Transaction, wallet: str) -> None:
    """Add to a transaction that a worker's token and code end; it fails when the wallet enrolled no worker."""
    write.update(
        "worker",
        WorkerItem(*worker_key(wallet)),
        [WorkerItem.token_hash.remove(), *_without_code()],
        condition=WorkerItem.pk.exists(),
    )


def _without_code() -> list[Action]:
    return [WorkerItem.enrolment_hash.remove(), WorkerItem.enrolment_expires_at.remove()]


def sessions_between(wallet: str, begin: int, end: int) -> list[Session]:
    """Return the uptime records that begin after ``begin`` and before ``end``, oldest first, read consistently."""
    if end - begin < 2:
        return []
    (pk, first), (_, last) = uptime_key(wallet, begin + 1), uptime_key(wallet, end - 1)
    with upstream_errors():
        found = UptimeRecord.query(pk, UptimeRecord.sk.between(first, last), consistent_read=True)
        return [record.session for record in found]


def last_session_before(wallet: str, moment: int) -> Session | None:
    """Return the latest uptime record that begins at ``moment`` or earlier, read consistently."""
    return _first(wallet, 0, moment, forward=False)


def first_session_after(wallet: str, moment: int) -> Session | None:
    """Return the earliest uptime record that begins later than ``moment``, read consistently."""
    return _first(wallet, moment + 1, _LAST_TIME, forward=True)


def _first(wallet: str, low: int, high: int, *, forward: bool) -> Session | None:
    (pk, first), (_, last) = uptime_key(wallet, low), uptime_key(wallet, high)
    with upstream_errors():
        found = UptimeRecord.query(
            pk, UptimeRecord.sk.between(first, last), consistent_read=True, limit=1, scan_index_forward=forward
        )
        return next((record.session for record in found), None)
