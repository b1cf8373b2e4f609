"""Reconciliation over this installation's chain, made once a process."""

import os
from functools import cache, partial

import httpx

from slipway.chain.json_rpc import JsonRpc
from slipway.executions import execution_starter, execution_status
from slipway.settings import chain_settings
from slipway.tokens.reconcile import TokenReconcile


@cache
def token_reconcile() -> TokenReconcile:
    """The reconciliation of tokens."""
    chain = chain_settings().token_chain
    arn = os.environ["TOKEN_DEPLOY_ARN"]
    return TokenReconcile(chain, JsonRpc(chain, httpx.Client()), execution_starter(arn), partial(execution_status, arn))
