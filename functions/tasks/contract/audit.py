"""State Audit: audit what was compiled."""

from typing import Any

from workflow import workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``ContractWorkflow.audit``."""
    return {"stage": str(workflow().audit(event["build_id"], event["job_id"]))}
