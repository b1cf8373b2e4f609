"""State RecordFailure: remember why the workload fails."""

from typing import Any

from workflow import answer_of, workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``AkashWorkflow.give_up``."""
    return answer_of(workflow().give_up(event["job_id"], event["error"], event["cause"]))
