"""The hub of ``akash_deploy``: whatever is due for a workload."""

import time
from functools import cache
from typing import Any

from slipway.akash.console.client import console_api
from slipway.akash.payments import Payments
from slipway.akash.workflow import AkashWorkflow
from slipway.chain.json_rpc import JsonRpc
from slipway.configuration import chain_settings
from slipway.network import public_client
from slipway.settings import akash_timeouts
from slipway.tasks import run_job
from slipway.times import Clock


@cache
def workflow(clock: Clock = time) -> AkashWorkflow:
    """Return the workflow over this installation's Akash account, made once a process."""
    chain = chain_settings().token_chain
    return AkashWorkflow(console_api(), akash_timeouts(), clock, Payments(chain, JsonRpc(chain, public_client())))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Work on the workload ``{"deployment_id"}``; see ``AkashWorkflow.work``."""
    return run_job(
        event,
        context,
        ("deployment_id",),
        lambda failure: workflow().work(event["deployment_id"], failure),
        what="workload",
    )
