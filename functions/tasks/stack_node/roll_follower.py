"""State RollFollower: have the API stack follow."""

from typing import Any

from workflow import workflow

from slipway.stacks.workflow import task_answer


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``NodeWorkflow.roll_follower``."""
    return task_answer(workflow().roll_follower(event["environment"], event["job_id"]))
