"""Task states of ``token_deploy``."""

from typing import Any

import broadcast_deployment
import check
import confirm_deployment
import record_failure

from slipway.tasks import run_state

STATES = {
    "Check": check.run,
    "BroadcastDeployment": broadcast_deployment.run,
    "ConfirmDeployment": confirm_deployment.run,
    "RecordFailure": record_failure.run,
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES)
