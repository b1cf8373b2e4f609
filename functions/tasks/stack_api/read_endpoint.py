"""State ReadEndpoint: read and verify what the node publishes."""

from typing import Any

from workflow import workflow

from slipway.stacks.workflow import task_answer


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``ApiWorkflow.read_endpoint``."""
    return task_answer(workflow().read_endpoint(event["environment"], event["job_id"]))
