"""State AwaitReady: are the services available?"""

from typing import Any

from workflow import answer_of, workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``AkashWorkflow.await_ready``."""
    return answer_of(workflow().await_ready(event["job_id"]))
