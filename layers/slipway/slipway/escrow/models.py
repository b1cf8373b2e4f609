"""Shapes of the escrow routes.

Amounts are decimal strings in whole tokens with the token's decimals, such as ``"10.500000"``. Transactions are for the
caller's wallet to complete (nonce, fees), sign and send: Slipway holds no user's key.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from slipway.amounts import DecimalText
from slipway.chain.unsigned import UnsignedTransaction

_JOB_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def _job_id(text: str) -> str:
    lower = text.lower()
    if not _JOB_ID.fullmatch(lower):
        raise ValueError("must be a job's id: a UUID with hyphens")
    return lower


JobId = Annotated[str, Field(max_length=36, examples=["3f0b9a52-6f0e-4a58-9d4c-2f1c5a7e8b90"]), AfterValidator(_job_id)]


# Each of the escrow's tokens counts as one US dollar.
Currency = Literal["USD"]


class Permit(BaseModel):
    """A signature of the typed data that an earlier answer gave (EIP-2612); ``deadline`` in seconds since 1970."""

    model_config = ConfigDict(extra="forbid", strict=True)

    deadline: Annotated[int, Field(ge=1, lt=2**63)]
    signature: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{130}$", description="65 bytes r, s, v in hexadecimal")]


class DepositRequest(BaseModel):
    """A deposit for a job. With ``permit`` it takes one transaction, else an approval may have to come first."""

    model_config = ConfigDict(extra="forbid", strict=True)

    job_id: JobId
    amount: DecimalText
    permit: Permit | None = None


class PermitOffer(BaseModel):
    """Typed data to sign (EIP-712, ``eth_signTypedData_v4``), by which the deposit takes one transaction."""

    deadline: int
    typed_data: dict[str, Any]


class DepositAnswer(BaseModel):
    """Transactions to send in this order.

    ``permit`` is None where the token has none or did not answer in time, and when one was given.
    """

    job_id: str
    amount: str
    transactions: list[UnsignedTransaction]
    permit: PermitOffer | None = None
    chain_id: int
    currency: Currency = "USD"


class RefundAnswer(BaseModel):
    """The transaction that gives back what is unspent; ``amount`` is what that would be now."""

    job_id: str
    amount: str
    transactions: list[UnsignedTransaction]
    chain_id: int
    currency: Currency = "USD"


class EscrowAnswer(BaseModel):
    """What the chain knows of a wallet's deposits for a job, all as of one block.

    ``refundable`` is deposited less released, refunded and reserved. A reservation ends at ``reserved_until``.
    """

    job_id: str
    wallet: str
    chain_id: int
    escrow: str
    token: str
    decimals: int
    currency: Currency = "USD"
    deposited: str
    released: str
    refunded: str
    reserved: str
    reserved_until: str | None
    refundable: str
    balance: str
    allowance: str
    block_number: int


@dataclass(frozen=True)
class EscrowStatus:
    """``Escrow.statusOf``: amounts in base units, moments in seconds since 1970 or 0, ``token`` by EIP-55.

    Attributes:
        price: The most that each hour begun of the job may cost; None in an escrow of the version before.
        renewable_until: Until when the job may be reserved, if nothing more is deposited.
        releasable: What may be released now at that price.
    """

    token: str
    decimals: int
    deposited: int
    released: int
    refunded: int
    reserved: int
    reserved_until: int
    refundable: int
    balance: int
    allowance: int
    block_number: int
    price: int | None = None
    started_at: int = 0
    ended_at: int = 0
    renewable_until: int = 0
    releasable: int = 0


@dataclass(frozen=True)
class PermitDomain:
    """The EIP-712 domain in which a token takes permits; ``token`` in EIP-55 form."""

    name: str
    version: str
    chain_id: int
    token: str
