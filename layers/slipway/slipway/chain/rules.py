"""Decisions about fees and confirmations: pure, in wei and seconds."""

import math
from dataclasses import replace

from slipway.chain.models import ChainFees, Fees, Receipt
from slipway.chains import Chain
from slipway.errors import InsufficientGasError

# Head-room on the node's gas estimate: state can change between the estimate and the block.
_GAS_MARGIN_PERCENT = 20


def fees_under_cap(network: ChainFees, chain: Chain, cap: int) -> Fees:
    """Return fees that stay mineable while the base fee grows by the chain's multiplier.

    The tip is at least 1 wei, so that an eighth more is more. One that only nodes name, and for which the cap has no
    room, is not believed: what recent blocks took decides, and another node may take that.

    Args:
        network: What the network asks now.
        chain: Its multiplier and least tip.
        cap: Most wei per unit of gas that Slipway may offer.

    Raises:
        InsufficientGasError: Such fees are over the cap. They are never clamped to it: a transaction that no block
            takes would hold up its nonce.
    """
    fees = _wanted_fees(network, chain)
    if fees.max_fee_per_gas > cap and network.mined_tip is not None:
        fees = _wanted_fees(replace(network, priority_fee_per_gas=network.mined_tip), chain)
    if fees.max_fee_per_gas > cap:
        raise InsufficientGasError(
            f"The fee on {chain.name} is over the cap; try again later",
            details={"max_fee_per_gas": str(fees.max_fee_per_gas), "cap": str(cap)},
            retry_after=max(30, int(chain.block_seconds * 5)),
        )
    return fees


def _wanted_fees(network: ChainFees, chain: Chain) -> Fees:
    tip = max(network.priority_fee_per_gas, chain.priority_fee_per_gas, 1)
    max_fee = int(network.base_fee_per_gas * chain.base_fee_multiplier) + tip
    return Fees(max_fee, max_fee if chain.is_legacy else tip, chain.is_legacy)


def price_of(network: ChainFees, fees: Fees) -> int:
    """Return the wei that a unit of gas would cost in the next block, at fees that ``fees_under_cap`` gave."""
    return min(network.base_fee_per_gas + fees.max_priority_fee_per_gas, fees.max_fee_per_gas)


def bumped_fees(signed: Fees, network: ChainFees, chain: Chain, cap: int, least_tip: int = 0) -> Fees | None:
    """Return fees by which a stuck transaction replaces itself at the same nonce.

    Nodes take a replacement only when both fees grow by a tenth; an eighth leaves room for their rounding.

    Args:
        signed: What it offers.
        network: What the network asks now.
        chain: Its multiplier and least tip.
        cap: Most wei per unit of gas that Slipway may offer.
        least_tip: What nodes wanted that refused it for its tip, 0 if none did.

    Returns:
        None when a replacement would be over the cap: then waiting is all that helps.
    """
    if least_tip and network.base_fee_per_gas + least_tip > cap:
        return None
    try:
        wanted = fees_under_cap(
            replace(network, priority_fee_per_gas=max(network.priority_fee_per_gas, least_tip)), chain, cap
        )
    except InsufficientGasError:
        return None
    least = Fees(_plus_an_eighth(signed.max_fee_per_gas), _plus_an_eighth(signed.max_priority_fee_per_gas))
    bumped = Fees(
        max(wanted.max_fee_per_gas, least.max_fee_per_gas),
        max(wanted.max_priority_fee_per_gas, least.max_priority_fee_per_gas),
        chain.is_legacy,
    )
    return bumped if bumped.max_fee_per_gas <= cap else None


def _plus_an_eighth(fee: int) -> int:
    return fee + -(-fee // 8)


def gas_limit(estimate: int) -> int:
    """Return the limit to sign for an estimated use of gas."""
    return estimate + estimate * _GAS_MARGIN_PERCENT // 100


def is_confirmed(receipt: Receipt, latest_block: int, chain: Chain) -> bool:
    """Return whether enough blocks lie on the receipt's, its own included."""
    return latest_block - receipt.block_number + 1 >= chain.confirmations


def first_pause(chain: Chain) -> int:
    """Return the whole seconds from a broadcast until what the next block takes is confirmed; four blocks at most, so
    that a node that forgot it is noticed."""
    return max(1, min(60, math.ceil(chain.block_seconds * min(chain.confirmations, 4))))


def confirmation_pause(chain: Chain, polls: int) -> int:
    """Return the whole seconds to wait before poll number ``polls`` + 2: half a block at first, four at most."""
    return max(1, round(min(chain.block_seconds * (1 << min(polls, 8)) / 2, chain.block_seconds * 4, 60)))


def confirmations_pause(receipt: Receipt, latest_block: int, chain: Chain) -> int:
    """Return the whole seconds until a mined transaction can have its confirmations; before, nothing new is found."""
    missing = chain.confirmations - (latest_block - receipt.block_number + 1)
    return max(1, min(60, round(missing * chain.block_seconds)))


def estimated_seconds(chain: Chain, transactions: int) -> int:
    """Return how long ``transactions`` in sequence take to be confirmed: a block to get in, then the confirmations."""
    return max(1, round(transactions * chain.block_seconds * (1 + chain.confirmations)))
