"""What every task of a build's run does: see whether it is due, go on to the next stage, and record the end.

The stage is stored with the build and changed under the condition that nobody has gone on meanwhile, so each task may
be called any number of times, by any number of executions; a run that another took the place of does nothing any more.
"""

import json
import time
from collections.abc import Sequence
from datetime import timedelta

from aws_lambda_powertools.metrics import MetricUnit
from pynamodb.expressions.update import Action

from slipway.builds.states import Progress, Stage, Status, Step
from slipway.builds.store import BuildItem, change_build, find_build, running
from slipway.control.breaker import Outcome
from slipway.control.store import Service, record_outcome
from slipway.errors import (
    OPERATOR_ERRORS,
    AuditUnavailableError,
    NotFoundError,
    SlipwayError,
)
from slipway.jobs.store import job_outcome
from slipway.observability import record
from slipway.store import Transaction
from slipway.times import Clock, from_text, now, now_text, to_text

KIND = "build"
# How soon reconcile first checks a build, and how often then.
RECONCILE_AFTER_SECONDS = 120
# Ends that say something of this installation; the others are what the caller asked for.
_OPERATOR_ERRORS = OPERATOR_ERRORS | {AuditUnavailableError.code}
_MAX_MESSAGE, _MAX_DETAILS = 2000, 50


def execution_input(build: BuildItem) -> str:
    """Return the input of a build's state machine."""
    return json.dumps({"build_id": build.build_id, "job_id": build.job_id})


def next_check_at(clock: Clock = time) -> str:
    """Return when reconcile looks at a build that is accepted, or was looked at, now."""
    return to_text(now(clock) + timedelta(seconds=RECONCILE_AFTER_SECONDS))


def due(build_id: str, job_id: str, *stages: Stage) -> tuple[BuildItem, bool]:
    """Return the build, and whether its run is this one, goes on, and is at one of these stages.

    Raises:
        NotFoundError: There is no such build.
    """
    build = find_build(build_id)
    if build is None:
        raise NotFoundError("There is no such build")
    return build, build.job_id == job_id and not build.ended and Stage(build.stage) in stages


def next_stage(build: BuildItem, job_id: str) -> Stage:
    """Return what a run does next; nothing when the build has ended, was cancelled, or another run took its place."""
    return Stage.DONE if build.ended or build.job_id != job_id else Stage(build.stage)


class Runs:
    """What tasks record of runs.

    Args:
        clock: Gives the time.
    """

    def __init__(self, clock: Clock = time) -> None:
        self._clock = clock

    def begin_stage(
        self, build: BuildItem, job_id: str, at: Stage, to: Stage, event: Progress, actions: Sequence[Action] = ()
    ) -> bool:
        """Go on to a stage, if the run is still where it was; a new status begins a new time to be measured."""
        times = [BuildItem.stage_began_at.set(now_text(self._clock))] if str(event.status) != build.status else []
        return change_build(
            build,
            [BuildItem.stage.set(str(to)), *times, *actions],
            running(job_id) & (BuildItem.stage == str(at)),
            update=event,
        )

    def seconds_of_stage(self, build: BuildItem) -> float:
        """Seconds since the build's status last changed."""
        return round(max(0.0, (now(self._clock) - from_text(build.stage_began_at)).total_seconds()), 3)

    def fail(self, build: BuildItem, job_id: str, error: SlipwayError, actions: Sequence[Action] = ()) -> Stage:
        """Record that a build failed, and why."""
        details = error.details
        if details and "problems" in details:
            details = {**details, "problems": details["problems"][:_MAX_DETAILS]}
        changes = [
            BuildItem.stage.set(str(Stage.DONE)),
            BuildItem.error_code.set(error.code),
            BuildItem.error_message.set(error.message[:_MAX_MESSAGE]),
            *([BuildItem.error_details.set(details)] if details else []),
            *actions,
        ]
        event = Progress(Status.FAILED, 0, Step.ERROR, error.message[:_MAX_MESSAGE])
        self.finish(build, job_id, event, changes, error.code)
        return next_stage(build, job_id)

    def finish(
        self,
        build: BuildItem,
        job_id: str,
        event: Progress,
        actions: Sequence[Action],
        error_code: str | None,
        *,
        gas: int = 0,
        cost: int = 0,
        is_ours: bool | None = None,
        at: Stage | None = None,
    ) -> bool:
        """End a run, and count how it ended; False when it had ended already, or is not at a stage any more.

        Args:
            build: The build.
            job_id: The run.
            event: Its last.
            actions: Further changes of the build.
            error_code: Why it failed, None if it did not.
            gas: What its transactions used.
            cost: What they cost, in wei.
            is_ours: Whether a failure says something of this installation; None to judge by its code.
            at: The stage that it ends from, if more could be added to the run meanwhile.
        """
        seconds = (now(self._clock) - from_text(build.run_began_at)).total_seconds()
        outcome = job_outcome(KIND, error_code or "completed", seconds, gas, cost)

        def also(write: Transaction) -> None:
            # A run that only deploys says nothing of how long a build takes.
            if int(build.runs) == 1:
                write.create("outcome", outcome)

        condition = running(job_id) if at is None else running(job_id) & (BuildItem.stage == str(at))
        if not change_build(build, actions, condition, update=event, also=also):
            return False
        record("Builds", outcome=error_code or "completed")
        record("BuildFailed", 1 if error_code else 0)
        if error_code is None:
            record("BuildDuration", seconds, MetricUnit.Seconds, outcome="completed")
            record_outcome(Service.BUILDS, Outcome.SUCCESS)
        elif error_code in _OPERATOR_ERRORS if is_ours is None else is_ours:
            record_outcome(Service.BUILDS, Outcome.FAILURE)
        else:
            # The request failed, not the service.
            record_outcome(Service.BUILDS, Outcome.SUCCESS)
        return True
