"""Shapes of requests for Akash workloads and of what is answered of them.

Amounts are decimal strings: US dollars where a name says ``usd`` or ``deposit``, uact (a millionth of one) a block
where it says so. Times are ISO 8601 in UTC.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from slipway.akash.bidding.preferences import PositiveDecimal, Preferences, ProviderAddress, decimal_of
from slipway.akash.status.models import LiveStatus, Port, ServiceState
from slipway.chain.unsigned import UnsignedTransaction
from slipway.fields import printable
from slipway.jobs.models import EventDetail, Refusal

# Of a choice among the bids: providers withdraw theirs after five minutes.
MIN_CHOICE_SECONDS, MAX_CHOICE_SECONDS = 15, 240
MIN_DEPOSIT, MAX_DEPOSIT = Decimal("0.5"), Decimal(1000)
_EXAMPLE = """version: "2.0"
services:
  web:
    image: nginx:1.27@sha256:447a8665cc1dab95b1ca778e162215839ccbb9189104c79d7ec3a81e14577add
    expose:
      - port: 80
        to: [{global: true}]
profiles:
  compute:
    small:
      resources: {cpu: {units: 500m}, memory: {size: 512Mi}, storage: {size: 1Gi}}
  placement:
    anywhere:
      pricing: {small: {denom: uact, amount: 10000}}
deployment:
  web: {anywhere: {profile: small, count: 1}}
"""


class _Shape(BaseModel):
    """An answer. What a function needs of these is built at its first use: most import them for a few."""

    model_config = ConfigDict(defer_build=True)


class Status(StrEnum):
    """Where a workload stands. ``pending`` lasts until its services are available; it is closed for good otherwise."""

    PENDING = "pending"
    ACTIVE = "active"
    CLOSED = "closed"
    ERROR = "error"


FINAL = frozenset({Status.CLOSED, Status.ERROR})


def _deposit(amount: Decimal) -> Decimal:
    if not MIN_DEPOSIT <= amount <= MAX_DEPOSIT:
        raise ValueError(f"must be {MIN_DEPOSIT} to {MAX_DEPOSIT} USD")
    if amount != amount.quantize(Decimal("0.000001")):
        raise ValueError("has more than six digits after the point")
    return amount


Deposit = Annotated[
    Decimal,
    BeforeValidator(decimal_of),
    AfterValidator(_deposit),
    WithJsonSchema({"type": "string", "examples": ["5"], "description": "US dollars"}),
]


# What happens to a workload for which nobody chose a bid in time.
Unchosen = Literal["best", "close"]

Title = Annotated[str, Field(min_length=1, max_length=80, examples=["shop"]), AfterValidator(printable)]


class DeployWorkloadRequest(BaseModel):
    """A workload for Akash. ``auth_token`` stands in for the Authorization header.

    Attributes:
        sdl: The SDL as YAML, at most 64 KB.
        deposit: US dollars put into its escrow account; what is not spent comes back when it is closed.
        preferences: Which bids will do.
        name: What its owner calls it.
        choose_bid: Wait for the owner to choose among the bids; otherwise the best one is taken.
        choose_within_seconds: How long, from when there are bids that will do; by default as long as bids last.
        unchosen: What happens when nobody has chosen by then: take the ``best`` bid, or ``close`` it, which costs
            nothing.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    sdl: Annotated[str, Field(examples=[_EXAMPLE])]
    deposit: Deposit | None = None
    preferences: Preferences = Preferences()
    name: Title | None = None
    choose_bid: bool = False
    choose_within_seconds: Annotated[int, Field(ge=MIN_CHOICE_SECONDS, le=MAX_CHOICE_SECONDS)] | None = None
    unchosen: Unchosen = "best"
    auth_token: Annotated[str, Field(max_length=8192)] | None = None

    @model_validator(mode="after")
    def _only_with_a_choice(self) -> "DeployWorkloadRequest":
        if not self.choose_bid and (self.choose_within_seconds is not None or self.unchosen != "best"):
            raise ValueError("choose_within_seconds and unchosen go with choose_bid")
        return self


