"""Shapes of token requests, answers and models, as specification 004 and the design give them.

Costs are decimal strings in wei, supplies decimal strings in whole tokens; times are ISO 8601 in UTC.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
)

from slipway.amounts import DecimalText, base_units
from slipway.chain.unsigned import UnsignedTransaction
from slipway.fields import Address, printable
from slipway.jobs.models import EventDetail, Refusal
from slipway.verification.models import Verification

ZERO_ADDRESS = "0x" + "0" * 40


class _Shape(BaseModel):
    """An answer. What a function needs of these is built at its first use: most import them for a few."""

    model_config = ConfigDict(defer_build=True)


class Status(StrEnum):
    """Where a token's launch stands."""

    PENDING = "pending"
    DEPLOYING = "deploying"
    REGISTERING = "registering"
    COMPLETED = "completed"
    FAILED = "failed"


# What a launch's transactions are for, in the order of their nonces.
Purpose = Literal["deploy", "register", "distribute"]
PURPOSES: tuple[Purpose, ...] = ("deploy", "register", "distribute")
# Every token that Slipway launches has as many.
DECIMALS = 18
MAX_ALLOCATIONS = 200
# Up to there every integer is a float.
_MAX_EXACT = 2**53

FINAL = frozenset({Status.COMPLETED, Status.FAILED})


# Two names that look alike must be the same name.
ModelId = Annotated[str, Field(min_length=1, max_length=64, examples=["sentiment-v2"]), AfterValidator(printable)]


def _amount(text: str) -> str:
    base_units(text, DECIMALS)
    return text


def _more_than_zero(text: str) -> str:
    base_units(text, DECIMALS, least=1)
    return text


def _not_zero(address: str) -> str:
    if address == ZERO_ADDRESS:
        raise ValueError("must not be the zero address")
    return address


Amount = Annotated[DecimalText, AfterValidator(_amount)]


class Allocation(BaseModel):
    """What one address gets of the initial supply, in whole tokens."""

    model_config = ConfigDict(extra="forbid", strict=True)

    address: Annotated[Address, AfterValidator(_not_zero)]
    amount: Annotated[DecimalText, AfterValidator(_more_than_zero)]


class DeployTokenRequest(BaseModel):
    """A token for a validated model. ``auth_token`` stands in for the Authorization header.

    Of ``initial_supply`` each of ``allocations`` is given its amount, and the caller the rest. The caller is steward of
    the token and may later mint up to ``max_supply``; without one, nothing is minted after the initial supply.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    model_id: ModelId
    user_address: Address
    token_name: Annotated[str, Field(min_length=1, max_length=50), AfterValidator(printable)] | None = None
    token_symbol: Annotated[str, Field(pattern=r"^[A-Z0-9-]{1,10}$")] | None = None
    initial_supply: Amount | None = None
    max_supply: Amount | None = None
    allocations: Annotated[list[Allocation], Field(max_length=MAX_ALLOCATIONS)] | None = None
    auth_token: Annotated[str, Field(max_length=8192)] | None = None

    @field_validator("max_supply")
    @classmethod
    def _holds_the_initial(cls, most: str | None, info: ValidationInfo) -> str | None:
        initial = info.data.get("initial_supply")
        if most is not None and initial is not None and base_units(most, DECIMALS) < base_units(initial, DECIMALS):
            raise ValueError("must not be less than initial_supply")
        return most

    @field_validator("allocations")
    @classmethod
    def _within_the_initial(cls, given: list[Allocation] | None, info: ValidationInfo) -> list[Allocation] | None:
        addresses = [one.address for one in given or []]
        if repeated := next((one for place, one in enumerate(addresses) if one in addresses[:place]), None):
            raise ValueError(f"names {repeated} more than once")
        total = sum(base_units(one.amount, DECIMALS) for one in given or [])
        if "initial_supply" in info.data and total > base_units(info.data["initial_supply"] or "0", DECIMALS):
            raise ValueError("must not be more than initial_supply, together")
        return given


class MintRequest(BaseModel):
    """What a token's steward wants minted, in whole tokens; ``chain_id`` is the chain that the wallet is on."""

    model_config = ConfigDict(extra="forbid", strict=True)

    to: Annotated[Address, AfterValidator(_not_zero)]
    amount: Annotated[DecimalText, AfterValidator(_more_than_zero)]
    chain_id: Annotated[int, Field(ge=1, lt=2**53)] | None = None


