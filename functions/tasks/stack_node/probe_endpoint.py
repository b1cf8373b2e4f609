"""State ProbeEndpoint: who answers there?"""

from typing import Any

from workflow import workflow

from slipway.stacks.workflow import task_answer


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``NodeWorkflow.probe``."""
    return task_answer(workflow().probe(event["environment"], event["job_id"]))
