"""State RecordFailure: tell why the build failed."""

from typing import Any

from workflow import workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``BuildWorkflow.record_failure``."""
    stage = workflow().record_failure(event["build_id"], event["job_id"], event["error"], event["cause"])
    return {"stage": str(stage)}
