"""Reconciliation over this installation's chains, Akash account and stacks, each made once a process."""

import json
from functools import cache, partial

import httpx

from slipway.akash.changes import WorkloadChanges
from slipway.akash.console.client import console_api
from slipway.akash.funding import Funding
from slipway.akash.payments import Payments, PaymentTransactions, is_payment
from slipway.akash.reconcile import AkashReconcile
from slipway.builds.pipeline.deployment import SENDING_SECONDS, BuildTransactions
from slipway.builds.pipeline.files import build_files
from slipway.builds.pipeline.reconcile import BuildReconcile
from slipway.builds.pipeline.rules import chain_and_attempt
from slipway.builds.pipeline.verification import BuildSources
from slipway.builds.store import KIND as BUILD
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.reconcile import Owner, SignerReconcile
from slipway.chain.store import TransactionItem
from slipway.configuration import chain_settings
from slipway.deadline_client import DeadlineClient
from slipway.errors import UpstreamUnavailableError
from slipway.executions import execution_starter, execution_status
from slipway.network import public_client
from slipway.secret_values import secret_text
from slipway.settings import (
    akash_settings,
    akash_settle_usd,
    akash_timeouts,
    artifact_bucket,
    explorer_keys_secret,
    sourcify_address,
    state_machine_arn,
)
from slipway.stacks.artifact_store import ArtifactStore
from slipway.stacks.models import Kind
from slipway.stacks.node_rpc import node_rpc
from slipway.stacks.reconcile import StackReconcile
from slipway.store import aws_client
from slipway.tokens.reconcile import TokenReconcile, TokenTransactions
from slipway.tokens.store import KIND as TOKEN
from slipway.tokens.verification import TokenSources
from slipway.verification.explorer import Explorer
from slipway.verification.models import Verifier
from slipway.verification.service import Subject, Verifications
from slipway.verification.sourcify import Sourcify


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
    of_builds, of_tokens, of_payments = BuildTransactions(chain, rpc), TokenTransactions(rpc), PaymentTransactions(rpc)

    def owner_of(item: TransactionItem) -> Owner:
        if is_payment(item.purpose):
            return of_payments
        return of_builds if chain_and_attempt(item.purpose) else of_tokens

    return SignerReconcile(chain, rpc, owner_of)


@cache
def workloads() -> AkashReconcile:
    """Return the reconciliation of workloads."""
    arn = state_machine_arn("akash_deploy")
    console = console_api if akash_settings().is_configured else None
    start = execution_starter(arn)

    chain = chain_settings().token_chain
    payments = Payments(chain, JsonRpc(chain, public_client(), deadline=SENDING_SECONDS))
    funding = Funding(WorkloadChanges(start), payments, akash_settle_usd())
    return AkashReconcile(console, akash_timeouts(), start, partial(execution_status, arn), funding=funding)


@cache
def verifications() -> Verifications:
    """Return the verification of sources."""
    client = DeadlineClient(httpx.AsyncClient())
    address = sourcify_address()

    def verifiers(chain_id: int) -> list[Verifier]:
        chain = chain_settings().chains.get(chain_id)
        found: list[Verifier] = [Sourcify(address, client)] if address else []
        if chain and chain.explorer_api_url:
            key = partial(_explorer_key, chain_id)
            found.append(Explorer(chain.explorer_api_url, chain.explorer_address_url, key, client))
        return found

    subjects: dict[str, Subject] = {TOKEN: TokenSources(), BUILD: BuildSources(build_files())}
    return Verifications(verifiers, subjects)


def _explorer_key(chain_id: int) -> str | None:
    """Return the API key of a chain's explorer, or the one for all of them.

    Raises:
        UpstreamUnavailableError: The secret can't be read, or is no JSON object.
    """
    secret = explorer_keys_secret()
    try:
        keys = json.loads(secret_text(secret)) if secret else {}
        return keys.get(str(chain_id)) or keys.get("*")
    except (ValueError, AttributeError) as error:
        raise UpstreamUnavailableError("The secret with the explorers' keys is no JSON object") from error


@cache
def stacks() -> StackReconcile:
    """Return the reconciliation of stacks."""
    arns = {Kind.NODE: state_machine_arn("stack_node"), Kind.API: state_machine_arn("stack_api")}
    return StackReconcile(
        ArtifactStore(aws_client("s3"), artifact_bucket()),
        {kind: execution_starter(arn) for kind, arn in arns.items()},
        lambda kind, name: execution_status(arns[kind], name),
        akash_timeouts().check_interval,
        rpc=node_rpc(),
    )


@cache
def builds() -> BuildReconcile:
    """Return the reconciliation of builds."""
    arn = state_machine_arn("build")
    return BuildReconcile(execution_starter(arn), partial(execution_status, arn))
