"""What a workload has cost, costs, and how long its escrow account lasts. Pure.

An account is settled when something happens to it, at the latest when its provider withdraws, about once a day. What is
known of it is as of that block, so for an open deployment the blocks since then are estimated from the time that has
passed since its dseq, which is the moment of its creation.
"""

from decimal import Decimal

from slipway.akash.bidding.prices import BLOCK_SECONDS, MICRO, amount_text
from slipway.akash.console.models import ZERO, Coin, Deployment, Lease
from slipway.akash.status.models import Cost, Money

UACT = "uact"
_HOUR, _DAY = Decimal(3600), Decimal(86400)
# An older client numbers deployments by block; such a number is no moment.
_FIRST_MILLISECOND = 10**12


def money(amount: Decimal, unit: str) -> Money:
    """Return an amount as the API shows it: 1 ACT is 1 US dollar; no other denomination has a known price."""
    usd = amount_text(amount / MICRO, 12) if unit == UACT else None
    return Money(amount=amount_text(amount), unit=unit, usd=usd)


def cost_of(deployment: Deployment, now: float) -> Cost:
    """Return the cost of a deployment at ``now``, in seconds since 1970."""
    escrow = deployment.escrow_account.state
    paying = [] if deployment.is_closed else deployment.open_leases
    unit = _unit(deployment)
    price = sum((lease.price.amount for lease in paying if lease.price.denom in ("", unit)), ZERO)
    funds, transferred = _sum(escrow.funds, unit), _sum(escrow.transferred, unit)
    accrued = min(sum((_unsettled(deployment, lease, now) for lease in paying), ZERO), funds)
    balance = funds - accrued
    return Cost(
        price_per_block=money(price, unit),
        burn_per_hour=money(price * _HOUR / BLOCK_SECONDS, unit),
        burn_per_day=money(price * _DAY / BLOCK_SECONDS, unit),
        spent=money(transferred + accrued, unit),
        balance=money(balance, unit),
        deposited=money(_sum([deposit.balance for deposit in escrow.deposits], unit), unit),
        runway_seconds=int(max(balance, ZERO) / price * BLOCK_SECONDS) if price > 0 else None,
        escrow_state=escrow.state or None,
        settled_at_block=int(escrow.settled_at) if escrow.settled_at.isdigit() else None,
        estimate=bool(paying),
    )


def transferred_usd(deployment: Deployment) -> Decimal:
    """Return what providers were paid for certain, in US dollars: nothing that is reckoned by time."""
    return _sum(deployment.escrow_account.state.transferred, UACT) / MICRO


def _unit(deployment: Deployment) -> str:
    escrow = deployment.escrow_account.state
    coins = [*(lease.price for lease in deployment.leases), *escrow.funds, *escrow.transferred]
    return next((coin.denom for coin in coins if coin.denom), UACT)


def _sum(coins: list[Coin], unit: str) -> Decimal:
    return sum((coin.amount for coin in coins if coin.denom == unit), ZERO)


def _unsettled(deployment: Deployment, lease: Lease, now: float) -> Decimal:
    """Return what a lease has cost since its account was settled."""
    heights = deployment.deployment.created_at, deployment.escrow_account.state.settled_at, lease.created_at
    dseq = int(deployment.dseq)
    if dseq < _FIRST_MILLISECOND or not all(height.isdigit() for height in heights):
        return ZERO
    created, settled, leased = (int(height) for height in heights)
    passed = (Decimal(str(now)) - Decimal(dseq) / 1000) / BLOCK_SECONDS
    return lease.price.amount * max(created + passed - max(settled, leased), ZERO)