class MintAnswer(_Shape):
    """Transactions for the steward's wallet to send, in this order."""

    transactions: list[UnsignedTransaction]


class DeployTokenAnswer(_Shape):
    """A launch that was accepted. ``estimated_confirmation_time`` is in seconds, ``estimated_gas_cost`` in wei."""

    success: Literal[True] = True
    deployment_id: str
    kind: Literal["token"] = "token"
    model_id: str
    estimated_confirmation_time: int
    estimated_gas_cost: str
    currency: str
    chain_id: int
    status_url: str


class EstimateAnswer(_Shape):
    """What a launch would cost and take. ``gas`` covers all of its transactions; fees and costs are in wei.

    Attributes:
        gas: The most that is used.
        payer: Whose money it is: the operator's ``account``.
        most_cost: What the transactions can cost as they would be signed now; the same as ``estimated_gas_cost``. One
            that no block takes is signed again with higher fees, up to ``fee_cap`` for a unit of gas.
        expected_cost: What they would cost in the next block.
        currency: Of the chain's gas.
        chain: Where it is paid.
    """

    kind: Literal["token"] = "token"
    model_id: str
    token_name: str
    token_symbol: str
    initial_supply: str | None = None
    max_supply: str | None = None
    gas: int | None
    max_fee_per_gas: str | None
    max_priority_fee_per_gas: str | None
    fee_cap: str
    estimated_gas_cost: str | None
    payer: Literal["account"] = "account"
    most_cost: str | None
    expected_cost: str | None
    currency: str
    chain: int
    estimated_confirmation_time: int
    refusals: list[Refusal]


class _Sparse(_Shape):
    """Leaves out what is not known yet, wherever it is shown."""

    @model_serializer(mode="wrap")
    def _known(self, shown: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]
        # A return type here would be the schema's.
        return {name: value for name, value in shown(self).items() if value is not None}


class DeploymentError(_Sparse):
    """How a launch failed."""

    code: str
    message: str
    transaction_hash: str | None = None


class DeploymentStatus(_Sparse):
    """Specification 004's status body; fields are left out until they are known, in lists and details too.

    ``verification`` is that of the token's source, once the launch is completed. Costs are in wei of ``currency``.
    """

    kind: Literal["token"] = "token"
    deployment_id: str
    chain_id: int
    status: Status
    model_id: str
    token_address: str | None = None
    token_name: str | None = None
    token_symbol: str | None = None
    deployment_tx_hash: str | None = None
    registry_tx_hash: str | None = None
    allocation_tx_hash: str | None = None
    initial_supply: str | None = None
    max_supply: str | None = None
    block_number: int | None = None
    explorer_url: str | None = None
    gas_used: str | None = None
    gas_price: str | None = None
    total_cost: str | None = None
    currency: str | None = None
    verification: Verification | None = None
    error: DeploymentError | None = None
    created_at: str
    updated_at: str


class TransactionDetail(_Sparse):
    """One of a launch's transactions. ``gas_price`` is the effective price, ``cost`` what it paid, in wei."""

    purpose: Purpose
    transaction_hash: str
    block_number: int | None = None
    gas_used: str | None = None
    gas_price: str | None = None
    cost: str | None = None
    currency: str | None = None
    chain_id: int
    explorer_url: str | None = None


class OpenTransaction(_Shape):
    """A transaction that is signed and not settled: it may still be mined, and until then later ones have to wait.

    ``refusal`` is why no node takes it at present, in a node's words.
    """

    purpose: Purpose
    signer: str
    nonce: int
    transaction_hash: str
    refusal: str | None = None


class DeploymentDetail(DeploymentStatus):
    """A deployment with everything Slipway knows of it; ``open`` is what the chain has not settled yet.

    ``controller`` owns the token; ``steward`` is the wallet that may mint up to ``max_supply``, as last seen on chain.
    """

    user_address: str
    controller: str | None = None
    steward: str | None = None
    allocations: list[Allocation] = []
    model: dict[str, Any] | None = None
    estimated_gas_cost: str | None = None
    transactions: list[TransactionDetail] = []
    open: list[OpenTransaction] = []
    events: list[EventDetail] = []


