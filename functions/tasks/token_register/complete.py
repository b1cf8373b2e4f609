"""State Complete: the token is deployed and registered."""

from typing import Any

from workflow import token_workflow


def run(event: dict[str, Any]) -> None:
    """See ``TokenWorkflow.complete``."""
    token_workflow().complete(event["job_id"])
