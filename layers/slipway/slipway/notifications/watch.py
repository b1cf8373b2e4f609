"""Noticing workers that fell silent: nobody writes when a beat does not come, so somebody has to look.

Only workers are looked at that somebody wants to hear of, so an installation without webhooks pays for one query.
"""

from collections.abc import Iterable, Iterator
from itertools import batched

from pynamodb.expressions.condition import Condition

from slipway.jobs.store import job_event
from slipway.notifications.store import ALL, watched_owners
from slipway.store import Transaction, read_together
from slipway.times import epoch_milliseconds
from slipway.workers.rules import SHARDS, Liveness
from slipway.workers.session_store import open_workers
from slipway.workers.store import WorkerItem, worker_key

_TOGETHER = 100
_SILENT = (Liveness.LATE, Liveness.DOWN)


def watch_workers() -> int:
    """Record that watched workers are late or down, once each; returns of how many.

    Raises:
        UpstreamUnavailableError: A table did not answer.
    """
    owners = watched_owners()
    wallets: Iterable[str] = _everybody() if ALL in owners else owners
    now = epoch_milliseconds()
    return sum(
        _notice(worker, now)
        for some in batched(wallets, _TOGETHER, strict=False)
        for worker in read_together(WorkerItem, [worker_key(wallet) for wallet in some])
    )


def _everybody() -> Iterator[str]:
    """Yield workers with an open session; who is without one was noticed when it ended."""
    for shard in range(SHARDS):
        yield from open_workers(shard)


def _notice(worker: WorkerItem, now: int) -> bool:
    status = worker.status(now)
    if status not in _SILENT or worker.noticed in (status.value, Liveness.DOWN.value):
        return False
    write = Transaction()
    arrived: Condition = WorkerItem.arrived_at.does_not_exist()
    if worker.arrived_at is not None:
        arrived = WorkerItem.arrived_at == worker.arrived_at
    noticed = WorkerItem.noticed.does_not_exist() if worker.noticed is None else WorkerItem.noticed == worker.noticed
    # A beat that comes meanwhile, or another run, makes this fail: then there is nothing to say.
    write.update("worker", WorkerItem(worker.pk, worker.sk), [WorkerItem.noticed.set(status.value)], arrived & noticed)
    previous = worker.noticed or Liveness.HEALTHY.value
    write.create("event", job_event(worker.pk, status.value, "No heartbeat came", {"previous_status": previous}))
    return write.commit_if_allowed()
