"""Prices of Akash in one currency: uact, a millionth of a US dollar (1 ACT = 1 USD), and US dollars. Pure."""

from decimal import Decimal

from slipway.amounts import without_zeros

MICRO = Decimal(1_000_000)
# What a block of the chain takes on average.
BLOCK_SECONDS = Decimal("6.1")
_HOUR = Decimal(3600)
_MONTH_HOURS = Decimal(730)


def usd_per_hour(uact_per_block: Decimal) -> Decimal:
    """Return the US dollars an hour of a price per block."""
    return uact_per_block / MICRO * _HOUR / BLOCK_SECONDS


def usd_per_month(uact_per_block: Decimal) -> Decimal:
    """Return the US dollars a month of a price per block."""
    return usd_per_hour(uact_per_block) * _MONTH_HOURS


def hourly(usd_a_month: Decimal) -> Decimal:
    """Return the US dollars an hour of a price per month."""
    return usd_a_month / _MONTH_HOURS


def amount_text(amount: Decimal, digits: int = 6) -> str:
    """Return a decimal string without exponent, with at most ``digits`` digits after the point and no zeros at its
    end."""
    return without_zeros(f"{amount:.{digits}f}")