class ChooseBidsRequest(BaseModel):
    """The bids to take.

    Attributes:
        providers: One for each placement of the SDL, in order; most SDLs have one placement.
        price: uact a block that these bids cost together, as they were shown; another price is refused.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    providers: Annotated[list[ProviderAddress], Field(min_length=1, max_length=20)]
    price: PositiveDecimal | None = None


class UpdateWorkloadRequest(BaseModel):
    """Another SDL for a running workload. ``replace`` allows to close its lease and take another where it has to be."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sdl: Annotated[str, Field(examples=[_EXAMPLE])]
    replace: bool = False


class PatchWorkloadRequest(BaseModel):
    """What else can be changed; null takes a name away.

    Attributes:
        name: What its owner calls it.
        auto_top_up: Whether its runway is kept up within the budgets.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Title | None = None
    auto_top_up: bool = False


class DepositRequest(BaseModel):
    """US dollars to add to a workload's escrow account."""

    model_config = ConfigDict(extra="forbid", strict=True)

    amount: Deposit


class SdlAnswer(_Shape):
    """The SDL of a workload. Unless it is ``revealed``, what looks secret is masked and comments are left out."""

    deployment_id: str
    sdl: str
    revealed: bool


class PaymentAnswer(_Shape):
    """What the caller's wallet has to send before the workload is created.

    Attributes:
        job_id: What the deposit is for: the workload's id.
        amount: Whole tokens of the escrow, each of which counts as a US dollar.
        expires_at: Until when the deposit has to be there.
        transactions: To complete, sign and send in this order.
    """

    status: Literal["awaiting_deposit"] = "awaiting_deposit"
    job_id: str
    amount: str
    currency: Literal["USD"] = "USD"
    chain_id: int
    expires_at: str
    transactions: list[UnsignedTransaction]


class DeployWorkloadAnswer(_Shape):
    """A workload that was accepted."""

    success: Literal[True] = True
    deployment_id: str
    kind: Literal["akash"] = "akash"
    status: Literal["pending"] = "pending"
    services: list[str]
    deposit: str
    currency: Literal["USD"] = "USD"
    status_url: str


class PayWorkloadAnswer(DeployWorkloadAnswer):
    """A workload that was accepted and waits for the deposit of the caller, who pays for it."""

    payment: PaymentAnswer


class WorkloadResources(_Shape):
    """Everything that a workload asks for, over all replicas."""

    cpu_millicores: int
    memory_bytes: int
    storage_bytes: int
    gpus: int


class WorkloadEstimate(_Shape):
    """What a workload would probably cost; bids decide. ``gpu_usd_per_hour`` is a part of ``usd_per_hour``.

    The prices are None where the network has none for such a GPU.

    Attributes:
        payer: Whose money it is: the caller's ``escrow``, or the operator's ``account``.
        most_cost: The deposit: it can't cost more, unless it is topped up.
        expected_cost: Of an hour.
        chain: Where the escrow is, None if the account pays.
    """

    kind: Literal["akash"] = "akash"
    estimate: Literal[True] = True
    services: list[str]
    resources: WorkloadResources
    usd_per_hour: str | None
    usd_per_month: str | None
    gpu_usd_per_hour: str | None
    deposit: str
    payer: Literal["escrow", "account"]
    most_cost: str
    expected_cost: str | None
    currency: Literal["USD"] = "USD"
    chain: int | None
    refusals: list[Refusal]


class WorkloadError(_Shape):
    """How a workload failed."""

    code: str
    message: str


class LeaseDetail(_Shape):
    """One provider's part of a workload. ``price`` is uact a block; ``gpu`` is what its bid offered."""

    dseq: str
    gseq: int
    oseq: int
    provider: str
    price: str
    usd_per_hour: str
    gpu: str | None = None
    host: str | None = None


class Observation(_Shape):
    """What a workload's providers reported of it, and when."""

    observed_at: str
    services: dict[str, ServiceState] = {}
    forwarded_ports: dict[str, list[Port]] = {}
    ips: dict[str, list[Port]] = {}


