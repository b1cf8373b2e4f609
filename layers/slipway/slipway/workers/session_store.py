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
from slipway.jobs.store import job_event
from slipway.store import ConditionsFailedError, Transaction, condition_held, connection, upstream_errors
from slipway.workers.heartbeat_request import Beat
from slipway.workers.rules import (
    GAP,
    HOUR,
    MAX_LATE_BEATS,
    Change,
    Liveness,
    Session,
    flush_at,
    is_observed,
    observe,
    shard_of,
)
from slipway.workers.store import UptimeRecord, WorkerItem, uptime_key, worker_key

_PAGE = 100
# Machines that send in turn are noticed up to one more than so many.
_PREVIOUS_BOOT_IDS = 4


@dataclass(frozen=True)
class NotExtended:
    """A beat that did not simply extend an open session, with the worker as it stood in its way, if there is one."""

    worker: WorkerItem | None


def _arrived(now: int) -> Action:
    return WorkerItem.arrived_at.set(now)


def _newest(beat: Beat, now: int) -> list[Action]:
    """Return what the newest beat sets, but for what was observed."""
    return [
        _arrived(now),
        WorkerItem.last_seen.set(beat.at),
        WorkerItem.containers.set(beat.containers),
        WorkerItem.figures.set(beat.figures) if beat.figures else WorkerItem.figures.remove(),
        *_due(beat.wallet, beat.at, now),
    ]


def _due(wallet: str, last: int, now: int) -> list[Action]:
    """Return what puts a worker into the index ``stale``, to be looked at if nothing comes after ``last``."""
    shard = shard_of(wallet)
    return [WorkerItem.flush_shard.set(flush_shard(shard)), WorkerItem.flush_at.set(flush_at(last, now, shard))]


def flush_shard(shard: int) -> str:
    """Key of a shard of the index ``stale``."""
    return f"STALE#{shard}"


