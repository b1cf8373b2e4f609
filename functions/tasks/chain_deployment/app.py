"""Task states of a branch of ``build``: the contract on one chain."""

import time
from dataclasses import asdict
from functools import cache
from typing import Any

from slipway.builds.pipeline.deployment import SENDING_SECONDS, ChainDeploymentWorkflow
from slipway.chain.json_rpc import JsonRpc
from slipway.chains import Chain
from slipway.configuration import chain_settings
from slipway.network import public_client
from slipway.tasks import State, run_state
from slipway.times import Clock


@cache
def chain_deployment(chain_id: int, clock: Clock = time) -> ChainDeploymentWorkflow:
    """Return the states of deployments on a chain, made once a process."""
    chain = chain_settings().chains.get(chain_id) or Chain.removed(chain_id)
    return ChainDeploymentWorkflow(chain, JsonRpc(chain, public_client(), deadline=SENDING_SECONDS), clock)


def _begin(event: dict[str, Any]) -> dict[str, Any]:
    return asdict(chain_deployment(event["chain_id"]).begin(event["build_id"], event["job_id"]))


def _broadcast(event: dict[str, Any]) -> dict[str, Any]:
    return asdict(chain_deployment(event["chain_id"]).broadcast(event["build_id"], event["job_id"]))


def _confirm(event: dict[str, Any]) -> dict[str, Any]:
    return asdict(chain_deployment(event["chain_id"]).confirm(event["build_id"], event["job_id"], event["polls"]))


def _fail(event: dict[str, Any]) -> None:
    deployment = chain_deployment(event["chain_id"])
    deployment.fail(event["build_id"], event["job_id"], event["error"], event["cause"])


STATES: dict[str, State] = {
    "BeginDeployment": _begin,
    "BroadcastDeployment": _broadcast,
    "ConfirmDeployment": _confirm,
    "RecordChainFailure": _fail,
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the state that the event names."""
    return run_state(event, context, STATES)
