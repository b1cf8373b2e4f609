"""State CloseDeployment: ask Akash to close the deployment."""

from typing import Any

from workflow import answer_of, workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``AkashWorkflow.close``."""
    return answer_of(workflow().close(event["job_id"]))
