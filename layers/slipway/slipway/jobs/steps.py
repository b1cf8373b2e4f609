"""Workflows that are hubs: which step of a job is due follows from what is stored, and one Task does it.

The state machine asks for work, waits as long as the answer says, and asks again. Everything else is decided here, in
Python, from the job as it is stored, so a job goes on wherever it was cut, in whichever execution.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from slipway.errors import SlipwayError
from slipway.jobs.failures import Failure
from slipway.observability import logger
from slipway.times import Clock

# The step that records why a job fails; every workflow has it.
GIVE_UP = "give_up"
# Another step begins in the same invocation only so soon after the first: a function's time covers that and one step.
TOGETHER_SECONDS = 10.0
# A step that changed nothing is not due again at once.
_SAME_STEP_PAUSE = 1


@dataclass(frozen=True)
class StepResult:
    """Where a job stands after a step.

    Attributes:
        step: What is due now.
        pause_seconds: How long to wait before it.
        status: The job's status, in the words of its API.
        more: What else the state machine passes on to its next state.
    """

    step: str
    pause_seconds: int = 0
    status: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def answer(self) -> dict[str, Any]:
        """The result as JSON, for the state machine."""
        return {"step": str(self.step), "pause_seconds": self.pause_seconds, "status": self.status, **self.more}


def perform[Value](boundary: str, job_id: str, step: Callable[[], Value]) -> Value:
    """Do one step of a job.

    All steps of all workflows pass through here, so that the fault tests can cut a job before and after each.

    Args:
        boundary: ``<workflow>:<step>``.
        job_id: The job.
        step: Does it.
    """
    value = step()
    logger.info("step done", boundary=boundary, job_id=job_id, outcome=value)
    return value


class Workflow[Job]:
    """A job that is done step by step.

    A workflow has ``steps``: each does what it can with the job, keeps it up to date, and returns the seconds to wait
    before the next. An error that is permanent is given up; any other is raised, for the state machine to try again.

    Args:
        clock: Gives the time.
    """

    name: str
    steps: ClassVar[Mapping[str, Callable[[Any, Any], int]]]

    def __init__(self, clock: Clock = time) -> None:
        self._clock = clock

    def _due(self, job: Job) -> str:
        """Return the step that is due; one that is not in ``steps`` is the state machine's, or the end."""
        raise NotImplementedError

    def _give_up(self, job: Job, failure: Failure) -> int:
        """Record why the job fails, and return the seconds to wait before what is left to do."""
        raise NotImplementedError

    def _status(self, job: Job) -> str:
        """Return the job's status."""
        raise NotImplementedError

    def _work(self, job: Job, job_id: str, failure: Failure | None = None) -> StepResult:
        """Do the steps that are due until the job has to wait, or what is due is not a step of this workflow.

        Args:
            job: As it is stored now.
            job_id: Names it in logs.
            failure: Why the last task failed, if it did; the job is given up for that reason first.
        """
        began_at = self._clock.monotonic()
        pause = self._give_up_for(failure, job, job_id) if failure else 0
        while not pause and self._clock.monotonic() - began_at < TOGETHER_SECONDS:
            step = self._due(job)
            if step not in self.steps:
                break
            pause = self._perform(step, job, job_id)
            if not pause and self._due(job) == step:
                pause = _SAME_STEP_PAUSE
        return StepResult(self._due(job), pause, self._status(job))

    def _perform(self, step: str, job: Job, job_id: str) -> int:
        try:
            return perform(f"{self.name}:{step}", job_id, lambda: self.steps[step](self, job))
        except SlipwayError as error:
            if not error.permanent:
                raise
            return self._give_up_for(Failure(error.code, error.message), job, job_id)

    def _give_up_for(self, failure: Failure, job: Job, job_id: str) -> int:
        logger.error("job fails", workflow=self.name, job_id=job_id, code=failure.code, reason=failure.message)
        return perform(f"{self.name}:{GIVE_UP}", job_id, lambda: self._give_up(job, failure))
