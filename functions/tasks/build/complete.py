"""State Complete: record how the run ended."""

from typing import Any

from workflow import workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``BuildWorkflow.complete``."""
    return {"stage": str(workflow().complete(event["build_id"], event["job_id"]))}
