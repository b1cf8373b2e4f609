"""The hub of ``token_deploy``: whatever is due for a launch, but for what the signer does."""

import time
from functools import cache
from typing import Any

from slipway.chain.json_rpc import JsonRpc
from slipway.configuration import chain_settings
from slipway.network import public_client
from slipway.tasks import run_job
from slipway.times import Clock
from slipway.tokens.model_source import model_source
from slipway.tokens.workflow import TokenWorkflow


@cache
def workflow(clock: Clock = time) -> TokenWorkflow:
    """Return the workflow over this installation's token chain, made once a process."""
    chain = chain_settings().token_chain
    return TokenWorkflow(chain, JsonRpc(chain, public_client()), model_source(), clock)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Work on the launch ``{"deployment_id"}``; see ``TokenWorkflow.work``."""
    return run_job(
        event,
        context,
        ("deployment_id",),
        lambda failure: workflow().work(
            event["deployment_id"], failure, polls=event.get("polls", 0), asked=event.get("asked", False)
        ),
        what="launch",
    )
