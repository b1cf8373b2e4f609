"""State RecoverDeployment: find what a create may have made."""

from typing import Any

from workflow import answer_of, workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``AkashWorkflow.recover``."""
    return answer_of(workflow().recover(event["job_id"]))
