"""How a workflow's one function reads the event of a Task, and what it answers."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pynamodb.exceptions import PynamoDBException

from slipway.errors import UpstreamUnavailableError
from slipway.jobs.failures import Failure, failure_of
from slipway.jobs.steps import StepResult
from slipway.observability import logger, use_request
from slipway.times import Clock

State = Callable[[dict[str, Any]], dict[str, Any] | None]


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except PynamoDBException as error:
        raise UpstreamUnavailableError(f"The store did not answer: {type(error).__name__}") from error


def run_state(
    event: dict[str, Any],
    context: Any,
    states: Mapping[str, State],
    reserve: float | None = None,
    clock: Clock = time,
) -> dict[str, Any]:
    """Run the state that ``event`` names.

    With a ``reserve`` the state also gets ``until``: when to begin nothing more, by ``clock.monotonic``.

    Args:
        event: ``{"state": <name in the state machine>, "job_id": …}`` and whatever else the state takes.
        context: Lambda's context.
        states: The workflow's states by name.
        reserve: Seconds of the function's time that are kept for what was begun.
        clock: Passes the time.

    Returns:
        The state's answer, an empty object when it has none.

    Raises:
        SlipwayError: By its class name, which the state machine knows.
    """
    use_request(getattr(context, "aws_request_id", ""), str(event.get("job_id", "")), state=event["state"])
    if reserve is not None:
        event = {**event, "until": clock.monotonic() + context.get_remaining_time_in_millis() / 1000 - reserve}
    with _store_errors():
        answer = states[event["state"]](event)
    logger.info("state done", answer=answer)
    return answer or {}


def run_job(
    event: dict[str, Any],
    context: Any,
    names: tuple[str, ...],
    work: Callable[[Failure | None], StepResult],
    *,
    what: str = "job",
) -> dict[str, Any]:
    """Work on the job that ``event`` names, as its hub asks for.

    Args:
        event: The job's ids, and ``error`` and ``cause`` when the Task before failed and was caught.
        context: Lambda's context.
        names: Which fields of the event are ids; the last is what logs call the job. All are passed on.
        work: Does what is due; given why the last Task failed, if it did.
        what: What the job is called in messages to its owner.

    Returns:
        The ids and the result, for the state machine.

    Raises:
        SlipwayError: The Task is to be tried again; no class that is ``permanent``, unless there is no such job.
    """
    use_request(getattr(context, "aws_request_id", ""), str(event[names[-1]]))
    failure = None
    if "error" in event:
        logger.error("task failed", error_name=event["error"], cause=str(event["cause"])[:2000])
        failure = failure_of(event["error"], event["cause"], what)
    with _store_errors():
        result = work(failure)
    logger.info("job step done", answer=result.answer)
    return {**{name: event[name] for name in names}, **result.answer}
