"""Task states of ``build`` that write contracts, or need the compiler or Slither."""

from typing import Any

import audit
import compile
import fix
import generate

from slipway.tasks import run_state

STATES = {"Generate": generate.run, "Compile": compile.run, "Audit": audit.run, "Fix": fix.run}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES)
