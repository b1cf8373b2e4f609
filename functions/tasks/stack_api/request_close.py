"""State RequestClose: have the workload closed."""

from typing import Any

from workflow import workflow

from slipway.stacks.workflow import task_answer


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``StackWorkflow.request_close``."""
    return task_answer(workflow().request_close(event["environment"], event["job_id"]))
