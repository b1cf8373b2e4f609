"""State ConfirmClosed: is the deployment closed?"""

from typing import Any

from workflow import answer_of, workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``AkashWorkflow.confirm_closed``."""
    return answer_of(workflow().confirm_closed(event["job_id"]))
