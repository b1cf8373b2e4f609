"""State RecordFailure: tell the owner how the launch failed."""

from typing import Any

from workflow import token_workflow


def run(event: dict[str, Any]) -> None:
    """See ``TokenWorkflow.fail``."""
    token_workflow().fail(event["job_id"], event["error"], event["cause"])
