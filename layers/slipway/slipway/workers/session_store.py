"""Moving workers' sessions: what a beat and ``uptime_flush`` write.

Whoever decides on what it has read writes under the condition that it is still so: ``revision`` for the open session's
first beat and the records, ``last_seen`` for its last one, which beats that extend a session change alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import botocore.exceptions
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from slipway.errors import UpstreamUnavailableError, WriteContentionError
from slipway.store import ConditionsFailedError, Transaction, condition_held, connection, upstream_errors
from slipway.workers.heartbeat_request import Beat
from slipway.workers.rules import GAP, Change, Session, flush_at, shard_of
from slipway.workers.store import UptimeRecord, WorkerItem, uptime_key, worker_key

_PAGE = 100


@dataclass(frozen=True)
class NotExtended:
    """A beat that did not simply extend an open session, with the worker as it stood in its way, if there is one."""

    worker: WorkerItem | None


def _newest(beat: Beat, now: int) -> list[Action]:
    """Return what the newest beat sets."""
    shard = shard_of(beat.wallet)
    return [
        WorkerItem.last_seen.set(beat.at),
        WorkerItem.containers.set(beat.containers),
        WorkerItem.flush_shard.set(flush_shard(shard)),
        WorkerItem.flush_at.set(flush_at(beat.at, now, shard)),
    ]


def flush_shard(shard: int) -> str:
    """Key of a shard of the index ``stale``."""
    return f"STALE#{shard}"


def extend_session(beat: Beat, token_hash: bytes, now: int) -> NotExtended | None:
    """Extend the open session by a newer beat: one write that also checks the token and the order of the beats.

    Returns:
        None when it did; otherwise why it could not.

    Raises:
        WriteContentionError: A transaction holds the worker at this moment.
        UpstreamUnavailableError: The table did not answer.
    """
    arguments = WorkerItem(*worker_key(beat.wallet)).get_update_kwargs_from_instance(
        actions=_newest(beat, now),
        condition=(WorkerItem.token_hash == token_hash)
        & WorkerItem.session_start.exists()
        & (WorkerItem.last_seen < beat.at)
        & (WorkerItem.last_seen >= beat.at - GAP),
        return_values_on_condition_failure="ALL_OLD",
    )
    try:
        # PynamoDB's own update asks for the whole item back, and hides the one that failed the condition.
        connection.client.update_item(**arguments)  # type: ignore[attr-defined]
    except botocore.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ConditionalCheckFailedException":
            found: dict[str, Any] | None = error.response.get("Item")  # type: ignore[assignment]
            return NotExtended(WorkerItem.from_raw_data(found) if found else None)
        if code == "TransactionConflictException":
            raise WriteContentionError("Another write holds this worker; try again", retry_after=1) from error
        raise UpstreamUnavailableError(f"The store did not answer: {code}", retry_after=2) from error
    except botocore.exceptions.BotoCoreError as error:
        raise UpstreamUnavailableError(f"The store did not answer: {type(error).__name__}", retry_after=2) from error
    return None


def _unchanged(worker: WorkerItem) -> Condition:
    """Nobody has touched the worker's sessions since it was read."""
    known = worker.revision
    return WorkerItem.revision.does_not_exist() if known is None else WorkerItem.revision == known


def _next_revision(worker: WorkerItem) -> Action:
    return WorkerItem.revision.set((worker.revision or 0) + 1)


def _write_record(write: Transaction, wallet: str, session: Session) -> None:
    record = UptimeRecord(*uptime_key(wallet, session.time_from))
    actions = [UptimeRecord.time_from.set(session.time_from), UptimeRecord.time_to.set(session.time_to)]
    write.update("record", record, actions)


def change_sessions(worker: WorkerItem, beat: Beat, change: Change, now: int) -> bool:
    """Do what ``rules.place`` decided, all of it or nothing.

    Returns:
        False when the worker is no longer as it was read, so that nothing was written.

    Raises:
        WriteContentionError: Others kept writing the same items.
        UpstreamUnavailableError: The table did not answer.
    """
    condition = _unchanged(worker) & (WorkerItem.token_hash == worker.token_hash)
    actions = [_next_revision(worker)]
    if change.session_start is not None:
        actions.append(WorkerItem.session_start.set(change.session_start))
    if change.newest:
        # Beats that extend the session leave the revision as it is.
        condition &= _last_seen_is(worker)
        actions += _newest(beat, now)
    write = Transaction()
    write.update("worker", WorkerItem(*worker_key(beat.wallet)), actions, condition)
    for time_from in change.removed:
        write.delete("removed", UptimeRecord(*uptime_key(beat.wallet, time_from)), UptimeRecord.pk.exists())
    if change.written:
        _write_record(write, beat.wallet, change.written)
    return _committed(write)


def _last_seen_is(worker: WorkerItem) -> Condition:
    known = worker.last_seen
    return WorkerItem.last_seen.does_not_exist() if known is None else WorkerItem.last_seen == known


def _committed(write: Transaction) -> bool:
    try:
        write.commit()
    except ConditionsFailedError:
        return False
    return True


def due_workers(shard: int, moment: int) -> Iterator[str]:
    """Yield the wallets of a shard's workers whose look is due, the longest due first.

    Args:
        shard: Which.
        moment: The present, in seconds since 1970.

    Raises:
        UpstreamUnavailableError: The table did not answer.
    """
    with upstream_errors():
        for item in WorkerItem.by_staleness.query(flush_shard(shard), WorkerItem.flush_at <= moment, page_size=_PAGE):
            yield item.pk.removeprefix("WORKER#")


def close_session(wallet: str, worker: WorkerItem, session: Session) -> bool:
    """Make the open session an uptime record.

    Returns:
        False when the worker is no longer as it was read, so that nothing was written.

    Raises:
        WriteContentionError: Others kept writing the same items.
        UpstreamUnavailableError: The table did not answer.
    """
    actions = [
        _next_revision(worker),
        WorkerItem.session_start.remove(),
        WorkerItem.flush_shard.remove(),
        WorkerItem.flush_at.remove(),
    ]
    write = Transaction()
    write.update("worker", WorkerItem(*worker_key(wallet)), actions, _unchanged(worker) & _last_seen_is(worker))
    _write_record(write, wallet, session)
    return _committed(write)


def look_again(wallet: str, worker: WorkerItem, now: int) -> None:
    """Put a worker that is alive where its last beat belongs; a beat that came meanwhile has done so itself."""
    shard, last_seen = shard_of(wallet), worker.last_seen or 0
    condition_held(
        lambda: WorkerItem(*worker_key(wallet)).update(
            actions=[WorkerItem.flush_at.set(flush_at(last_seen, now, shard))],
            condition=WorkerItem.session_start.exists() & _last_seen_is(worker),
        )
    )
