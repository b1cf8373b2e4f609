"""Task states of ``stack_api``."""

from typing import Any

import await_update
import check_workload
import finish
import place_workload
import read_endpoint
import record_end
import record_failure
import request_close
import update_workload

from slipway.tasks import run_state

STATES = {
    "ReadEndpoint": read_endpoint.run,
    "RequestClose": request_close.run,
    "PlaceWorkload": place_workload.run,
    "CheckWorkload": check_workload.run,
    "UpdateWorkload": update_workload.run,
    "AwaitUpdate": await_update.run,
    "Finish": finish.run,
    "RecordEnd": record_end.run,
    "RecordFailure": record_failure.run,
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES)
