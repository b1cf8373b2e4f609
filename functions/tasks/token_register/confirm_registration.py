"""State ConfirmRegistration: how far is the registration?"""

from typing import Any

from workflow import token_workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``TokenWorkflow.confirm``."""
    look = token_workflow().confirm(event["job_id"], "register", event["polls"])
    return {"progress": str(look.progress), "pause_seconds": look.pause_seconds}
