"""State Finish: tell that the stack is up."""

from typing import Any

from workflow import workflow

from slipway.stacks.workflow import task_answer


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``ApiWorkflow.finish``."""
    return task_answer(workflow().finish(event["environment"], event["job_id"]))
