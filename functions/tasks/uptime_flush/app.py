"""Task states of ``uptime_flush``."""

from typing import Any

import flush_shard

from slipway.tasks import run_state

STATES = {"FlushShard": flush_shard.run}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES)
