"""Fees and transactions as plain values. Amounts are integers in wei."""

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True)
class Fees:
    """Fees in wei per unit of gas; with ``is_legacy``, for a transaction without EIP-1559, both are its gas price."""

    max_fee_per_gas: int
    max_priority_fee_per_gas: int
    is_legacy: bool = False


@dataclass(frozen=True)
class ChainFees:
    """What the network asks now, in wei per unit of gas.

    Attributes:
        base_fee_per_gas: Of the next block.
        priority_fee_per_gas: The tip: the most of what recent blocks took and of what nodes name.
        mined_tip: What recent blocks took, where that is known: a single node may name what is absurd.
    """

    base_fee_per_gas: int
    priority_fee_per_gas: int
    mined_tip: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Call:
    """What a transaction does, before it has a nonce. ``to`` is None for a contract creation."""

    to: str | None
    data: bytes
    gas_limit: int
    value: int = 0


@dataclass(frozen=True)
class UnsignedTransaction:
    """A transaction that only lacks its signature."""

    chain_id: int
    nonce: int
    fees: Fees
    call: Call


@dataclass(frozen=True)
class SignedTransaction:
    """The exact bytes to broadcast, and their hash; both are 0x-prefixed hexadecimal."""

    raw: str
    transaction_hash: str


@dataclass(frozen=True)
class Receipt:
    """The part of a receipt that Slipway keeps. The price and ``l1_fee``, a charge of rollups, are in wei."""

    transaction_hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    gas_used: int
    effective_gas_price: int
    contract_address: str | None
    l1_fee: int = 0

    @property
    def cost(self) -> int:
        """What the transaction cost in wei."""
        return self.gas_used * self.effective_gas_price + self.l1_fee


@dataclass(frozen=True)
class Sent:
    """What a transaction does that a node has; ``to`` is None for a contract creation."""

    to: str | None
    data: bytes


class Progress(StrEnum):
    """How far a transaction is on chain, and so what the state machine does next."""

    CONFIRMED = "confirmed"
    PENDING = "pending"
    MISSING = "missing"
    STUCK = "stuck"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REVERTED = "reverted"
    VOID = "void"


# What is final, but for a reorganisation deeper than the chain's confirmations.
FINAL = frozenset({Progress.CONFIRMED, Progress.REVERTED, Progress.CANCELLED, Progress.VOID})


@dataclass(frozen=True)
class TransactionState:
    """How far a transaction is. Read it again after ``pause_seconds``; ``receipt`` is there once it is in a block."""

    progress: Progress
    pause_seconds: int
    receipt: Receipt | None = None
