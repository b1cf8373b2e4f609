"""Light task states of ``build``."""

from typing import Any

import complete
import prepare
import record_failure

from slipway.tasks import run_state

STATES = {
    "Prepare": prepare.run,
    "Complete": complete.run,
    "RecordFailure": record_failure.run,
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES)
