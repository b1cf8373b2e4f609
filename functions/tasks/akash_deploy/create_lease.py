"""State CreateLease: take the bids and send the manifest."""

from typing import Any

from workflow import answer_of, workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``AkashWorkflow.lease``."""
    return answer_of(workflow().lease(event["job_id"]))
