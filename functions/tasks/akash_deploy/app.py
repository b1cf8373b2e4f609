"""Task states of ``akash_deploy``."""

from typing import Any

import await_ready
import close_deployment
import collect_bids
import confirm_closed
import create_deployment
import create_lease
import record_end
import record_failure
import recover_deployment

from slipway.tasks import run_state

STATES = {
    "CreateDeployment": create_deployment.run,
    "RecoverDeployment": recover_deployment.run,
    "CollectBids": collect_bids.run,
    "CreateLease": create_lease.run,
    "AwaitReady": await_ready.run,
    "CloseDeployment": close_deployment.run,
    "ConfirmClosed": confirm_closed.run,
    "RecordEnd": record_end.run,
    "RecordFailure": record_failure.run,
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES)
