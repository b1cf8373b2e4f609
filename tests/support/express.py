"""Runs Express state machines to their end: no run of one can be described later, on AWS at least."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

# A run is over after five minutes; here nobody may be waiting for a busy engine only.
_MAX_SECONDS = 600


def run_express(described: dict[str, Any], machine: str) -> dict[str, Any]:
    """Run the Express state machine of an output of the stack to its end; its ``status``, ``output`` and so on.

    Args:
        described: The stack, as in ``.local/stack.json``.
        machine: Name of the output with its ARN.
    """
    client = boto3.client(
        "stepfunctions",
        endpoint_url=described["aws_endpoint"],
        region_name=described["region"],
        # Once and no more: another try is another run. AWS has a host of its own for these.
        config=Config(read_timeout=_MAX_SECONDS, retries={"total_max_attempts": 1}, inject_host_prefix=False),
    )
    return dict(client.start_sync_execution(stateMachineArn=described["outputs"][machine]))
