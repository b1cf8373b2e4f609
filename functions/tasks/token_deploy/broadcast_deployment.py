"""State BroadcastDeployment: send the signed creation of the token."""

from typing import Any

from workflow import token_workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``TokenWorkflow.broadcast``."""
    return {"pause_seconds": token_workflow().broadcast(event["job_id"], "deploy")}
