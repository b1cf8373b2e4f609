"""State PublishEndpoint: sign the endpoint and write it."""

from typing import Any

from workflow import workflow

from slipway.stacks.workflow import task_answer


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``NodeWorkflow.publish``."""
    return task_answer(workflow().publish(event["environment"], event["job_id"]))
