"""State CheckRegistration: is the token registered already?"""

from typing import Any

from workflow import token_workflow


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``TokenWorkflow.check_registration``."""
    return {"registered": token_workflow().check_registration(event["job_id"])}
