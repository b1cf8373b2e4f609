"""How long a build will take, from how long the last ones did."""

import math
import time
from datetime import timedelta

from slipway.builds.pipeline.runs import KIND
from slipway.control.rules import percentile
from slipway.errors import SlipwayError
from slipway.jobs.store import JobOutcome
from slipway.observability import logger
from slipway.store import upstream_errors
from slipway.times import Clock, now

TARGET_SECONDS = 87
"""What specification 003 promises; the estimate until there are builds to learn from."""

MIN_BUILDS, MAX_BUILDS = 5, 50
PERCENTILE = 90
_TTL_SECONDS = 30.0


def estimated_seconds(seconds: list[float]) -> int:
    """Estimate from the durations of completed builds: nine in ten were done in that time."""
    found = percentile(seconds, PERCENTILE) if len(seconds) >= MIN_BUILDS else None
    return TARGET_SECONDS if found is None else max(1, math.ceil(found))


class Estimator:
    """Estimates, read at most twice a minute.

    Args:
        clock: Passes the time.
    """

    def __init__(self, clock: Clock = time) -> None:
        self._clock = clock
        self._estimate, self._until = TARGET_SECONDS, 0.0

    def seconds(self) -> int:
        """Return the present estimate; a store that does not answer leaves the last one."""
        if self._clock.monotonic() >= self._until:
            self._until = self._clock.monotonic() + _TTL_SECONDS
            try:
                self._estimate = estimated_seconds(_last_durations())
            except SlipwayError:
                logger.exception("no estimate")
        return self._estimate


def _last_durations() -> list[float]:
    """Return the seconds that the newest completed builds of the last two days took."""
    found: list[float] = []
    for days in (0, 1):
        day = (now() - timedelta(days=days)).date().isoformat()
        with upstream_errors():
            newest = JobOutcome.query(f"OUTCOME#{KIND}#{day}", scan_index_forward=False, limit=2 * MAX_BUILDS)
            found += [float(entry.seconds) for entry in newest if entry.outcome == "completed"]
        if len(found) >= MAX_BUILDS:
            break
    return found[:MAX_BUILDS]
