"""Ending the sessions of workers that fell silent: their records are written with the true time of the last beat.

Only workers whose time in the index ``stale`` has come are looked at, so the cost follows those that are stale and not
those that are alive. Each is closed by a transaction on the worker as it was read, so two flushes, a beat and a redrive
write one record between them.
"""

import time
from dataclasses import dataclass

from slipway.errors import WriteContentionError
from slipway.observability import logger, record
from slipway.times import epoch_milliseconds
from slipway.workers.rules import newest_session
from slipway.workers.session_store import Due, close_session, due_workers, look_again
from slipway.workers.store import find_worker

_PAGE = 100
_MOST_SECONDS = 15
_TRIES = 3


@dataclass(frozen=True)
class Flushed:
    """What one look at a shard did.

    Attributes:
        flushed: Sessions that it closed.
        moved: Workers that are alive after all and are looked at later, or that somebody else has closed.
        left: Workers that kept changing; the next run finds them again.
        after: Where to go on; None when the shard is done.
    """

    flushed: int
    moved: int
    left: int
    after: Due | None


def flush_shard(shard: int, after: Due | None) -> Flushed:
    """Close the stale sessions of a shard, as many as there is time for.

    Args:
        shard: Which.
        after: The last worker that an earlier look came to.

    Raises:
        UpstreamUnavailableError: The table did not answer.
    """
    ends_at = time.monotonic() + _MOST_SECONDS
    page, more = due_workers(shard, epoch_milliseconds() // 1000, _PAGE, after)
    counts = {"flushed": 0, "moved": 0, "left": 0}
    last = after
    for due in page:
        counts[_flush(due.wallet)] += 1
        last = due
        if time.monotonic() > ends_at:
            more = True
            break
    if counts["flushed"]:
        record("SessionsFlushed", counts["flushed"])
    if counts["left"]:
        logger.warning("workers left for the next run", shard=shard, left=counts["left"])
    return Flushed(**counts, after=last if more else None)


def _flush(wallet: str) -> str:
    for _ in range(_TRIES):
        worker, now = find_worker(wallet), epoch_milliseconds()
        session = newest_session(worker.session_start, worker.last_seen, now) if worker else None
        if worker is None or session is None:
            # Somebody else was faster, and the index has not heard of it yet.
            return "moved"
        if session.open:
            look_again(wallet, worker, now)
            return "moved"
        try:
            if close_session(wallet, worker, session):
                return "flushed"
        except WriteContentionError:
            continue
    return "left"
