"""Ceilings and how they are written. Pure; amounts are whole millionths of a US dollar, or wei."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from slipway.amounts import without_zeros
from slipway.chains import Chain
from slipway.errors import ValidationFailedError
from slipway.settings import AkashBudget

MICRO = 1_000_000
_AMOUNT = re.compile(r"[0-9]{1,30}(\.[0-9]{1,6})?")


class Span(StrEnum):
    """What a ceiling counts: one thing, all that is open at once, or all of a day (UTC)."""

    EACH = "each"
    OPEN = "open"
    DAY = "day"


class Unit(StrEnum):
    """In what a budget is counted."""

    USD = "USD"
    USD_PER_HOUR = "USD/hour"
    WEI = "wei"


@dataclass(frozen=True)
class Ceiling:
    """The most that may be spent under one name.

    Attributes:
        name: As administrators write it, such as ``akash_day``.
        resource: Whose counters it limits: ``akash`` or ``gas_<chain id>``.
        account: Which of the resource's counters: the installation's, ``wallet`` for each wallet's own, or a tier's.
        span: What it counts.
        unit: In what.
        limit: By the template, in millionths or wei.
    """

    name: str
    resource: str
    account: str
    span: Span
    unit: Unit
    limit: int


INSTALLATION, WALLET = "installation", "wallet"


def micro(amount: Decimal) -> int:
    """Return US dollars in millionths, rounded up: a part of one is spent as well."""
    return math.ceil(amount * MICRO)


def akash_ceilings(budget: AkashBudget) -> list[Ceiling]:
    """Return the ceilings of deposits and prices on Akash."""
    found = [
        _akash("akash_deposit", INSTALLATION, Span.EACH, budget.deposit),
        _akash("akash_usd_per_hour", INSTALLATION, Span.EACH, budget.usd_per_hour),
        _akash("akash_open", INSTALLATION, Span.OPEN, budget.open),
        _akash("akash_day", INSTALLATION, Span.DAY, budget.day),
    ]
    for account, limits in budget.others:
        found += [_akash(f"akash_{account}_{span}", account, Span(span), limit) for span, limit in limits]
    return found


def _akash(name: str, account: str, span: Span, limit: Decimal) -> Ceiling:
    unit = Unit.USD_PER_HOUR if name.endswith("per_hour") else Unit.USD
    return Ceiling(name, "akash", account, span, unit, micro(limit))


def gas_ceilings(chains: Iterable[Chain]) -> list[Ceiling]:
    """Return the ceiling of each chain's gas for a day."""
    return [
        Ceiling(name, name, INSTALLATION, Span.DAY, Unit.WEI, chain.gas_budget_per_day)
        for chain in chains
        for name in [f"gas_{chain.chain_id}"]
    ]


def bedrock_ceiling(limit: Decimal) -> Ceiling:
    """Return the ceiling of the language model's calls for a day."""
    return Ceiling("bedrock_day", "bedrock", INSTALLATION, Span.DAY, Unit.USD, micro(limit))


def parse_limit(ceiling: Ceiling, value: str) -> int:
    """Return a ceiling as an administrator wrote it.

    Raises:
        ValidationFailedError: It is no amount of its unit.
    """
    is_wei = ceiling.unit is Unit.WEI
    if not _AMOUNT.fullmatch(value) or (is_wei and "." in value):
        raise ValidationFailedError.of_field(
            ceiling.name, "must be a whole number of wei" if is_wei else "must be US dollars such as 25.50"
        )
    return int(value) if is_wei else int(Decimal(value) * MICRO)


def amount_text(ceiling: Ceiling, amount: int) -> str:
    """Return an amount in its unit, the inverse of ``parse_limit``."""
    if ceiling.unit is Unit.WEI:
        return str(amount)
    return without_zeros(f"{Decimal(amount) / MICRO:f}")
