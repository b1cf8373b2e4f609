"""Reconciliation over this installation's chains, Akash account and stacks, each made once a process."""

from functools import cache, partial

import httpx

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
from slipway.settings import akash_clocks, akash_settings, artifact_bucket, chain_settings, state_machine_arn
from slipway.stacks.artifact_store import ArtifactStore
from slipway.stacks.models import Kind
from slipway.stacks.node_rpc import NodeRpc
from slipway.stacks.reconcile import StackReconcile
from slipway.store import aws_client
from slipway.tokens.reconcile import TokenReconcile, TokenTransactions


@cache
def launches() -> TokenReconcile:
    """Return the reconciliation of launches."""
    chain, arn = chain_settings().token_chain, state_machine_arn("token_deploy")
    rpc = JsonRpc(chain, public_client())
    return TokenReconcile(chain, rpc, execution_starter(arn), partial(execution_status, arn))


@cache
def signers(chain_id: int) -> SignerReconcile:
    """Return the reconciliation of deployer accounts on a chain."""
    chain = chain_settings().chains[chain_id]
    rpc = JsonRpc(chain, public_client(), deadline=SENDING_SECONDS)
    of_builds, of_tokens = BuildTransactions(chain, rpc), TokenTransactions(rpc)

    def owner_of(item: TransactionItem) -> Owner:
        return of_builds if chain_and_attempt(item.purpose) else of_tokens

    return SignerReconcile(chain, rpc, owner_of)


@cache
def workloads() -> AkashReconcile:
    """Return the reconciliation of workloads."""
    arn = state_machine_arn("akash_deploy")
    console = console_api if akash_settings().is_configured else None
    return AkashReconcile(console, akash_clocks(), execution_starter(arn), partial(execution_status, arn))


@cache
def stacks() -> StackReconcile:
    """Return the reconciliation of stacks."""
    arns = {Kind.NODE: state_machine_arn("stack_node"), Kind.API: state_machine_arn("stack_api")}
    return StackReconcile(
        ArtifactStore(aws_client("s3"), artifact_bucket()),
        {kind: execution_starter(arn) for kind, arn in arns.items()},
        lambda kind, name: execution_status(arns[kind], name),
        akash_clocks().look,
        rpc=NodeRpc(httpx.AsyncClient(trust_env=False)),
    )


@cache
def builds() -> BuildReconcile:
    """Return the reconciliation of builds."""
    arn = state_machine_arn("build")
    return BuildReconcile(execution_starter(arn), partial(execution_status, arn))
