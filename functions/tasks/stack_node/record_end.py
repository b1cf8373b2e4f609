"""State RecordEnd: tell how the job ended."""

from typing import Any

from workflow import workflow

from slipway.stacks.workflow import task_answer


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``StackWorkflow.end``."""
    return task_answer(workflow().end(event["environment"], event["job_id"]))
