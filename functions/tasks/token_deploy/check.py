"""State Check: is the launch still allowed?"""

from typing import Any

from workflow import token_workflow


def run(event: dict[str, Any]) -> None:
    """See ``TokenWorkflow.check``."""
    token_workflow().check(event["job_id"])
