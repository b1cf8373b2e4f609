"""Task states of ``stack_node``."""

from typing import Any

import await_update
import check_workload
import discover_endpoint
import place_workload
import probe_endpoint
import publish_endpoint
import record_end
import record_failure
import request_close
import roll_follower
import update_workload
import withdraw_endpoint

from slipway.tasks import run_state

STATES = {
    "WithdrawEndpoint": withdraw_endpoint.run,
    "RequestClose": request_close.run,
    "PlaceWorkload": place_workload.run,
    "CheckWorkload": check_workload.run,
    "UpdateWorkload": update_workload.run,
    "AwaitUpdate": await_update.run,
    "DiscoverEndpoint": discover_endpoint.run,
    "ProbeEndpoint": probe_endpoint.run,
    "PublishEndpoint": publish_endpoint.run,
    "RollFollower": roll_follower.run,
    "RecordEnd": record_end.run,
    "RecordFailure": record_failure.run,
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES)