class DeploymentSummary(DeploymentStatus):
    """A deployment in a list."""


class TokenTransaction(_Shape):
    """One of the transactions that made a token."""

    purpose: Purpose
    transaction_hash: str
    block_number: int
    explorer_url: str | None


class WalletAssetOptions(_Shape):
    """What a wallet shows of a token."""

    address: str
    symbol: str
    decimals: int


class WalletAsset(_Shape):
    """The parameters of ``wallet_watchAsset`` (EIP-747), which adds a token to a wallet."""

    type: Literal["ERC20"] = "ERC20"
    options: WalletAssetOptions


class TokenView(_Shape):
    """A launched token. Supplies are whole tokens as decimal text.

    Attributes:
        total_supply: What there is now; null while no node of the chain answers.
        max_supply: What there may be at most; null where nothing limits it or nothing is known.
        steward: The wallet that may mint; null where there is none, or while no node answers.
        owner: The contract that owns the token; null while no node answers.
        explorer_url: Where people look at it; null where the chain has no explorer.
        wallet_asset: Add it to a wallet with ``wallet_watchAsset``.
    """

    address: str
    chain_id: int
    model_id: str
    name: str
    symbol: str
    decimals: int
    total_supply: str | None
    max_supply: str | None
    steward: str | None
    owner: str | None
    transactions: list[TokenTransaction]
    verification: Verification
    explorer_url: str | None
    wallet_asset: WalletAsset


class ModelState(StrEnum):
    """How far a model is with its validation."""

    REGISTERED = "registered"
    VALIDATED = "validated"
    REJECTED = "rejected"


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() and abs(value) <= _MAX_EXACT else value


# An integer is shown as one.
Metric = Annotated[float, PlainSerializer(_whole)]


class ModelEntry(BaseModel):
    """What the catalogue stores of a model (``PUT /api/admin/models/{id}``)."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    owner: Address
    contributors: list[Address] = Field(default=[], max_length=200)
    state: ModelState
    validated_at: Annotated[str, Field(max_length=40), AfterValidator(printable)] | None = None
    run_id: Annotated[str, Field(max_length=200), AfterValidator(printable)] | None = None
    metrics: dict[str, Metric] = Field(default={}, max_length=200)
    improvement: float | None = None


class ModelAnswer(ModelEntry):
    """A model as the catalogue holds it."""

    model_id: str


class ModelToken(_Shape):
    """The token of a model, once it is on chain; ``deployment_id`` is its launch."""

    address: str
    symbol: str
    deployment_id: str


class ModelView(_Shape):
    """A model as its owner and its contributors see it.

    Attributes:
        owner: Null where MLflow names none.
        token: The model's token, once it is on chain.
        refusals: Why a launch of its token by the caller would be refused now.
    """

    model_id: str
    owner: str | None
    contributors: list[str]
    state: ModelState
    validated_at: str | None
    metrics: dict[str, Metric]
    token: ModelToken | None
    refusals: list[Refusal]


class ModelPage(_Shape):
    """A page of models by their ids; ``next_cursor`` is None on the last one."""

    models: list[ModelView]
    next_cursor: str | None = None


@dataclass(frozen=True)
class ModelMetadata:
    """A model, wherever it is known from. Addresses are in EIP-55 form.

    Attributes:
        owner: None where the model's source names none that makes sense.
        problems: What of the source makes no sense, by its name there; such a model can't be launched.
    """

    model_id: str
    owner: str | None
    contributors: tuple[str, ...]
    state: ModelState
    validated_at: str | None = None
    run_id: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    improvement: float | None = None
    problems: dict[str, str] = field(default_factory=dict)

    def is_shared_with(self, wallet: str | None) -> bool:
        """Return whether a wallet owns the model or contributes to it."""
        return wallet is not None and wallet in (self.owner, *self.contributors)

    def snapshot(self) -> dict[str, Any]:
        """Return what a deployment keeps of its model."""
        return {
            "owner": self.owner,
            "contributors": list(self.contributors),
            "state": str(self.state),
            "validated_at": self.validated_at,
            "run_id": self.run_id,
            "metrics": self.metrics,
            "improvement": self.improvement,
        }
