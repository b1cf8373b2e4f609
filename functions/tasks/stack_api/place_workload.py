"""State PlaceWorkload: write down the workload that is to be deployed."""

from typing import Any

from workflow import workflow

from slipway.stacks.workflow import task_answer


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``StackWorkflow.place``."""
    return task_answer(workflow().place(event["environment"], event["job_id"]))
