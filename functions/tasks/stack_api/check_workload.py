"""State CheckWorkload: how did the deployment end?"""

from typing import Any

from workflow import workflow

from slipway.stacks.workflow import task_answer


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``StackWorkflow.check_workload``."""
    return task_answer(workflow().check_workload(event["environment"], event["job_id"]))
