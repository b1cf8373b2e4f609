"""Task states of ``token_register``."""

from typing import Any

import broadcast_registration
import check_registration
import complete
import confirm_registration
import record_failure

from slipway.tasks import run_state

STATES = {
    "CheckRegistration": check_registration.run,
    "BroadcastRegistration": broadcast_registration.run,
    "ConfirmRegistration": confirm_registration.run,
    "Complete": complete.run,
    "RecordFailure": record_failure.run,
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES)
