"""Deployments on each of this installation's chains, made once a process."""

from functools import cache

from slipway.builds.pipeline.deployment import SENDING_SECONDS, ChainDeployment
from slipway.chain.json_rpc import JsonRpc
from slipway.chains import Chain
from slipway.network import public_client
from slipway.settings import chain_settings


@cache
def chain_deployment(chain_id: int) -> ChainDeployment:
    """The states of deployments on a chain."""
    chain = chain_settings().chains.get(chain_id) or Chain.removed(chain_id)
    return ChainDeployment(chain, JsonRpc(chain, public_client(), deadline=SENDING_SECONDS))
