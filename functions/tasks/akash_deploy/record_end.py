"""State RecordEnd: tell the owner how it ended."""

from typing import Any

from workflow import answer_of, workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``AkashWorkflow.end``."""
    return answer_of(workflow().end(event["job_id"]))
