"""State CreateDeployment: create the deployment on Akash."""

from typing import Any

from workflow import answer_of, workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``AkashWorkflow.create``."""
    return answer_of(workflow().create(event["job_id"]))
