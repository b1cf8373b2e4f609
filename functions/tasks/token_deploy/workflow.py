"""The workflow over this installation's chain, made once a process."""

from functools import cache

from slipway.chain.json_rpc import JsonRpc
from slipway.network import public_client
from slipway.settings import chain_settings
from slipway.tokens.model_source import model_source
from slipway.tokens.workflow import TokenWorkflow


@cache
def token_workflow() -> TokenWorkflow:
    """The token launch's states."""
    chain = chain_settings().token_chain
    return TokenWorkflow(chain, JsonRpc(chain, public_client()), model_source())
