"""State Compile: compile the source within limits of time and memory."""

from typing import Any

from workflow import workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``ContractWorkflow.compile``."""
    return {"stage": str(workflow().compile(event["build_id"], event["job_id"]))}
