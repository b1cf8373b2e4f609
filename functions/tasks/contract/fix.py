"""State Fix: one round of mending, compiling and auditing again."""

from typing import Any

from workflow import workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``ContractWorkflow.fix``."""
    return {"stage": str(workflow().fix(event["build_id"], event["job_id"]))}
