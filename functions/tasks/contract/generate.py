"""State Generate: have the code written."""

from typing import Any

from workflow import workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``ContractWorkflow.generate``."""
    return {"stage": str(workflow().generate(event["build_id"], event["job_id"]))}
