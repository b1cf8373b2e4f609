"""Finds builds whose execution died, and has them finished or failed."""

import time
from collections.abc import Callable

from slipway.builds.pipeline.runs import Runs, execution_input, next_check_at
from slipway.builds.states import Stage
from slipway.builds.store import KIND, BuildItem, find_build, running
from slipway.errors import UpstreamUnavailableError
from slipway.jobs.open_work import count_execution, due_jobs, postpone
from slipway.observability import logger, record
from slipway.times import Clock, from_text, now, now_text

_MAX_DUE = 50
MAX_EXECUTIONS = 5
"""How often a run is started before it is given up. What may be on a chain is never given up."""

_MAY_BE_ON_A_CHAIN = {str(Stage.PREPARE), str(Stage.DEPLOY)}


class BuildReconcile:
    """Finds and mends what was left behind.

    Args:
        start: Starts ``build`` under an execution name, with an input.
        status: Tells how the execution of a name stands.
        clock: Gives the time.
    """

    def __init__(
        self, start: Callable[[str, str], None], status: Callable[[str], str | None], clock: Clock = time
    ) -> None:
        self._clock = clock
        self._start = start
        self._status = status

    def find(self) -> list[str]:
        """Ids of builds that should have ended, or have been looked at, by now."""
        found = due_jobs(KIND, now_text(self._clock), _MAX_DUE)
        record("OverdueBuilds", len(found))
        return found

    def reconcile_build(self, build_id: str) -> str:
        """Make sure that a build's run is being worked on, or has ended.

        Returns:
            ``ended``, ``running``, ``started`` or ``failed``.
        """
        build = find_build(build_id)
        if build is None or build.ended:
            return "ended"
        record("OldestUnfinishedBuild", (now(self._clock) - from_text(build.run_began_at)).total_seconds())
        found = self._status(build.execution_name)
        if found == "RUNNING":
            done = "running"
        elif found is not None and self._is_hopeless(build):
            error = UpstreamUnavailableError("The build was begun again and again and never ended")
            Runs(self._clock).fail(build, build.job_id, error)
            return "failed"
        elif found is not None and not count_execution(build, running(build.job_id)):
            # Somebody else counted first, and starts it.
            done = "running"
        else:
            self._start(build.execution_name, execution_input(build))
            logger.warning("build started again", build_id=build_id, stage=build.stage, execution_status=found)
            record("BuildsStartedAgain")
            done = "started"
        postpone(build, next_check_at(self._clock))
        return done

    @staticmethod
    def _is_hopeless(build: BuildItem) -> bool:
        return int(build.executions) >= MAX_EXECUTIONS and build.stage not in _MAY_BE_ON_A_CHAIN
