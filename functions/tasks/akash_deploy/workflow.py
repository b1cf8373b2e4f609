"""The workflow over this installation's Akash account, made once a process."""

from functools import cache
from typing import Any

from slipway.akash.console.client import console_api
from slipway.akash.workflow import AkashWorkflow, Next
from slipway.settings import akash_clocks


@cache
def workflow() -> AkashWorkflow:
    """The workload's states."""
    return AkashWorkflow(console_api(), akash_clocks())


def answer_of(found: Next) -> dict[str, Any]:
    """What the state machine is told."""
    return {"step": str(found.step), "pause_seconds": found.pause_seconds, "status": found.status}
