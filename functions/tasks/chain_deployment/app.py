"""Task states of a branch of ``build``: the contract on one chain."""

from typing import Any

import begin_deployment
import broadcast_deployment
import confirm_deployment
import record_chain_failure

from slipway.tasks import run_state

STATES = {
    "BeginDeployment": begin_deployment.run,
    "BroadcastDeployment": broadcast_deployment.run,
    "ConfirmDeployment": confirm_deployment.run,
    "RecordChainFailure": record_chain_failure.run,
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES)
