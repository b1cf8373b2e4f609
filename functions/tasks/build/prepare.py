"""State Prepare: say which chains are to be deployed to."""

from typing import Any

from workflow import workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``BuildWorkflow.prepare``; ``chains`` are the inputs of the branches."""
    build = {"build_id": event["build_id"], "job_id": event["job_id"]}
    prepared = workflow().prepare(**build)
    return {"stage": str(prepared.stage), "chains": [{**build, "chain_id": chain} for chain in prepared.chain_ids]}
