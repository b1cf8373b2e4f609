"""Ending the sessions of workers that fell silent: their records are written with the true time of the last beat.

Only workers whose time in the index ``stale`` has come are looked at, so the cost follows those that are stale and not
those that are alive. Each is closed by a transaction on the worker as it was read, so two flushes, a beat and a redrive
write one record between them.
"""

import time
from collections import Counter
from dataclasses import dataclass

from slipway.errors import WriteContentionError
from slipway.observability import logger, record
from slipway.times import Clock, epoch_milliseconds, now
from slipway.workers.rules import newest_session
from slipway.workers.session_store import close_session, due_workers, reschedule_flush
from slipway.workers.store import find_worker

_TRIES = 3


@dataclass(frozen=True)
class Flushed:
    """What one look at a shard did.

    Attributes:
        flushed: Sessions that it closed.
        moved: Workers that are alive after all and are looked at later, or that another flush has closed.
        left: Workers that kept changing; the next run finds them again.
        again: Whether time was over before the last of them.
    """

    flushed: int
    moved: int
    left: int
    again: bool


def flush_shard(shard: int, until: float, clock: Clock = time) -> Flushed:
    """Close the stale sessions of a shard, as many as there is time for.

    Args:
        shard: Which.
        until: When no further worker is begun, by ``clock``.
        clock: Passes the time.

    Raises:
        UpstreamUnavailableError: The table did not answer.
    """
    counts, again = Counter[str](), False
    for wallet in due_workers(shard, epoch_milliseconds(now(clock)) // 1000):
        if again := clock.monotonic() >= until:
            break
        counts[_flush(wallet, clock)] += 1
    if counts["flushed"]:
        record("SessionsFlushed", counts["flushed"])
    if counts["left"]:
        logger.warning("workers left for the next run", shard=shard, left=counts["left"])
    return Flushed(counts["flushed"], counts["moved"], counts["left"], again)


def _flush(wallet: str, clock: Clock = time) -> str:
    for _ in range(_TRIES):
        worker, moment = find_worker(wallet), epoch_milliseconds(now(clock))
        if worker is None or worker.flush_shard is None:
            # Another flush was faster, and the index has not heard of it yet.
            return "moved"
        session = newest_session(worker.session_start, worker.last_seen, moment)
        if session.open if session else worker.is_alive(moment):
            reschedule_flush(wallet, worker, moment)
            return "moved"
        try:
            if close_session(wallet, worker, session, moment):
                return "flushed"
        except WriteContentionError:
            continue
    return "left"
