"""The hub of ``stack_api``: whatever is due for an API stack's job."""

import time
from functools import cache
from typing import Any

from slipway.akash.console.client import console_api
from slipway.settings import stack_settings
from slipway.stacks.api_workflow import ApiWorkflow
from slipway.stacks.published import published_endpoints
from slipway.tasks import run_job
from slipway.times import Clock


@cache
def workflow(clock: Clock = time) -> ApiWorkflow:
    """Return the workflow over this installation's Akash account and artifacts, made once a process."""
    return ApiWorkflow(console_api, stack_settings(), published_endpoints(), clock)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Work on the job ``{"environment", "job_id"}``; see ``StackWorkflow.work``."""
    return run_job(
        event,
        context,
        ("environment", "job_id"),
        lambda failure: workflow().work(event["environment"], event["job_id"], failure),
        what="stack",
    )
