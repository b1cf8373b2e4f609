"""State DiscoverEndpoint: look once for the node's forwarded port."""

from typing import Any

from workflow import workflow

from slipway.stacks.workflow import task_answer


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``NodeWorkflow.discover``."""
    return task_answer(workflow().discover(event["environment"], event["job_id"]))