def extend_session(beat: Beat, token_hash: bytes, now: int) -> NotExtended | None:
    """Extend the open session by a newer beat: one write that also checks the token and the order of the beats.

    One that is observed extends the run of observed beats by its arrival; a late one counts against its hour.

    Returns:
        None when it did; otherwise why it could not.

    Raises:
        WriteContentionError: A transaction holds the worker at this moment.
        UpstreamUnavailableError: The table did not answer.
    """
    actions = _newest(beat, now)
    condition = (
        (WorkerItem.token_hash == token_hash)
        & WorkerItem.session_start.exists()
        & (WorkerItem.last_seen < beat.at)
        & (WorkerItem.last_seen >= beat.at - GAP)
        & WorkerItem.noticed.does_not_exist()
    )
    if is_observed(beat.at, now):
        actions += [WorkerItem.observed_until.set(now), WorkerItem.clock_offset.set(clock_offset(beat, now))]
        condition &= WorkerItem.observed_until.between(now - GAP, now)
    else:
        actions.append(WorkerItem.late_beats.set(WorkerItem.late_beats + 1))
        condition &= (WorkerItem.late_hour == now // HOUR) & (WorkerItem.late_beats < MAX_LATE_BEATS)
    if beat.boot_id is not None:
        condition &= WorkerItem.boot_id == beat.boot_id
    arguments = WorkerItem(*worker_key(beat.wallet)).get_update_kwargs_from_instance(
        actions=actions,
        condition=condition,
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


def clock_offset(beat: Beat, now: int) -> int:
    """Return how far the clock behind an observed beat is ahead, in seconds; negative when it is slow."""
    return round((beat.at + beat.ahead - now) / 1000)


def _write_record(write: Transaction, wallet: str, session: Session, kind: str = "UPTIME") -> None:
    record = UptimeRecord(*uptime_key(wallet, session.time_from, kind))
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
    actions = [_next_revision(worker), WorkerItem.noticed.remove(), *_sender(worker, beat, now)]
    write = Transaction()
    if worker.noticed is not None:
        event = job_event(worker.pk, "up", "Its heartbeats come again", {"previous_status": worker.noticed})
        write.create("event", event)
    elif worker.seen_at is None:
        _record_first(worker)
    if not is_observed(beat.at, now):
        hour = now // HOUR
        actions.append(WorkerItem.late_hour.set(hour))
        actions.append(WorkerItem.late_beats.set((worker.late_beats or 0) + 1 if worker.late_hour == hour else 1))
    elif change.newest:
        run = observe(now, worker.observed_start, worker.observed_until)
        actions.append(WorkerItem.observed_start.set(run.time_from))
        actions.append(WorkerItem.observed_until.set(run.time_to))
        actions.append(WorkerItem.clock_offset.set(clock_offset(beat, now)))
        if run.ended:
            _write_record(write, beat.wallet, run.ended, "OBSERVED")
    if change.session_start is not None:
        actions.append(WorkerItem.session_start.set(change.session_start))
    if change.newest:
        # Beats that extend the session leave the revision as it is.
        condition &= _last_seen_is(worker)
        actions += _newest(beat, now)
    else:
        # One that has no session is looked for as well.
        actions += [_arrived(now), *([] if worker.flush_shard else _due(beat.wallet, now, now))]
    write.update("worker", WorkerItem(*worker_key(beat.wallet)), actions, condition)
    for time_from in change.removed:
        write.delete("removed", UptimeRecord(*uptime_key(beat.wallet, time_from)), UptimeRecord.pk.exists())
    if change.written:
        _write_record(write, beat.wallet, change.written)
    return _committed(write)


def _sender(worker: WorkerItem, beat: Beat, now: int) -> list[Action]:
    """Keep which running systems sent; one that returns after another was never rebooted, so there are several."""
    if beat.boot_id is None or beat.boot_id == worker.boot_id:
        return []
    actions: list[Action] = [WorkerItem.boot_id.set(beat.boot_id)]
    previous = (worker.previous_boot_id or "").split("\n")
    if worker.boot_id is not None:
        others = [known for known in previous if known and known != beat.boot_id]
        actions.append(WorkerItem.previous_boot_id.set("\n".join([worker.boot_id, *others][:_PREVIOUS_BOOT_IDS])))
    if beat.boot_id in previous:
        actions.append(WorkerItem.cloned_at.set(now))
    return actions


def _record_first(worker: WorkerItem) -> None:
    """Record that a new worker is up, before its first beat is written: one unit, where a transaction takes two.

    The event has one key for each enrolment, so a beat that is tried again writes the same one.
    """
    event = job_event(worker.pk, "up", "Its first heartbeat came", {"previous_status": Liveness.NEW.value})
    event.sk = f"EVENT#{worker.enrolled_at}#up"
    with upstream_errors():
        event.save()


def _last_seen_is(worker: WorkerItem) -> Condition:
    known = worker.last_seen
    return WorkerItem.last_seen.does_not_exist() if known is None else WorkerItem.last_seen == known


def arrival_is(worker: WorkerItem) -> Condition:
    """Return the condition that no beat has arrived since the worker was read."""
    known = worker.arrived_at
    return WorkerItem.arrived_at.does_not_exist() if known is None else WorkerItem.arrived_at == known


def noticed_is(worker: WorkerItem) -> Condition:
    """Return the condition that no other silence was noticed since the worker was read."""
    known = worker.noticed
    return WorkerItem.noticed.does_not_exist() if known is None else WorkerItem.noticed == known


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


def open_workers(shard: int) -> Iterator[str]:
    """Yield the wallets of a shard's workers that have an open session, due or not."""
    with upstream_errors():
        for item in WorkerItem.by_staleness.query(flush_shard(shard), page_size=_PAGE):
            yield item.pk.removeprefix("WORKER#")


def close_session(wallet: str, worker: WorkerItem, session: Session | None, now: int) -> bool:
    """Make the open session, if there is one, an uptime record, and record that the worker is down.

    It is not down if a beat arrived lately: beats of long ago come from a spool, whose worker is alive. Such a worker
    stays in the index ``stale``, so that its silence is noticed.

    Returns:
        False when the worker is no longer as it was read, so that nothing was written.

    Raises:
        WriteContentionError: Others kept writing the same items.
        UpstreamUnavailableError: The table did not answer.
    """
    actions = [_next_revision(worker), WorkerItem.session_start.remove()]
    condition = _unchanged(worker) & _last_seen_is(worker)
    write = Transaction()
    if worker.is_alive(now):
        actions += _due(wallet, worker.seen_at or now, now)
    else:
        actions += [WorkerItem.flush_shard.remove(), WorkerItem.flush_at.remove()]
        # A late beat that fills a gap changes the arrival alone.
        condition &= arrival_is(worker)
    if worker.noticed != Liveness.DOWN.value and worker.status(now) is Liveness.DOWN:
        actions.append(WorkerItem.noticed.set(Liveness.DOWN.value))
        condition &= noticed_is(worker)
        previous = worker.noticed or Liveness.HEALTHY.value
        event = job_event(worker.pk, Liveness.DOWN.value, "No heartbeat came", {"previous_status": previous})
        write.create("event", event)
    write.update("worker", WorkerItem(*worker_key(wallet)), actions, condition)
    if session:
        _write_record(write, wallet, session)
    return _committed(write)


def reschedule_flush(wallet: str, worker: WorkerItem, now: int) -> None:
    """Put a worker that is alive where its last beat belongs; a beat that came meanwhile has done so itself."""
    last = (worker.last_seen if worker.session_start is not None else worker.seen_at) or 0
    condition_held(
        lambda: WorkerItem(*worker_key(wallet)).update(
            actions=_due(wallet, last, now),
            condition=WorkerItem.flush_shard.exists() & _last_seen_is(worker),
        )
    )
