"""State UpdateWorkload: have the lease run what is wanted now."""

from typing import Any

from workflow import workflow

from slipway.stacks.workflow import task_answer


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``StackWorkflow.update``."""
    return task_answer(workflow().update(event["environment"], event["job_id"]))
