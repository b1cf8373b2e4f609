"""State WithdrawEndpoint: remove what is published."""

from typing import Any

from workflow import workflow

from slipway.stacks.workflow import task_answer


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``NodeWorkflow.withdraw``."""
    return task_answer(workflow().withdraw(event["environment"], event["job_id"]))
