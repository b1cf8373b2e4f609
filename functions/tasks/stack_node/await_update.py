"""State AwaitUpdate: do the services run what they were updated to?"""

from typing import Any

from workflow import workflow

from slipway.stacks.workflow import task_answer


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``StackWorkflow.await_update``."""
    return task_answer(workflow().await_update(event["environment"], event["job_id"]))
