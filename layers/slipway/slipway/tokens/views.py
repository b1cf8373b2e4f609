"""Deployments as the API shows them."""

from collections.abc import Sequence
from typing import Any

from slipway.chain.store import TransactionItem
from slipway.chains import Chain
from slipway.jobs.models import EventDetail
from slipway.jobs.store import JobEvent, events_of
from slipway.tokens.models import (
    PURPOSES,
    DeploymentDetail,
    DeploymentError,
    DeploymentStatus,
    DeploymentSummary,
    OpenTransaction,
    Status,
    TransactionDetail,
)
from slipway.tokens.rules import cost_of
from slipway.tokens.store import PREFIXES, TokenItem, read_launch
from slipway.verification.models import Verification

# What a launch keeps of each transaction.
_KNOWN = ("tx_hash", "block", "gas_used", "gas_price", "cost")


def transactions_of(item: TokenItem, chain: Chain) -> list[TransactionDetail]:
    """Return a launch's transactions, as far as they are known."""
    return [
        TransactionDetail(
            purpose=purpose,
            transaction_hash=transaction_hash,
            block_number=int(block) if block is not None else None,
            gas_used=str(int(gas)) if gas is not None else None,
            gas_price=price,
            cost=None if (paid := cost_of(gas, price, cost)) is None else str(paid),
            currency=None if paid is None else chain.currency,
            chain_id=chain.chain_id,
            explorer_url=chain.explorer_transaction_url(transaction_hash),
        )
        for purpose in PURPOSES
        for transaction_hash, block, gas, price, cost in [
            [getattr(item, f"{PREFIXES[purpose]}_{name}") for name in _KNOWN]
        ]
        if transaction_hash
    ]


def _fields(item: TokenItem, chain: Chain) -> dict[str, Any]:
    transactions = transactions_of(item, chain)
    mined = [part for part in transactions if part.gas_used is not None]
    last = mined[-1] if mined else None
    error = None
    if item.error_code:
        error = DeploymentError(
            code=item.error_code,
            message=item.error_message or "",
            transaction_hash=item.error_transaction_hash,
        )
    return {
        "deployment_id": item.deployment_id,
        "chain_id": int(item.chain_id),
        "status": Status(item.status),
        "model_id": item.model_id,
        # An address that is reserved but not mined yet is nobody's token.
        "token_address": item.token_address if item.deployment_block is not None else None,
        "token_name": item.token_name,
        "token_symbol": item.token_symbol,
        "deployment_tx_hash": item.deployment_tx_hash,
        "registry_tx_hash": item.registry_tx_hash,
        "allocation_tx_hash": item.allocation_tx_hash,
        "initial_supply": item.initial_supply,
        "max_supply": item.max_supply,
        "block_number": last.block_number if last else None,
        "explorer_url": next((part.explorer_url for part in transactions), None),
        "gas_used": str(sum(int(part.gas_used or 0) for part in mined)) if mined else None,
        "gas_price": last.gas_price if last else None,
        "total_cost": str(sum(int(part.cost or 0) for part in mined)) if mined else None,
        "currency": chain.currency if mined else None,
        "verification": Verification.of(item.verification) if item.status == str(Status.COMPLETED) else None,
        "error": error,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }


def status_of(item: TokenItem, chain: Chain) -> DeploymentStatus:
    """Specification 004's status body: gas and cost cover all transactions, the block is the last one's."""
    return DeploymentStatus(**_fields(item, chain))


def summary_of(item: TokenItem, chain: Chain) -> DeploymentSummary:
    """Return a deployment in a list."""
    return DeploymentSummary(**_fields(item, chain))


def read_detail(item: TokenItem, chain: Chain) -> DeploymentDetail:
    """Return a deployment with its events and what is still open of it, which are read."""
    is_settled = item.status == str(Status.COMPLETED) or item.deployment_tx_hash is None
    open_items = [] if is_settled else read_launch(item.deployment_id, chain.chain_id).open
    return detail_of(item, chain, events_of(item.pk), open_items)


def detail_of(
    item: TokenItem, chain: Chain, events: list[JobEvent], open_items: Sequence[TransactionItem]
) -> DeploymentDetail:
    """Return a deployment with its transactions apart and its events."""
    return DeploymentDetail(
        **_fields(item, chain),
        user_address=item.wallet,
        controller=item.controller,
        steward=item.steward,
        allocations=item.allocations or [],
        model=item.model,
        estimated_gas_cost=item.estimated_gas_cost,
        transactions=transactions_of(item, chain),
        open=[
            OpenTransaction(
                purpose=one.purpose,
                signer=one.signer,
                nonce=int(one.nonce),
                transaction_hash=one.transaction_hash,
                refusal=one.refusal,
            )
            for one in open_items
        ],
        events=[EventDetail.of(event) for event in events],
    )