class PaymentState(_Shape):
    """How far the payment of a workload is. Amounts are whole tokens of the escrow.

    Attributes:
        amount: What was asked for.
        reserved: What of its owner's deposits was reserved for it in all, with those that came while it runs.
        released: What of that was paid while it runs.
        most_per_hour: What its owner agreed to for each hour begun.
        spent: What it has cost in the end, in US dollars.
    """

    status: Literal["awaiting_deposit", "deposited", "reserving", "reserved", "settling", "settled"]
    amount: str
    reserved: str | None = None
    released: str = "0"
    most_per_hour: str | None = None
    currency: Literal["USD"] = "USD"
    chain_id: int | None = None
    expires_at: str
    spent: str | None = None


class ChoiceState(_Shape):
    """How the owner's choice among the bids stands.

    Attributes:
        status: ``over`` if it ended without any.
        until: Until when the owner may choose; None before there are bids that will do for every placement.
        unchosen: What happens if nobody chooses until then.
        by: Who chose: the owner, or the deadline.
    """

    status: Literal["awaiting_bids", "awaiting_choice", "chosen", "over"]
    until: str | None = None
    unchosen: Unchosen = "best"
    by: Literal["owner", "deadline"] | None = None


class OfferedBid(_Shape):
    """A provider's bid. ``price`` is uact a block, ``uptime`` a share from 0 to 1 of the last week, None where unknown.

    Attributes:
        group: The placement that it is for, from 1.
        acceptable: Whether it can be chosen; ``why_not`` says why not.
    """

    provider: str
    name: str | None = None
    group: int
    price: str
    usd_per_hour: str
    usd_per_month: str
    region: str | None = None
    country: str | None = None
    uptime: float | None = None
    audited: bool
    gpu: str | None = None
    acceptable: bool
    why_not: str | None = None
    chosen: bool = False


class BidList(_Shape):
    """The bids for a workload whose owner chooses, in the order in which they would be taken; none for any other.

    Attributes:
        groups: How many placements the SDL has: a choice names one provider for each.
        max_price: US dollars an hour that the chosen bids may cost together.
        updated_at: When the list last changed.
    """

    deployment_id: str
    choice: ChoiceState | None = None
    groups: int
    max_price: str | None = None
    updated_at: str | None = None
    bids: list[OfferedBid] = []


class WorkloadStatus(_Shape):
    """Where a workload stands. Fields are None until they are known.

    Attributes:
        payment: How far its owner's escrow has paid; None if the operator's account pays.
        choice: How its owner's choice among the bids stands; None if the best one is taken without asking.
        dseq: Its number on Akash.
        provider: Address of the provider; of the first placement's if there are several.
        price: uact a block, over all leases.
        services: Every service with its replicas and addresses, as of ``observed_at``.
        close_requested_at: Since when it is being closed; it keeps its status until Akash says that it is closed.
        close_reason: Why it was closed.
        live: Its state on Akash now, with its age, and what it costs; not in lists.
        update_requested_at: Since when another SDL is to run in its lease.
        top_up: What is being added to its escrow account.
        final_cost: What it has cost in the end.
        currency: Of every cost but ``price``. One token of the escrow counts as a US dollar.
        chain_id: Where its escrow is, None if the account pays.
        last_seen: What its providers reported last; it stays once it is closed.
    """

    deployment_id: str
    kind: Literal["akash"] = "akash"
    name: str | None = None
    status: Status
    dseq: str | None = None
    provider: str | None = None
    price: str | None = None
    usd_per_hour: str | None = None
    services: dict[str, ServiceState] = {}
    forwarded_ports: dict[str, list[Port]] = {}
    ips: dict[str, list[Port]] = {}
    observed_at: str | None = None
    error: WorkloadError | None = None
    close_requested_at: str | None = None
    close_reason: str | None = None
    closed_at: str | None = None
    active_at: str | None = None
    auto_top_up: bool = False
    update_requested_at: str | None = None
    top_up: str | None = None
    final_cost: str | None = None
    currency: Literal["USD"] = "USD"
    chain_id: int | None = None
    last_seen: Observation | None = None
    created_at: str
    updated_at: str
    payment: PaymentState | None = None
    choice: ChoiceState | None = None
    live: LiveStatus | None = None


class WorkloadSummary(WorkloadStatus):
    """A workload in a list."""


class WorkloadDetail(WorkloadStatus):
    """A workload with everything that Slipway knows of it."""

    deposit: str
    preferences: dict[str, Any]
    leases: list[LeaseDetail] = []
    events: list[EventDetail] = []
