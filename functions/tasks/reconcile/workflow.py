"""Reconciliation over this installation's chain, Akash account and stacks, each made once a process."""

import os
from functools import cache, partial

from slipway.akash.console.client import console_api
from slipway.akash.reconcile import AkashReconcile
from slipway.builds.pipeline.deployment import SENDING_SECONDS, BuildTransactions
from slipway.builds.pipeline.reconcile import BuildReconcile
from slipway.builds.pipeline.rules import chain_and_attempt
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.reconcile import Owner, SignerReconcile
from slipway.chain.store import TransactionItem
from slipway.executions import execution_starter, execution_status
from slipway.network import public_client
from slipway.settings import akash_clocks, akash_settings, chain_settings
from slipway.stacks.artifact_store import ArtifactStore
from slipway.stacks.models import Kind
from slipway.stacks.reconcile import StackReconcile
from slipway.store import aws_client
from slipway.tokens.reconcile import TokenReconcile, TokenTransactions


@cache
def token_reconcile() -> TokenReconcile:
    """The reconciliation of tokens."""
    chain = chain_settings().token_chain
    arn = os.environ["TOKEN_DEPLOY_ARN"]
    return TokenReconcile(
        chain, JsonRpc(chain, public_client()), execution_starter(arn), partial(execution_status, arn)
    )


@cache
def signer_reconcile(chain_id: int) -> SignerReconcile:
    """The reconciliation of deployer accounts on a chain."""
    chain = chain_settings().chains[chain_id]
    rpc = JsonRpc(chain, public_client(), deadline=SENDING_SECONDS)
    builds, tokens = BuildTransactions(chain, rpc), TokenTransactions(rpc)

    def owner_of(item: TransactionItem) -> Owner:
        return builds if chain_and_attempt(item.purpose) else tokens

    return SignerReconcile(chain, rpc, owner_of)


@cache
def akash_reconcile() -> AkashReconcile:
    """The reconciliation of workloads."""
    arn = os.environ["AKASH_DEPLOY_ARN"]
    console = console_api if akash_settings().is_configured else None
    return AkashReconcile(console, akash_clocks(), execution_starter(arn), partial(execution_status, arn))


@cache
def stack_reconcile() -> StackReconcile:
    """The reconciliation of stacks."""
    arns = {Kind.NODE: os.environ["STACK_NODE_ARN"], Kind.API: os.environ["STACK_API_ARN"]}
    return StackReconcile(
        ArtifactStore(aws_client("s3"), os.environ["ARTIFACT_BUCKET"]),
        {kind: execution_starter(arn) for kind, arn in arns.items()},
        lambda kind, name: execution_status(arns[kind], name),
        akash_clocks().look,
    )


@cache
def build_reconcile() -> BuildReconcile:
    """The reconciliation of builds."""
    arn = os.environ["BUILD_ARN"]
    return BuildReconcile(execution_starter(arn), partial(execution_status, arn))
