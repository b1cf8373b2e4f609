"""State RecordFailure: remember why the job fails."""

from typing import Any

from workflow import workflow

from slipway.stacks.workflow import task_answer


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``StackWorkflow.give_up``."""
    return task_answer(workflow().give_up(event["environment"], event["job_id"], event["error"], event["cause"]))
