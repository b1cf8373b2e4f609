"""State FlushShard: close the stale sessions of a shard."""

from dataclasses import asdict
from typing import Any

from slipway.workers import flush
from slipway.workers.session_store import Due


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``flush.flush_shard``."""
    after = Due(**event["after"]) if event["after"] else None
    return asdict(flush.flush_shard(event["shard"], after))
