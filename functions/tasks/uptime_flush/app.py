"""Task states of ``uptime_flush``: one call flushes and watches every shard; what it has no time for gets one each."""

from collections import Counter
from dataclasses import asdict
from math import inf
from typing import Any

from slipway.notifications.watch import watch_shard, watched_shards
from slipway.sweep import do_steps
from slipway.tasks import State, run_state
from slipway.workers.flush import flush_shard
from slipway.workers.rules import SHARDS

# What is left of the function's time when it begins no other worker.
_RESERVE_SECONDS = 10


def _flush(event: dict[str, Any]) -> dict[str, Any]:
    steps = [{"state": "FlushShard", "shard": shard} for shard in range(SHARDS)]
    steps += [{"state": "WatchShard", "shard": shard} for shard in sorted(watched_shards())]
    # After a try that died, every shard is left to a task of its own.
    done, rest = do_steps(steps, STATES, -inf if event["tries"] else event["until"])
    counts = Counter[str]()
    for entry in done:
        counts.update({name: entry[name] for name in ("flushed", "moved", "left")})
    return {**{name: counts[name] for name in ("flushed", "moved", "left")}, "rest": rest}


STATES: dict[str, State] = {
    "Flush": _flush,
    "FlushShard": lambda event: asdict(flush_shard(event["shard"], event["until"])),
    "WatchShard": lambda event: asdict(watch_shard(event["shard"], event["until"])),
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES, reserve=_RESERVE_SECONDS)
