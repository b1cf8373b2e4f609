"""State CollectBids: look at the bids, and choose when it is time."""

from typing import Any

from workflow import answer_of, workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``AkashWorkflow.collect_bids``."""
    return answer_of(workflow().collect_bids(event["job_id"]))
