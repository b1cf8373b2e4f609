"""Noticing workers that fell silent: nobody writes when a beat does not come, so somebody has to look.

Only workers are looked at that somebody wants to hear of, so an installation without webhooks pays for one query. Each
shard is a step of its own: a fleet that falls silent at once takes time from no flush.
"""

import time
from collections.abc import Iterable
from itertools import batched

from slipway.errors import WriteContentionError
from slipway.jobs.store import job_event
from slipway.notifications.store import ALL, watched_owners
from slipway.store import Transaction, read_together
from slipway.times import Clock, epoch_milliseconds, now
from slipway.workers.flush import Flushed
from slipway.workers.rules import SHARDS, Liveness, shard_of
from slipway.workers.session_store import arrival_is, noticed_is, open_workers
from slipway.workers.store import WorkerItem, worker_key

_TOGETHER = 100
_SILENT = (Liveness.LATE, Liveness.DOWN)


def watched_shards() -> set[int]:
    """Return the shards in which somebody's worker, or everybody's (``ALL``), is watched."""
    owners = watched_owners()
    return set(range(SHARDS)) if ALL in owners else set(map(shard_of, owners))


def watch_shard(shard: int, until: float, clock: Clock = time) -> Flushed:
    """Record that watched workers of a shard are late or down, once each.

    Args:
        shard: Which.
        until: When no further worker is looked at, by ``clock``.
        clock: Passes the time.

    Returns:
        How many were noticed (``moved``), and how many others kept changing (``left``).

    Raises:
        UpstreamUnavailableError: A table did not answer.
    """
    owners = watched_owners()
    # Whoever is without an open session was noticed when it ended.
    wallets: Iterable[str] = open_workers(shard) if ALL in owners else (w for w in owners if shard_of(w) == shard)
    moment, moved, left = epoch_milliseconds(now(clock)), 0, 0
    for some in batched(wallets, _TOGETHER, strict=False):
        for worker in read_together(WorkerItem, [worker_key(wallet) for wallet in some]):
            if clock.monotonic() >= until:
                return Flushed(0, moved, left, again=True)
            try:
                moved += _notice(worker, moment)
            except WriteContentionError:
                left += 1
    return Flushed(0, moved, left, again=False)


def _notice(worker: WorkerItem, now: int) -> bool:
    status = worker.status(now)
    if status not in _SILENT or worker.noticed in (status.value, Liveness.DOWN.value):
        return False
    write = Transaction()
    # A beat that comes meanwhile, or another run, makes this fail: then there is nothing to say.
    condition = arrival_is(worker) & noticed_is(worker)
    write.update("worker", WorkerItem(worker.pk, worker.sk), [WorkerItem.noticed.set(status.value)], condition)
    previous = worker.noticed or Liveness.HEALTHY.value
    write.create("event", job_event(worker.pk, status.value, "No heartbeat came", {"previous_status": previous}))
    return write.commit_if_allowed()
