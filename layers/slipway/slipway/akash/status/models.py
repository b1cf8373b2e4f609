"""Shapes of a running workload's live status. Amounts are decimal strings."""

from pydantic import AliasChoices, BaseModel, Field


class Money(BaseModel):
    """An amount in the chain's unit (uact, a millionth of an ACT), and in US dollars where the unit has a price."""

    amount: str = Field(examples=["12500"])
    unit: str = Field(examples=["uact"])
    usd: str | None = Field(examples=["0.0125"])


class Cost(BaseModel):
    """What a workload costs.

    Attributes:
        price_per_block: Of all leases that are not closed.
        spent: So far; what a closed workload has cost in the end.
        balance: What is left in the escrow account.
        deposited: What was put into it.
        runway_seconds: How long the balance lasts; None when nothing is paid.
        escrow_state: ``open``, ``closed`` or ``overdrawn``.
        settled_at_block: Up to which block ``spent`` and ``balance`` are exact.
        estimate: Whether they count blocks after that, reckoned from the time that has passed.
    """

    price_per_block: Money
    burn_per_hour: Money
    burn_per_day: Money
    spent: Money
    balance: Money
    deposited: Money
    runway_seconds: int | None
    escrow_state: str | None
    settled_at_block: int | None
    estimate: bool


class Port(BaseModel):
    """``external_port`` of a provider's host, or of an IP address of its own, that leads to a container's ``port``.

    ``host`` is None where the provider does not report it. Those stored before 2026-11-29 may have it as ``ip``.
    """

    host: str | None = Field(validation_alias=AliasChoices("host", "ip"))
    port: int
    external_port: int
    protocol: str


class ServiceState(BaseModel):
    """How many replicas of a service are available, and where it is reached."""

    available: int
    total: int
    uris: list[str] = []


class LiveService(ServiceState):
    """A service by its name, with its ports."""

    name: str
    ports: list[Port]
    ips: list[Port]


class LiveLease(BaseModel):
    """A lease: ``active``, ``insufficient_funds`` or ``closed``. ``reachable`` is whether its provider answered."""

    provider: str
    gseq: int
    oseq: int
    state: str
    price_per_block: Money
    reachable: bool


class LiveStatus(BaseModel):
    """What Akash reported of a workload, and how long ago.

    Attributes:
        as_of: When; None, like all else, while nothing has been reported yet.
        age_seconds: How long ago.
        stale: Whether that is longer than a copy is good for; a newer one is being asked for.
        state: ``active`` or ``closed``, on Akash.
        services: None while no provider has reported them.
    """

    as_of: str | None = None
    age_seconds: float | None = None
    stale: bool = True
    state: str | None = None
    leases: list[LiveLease] = []
    services: list[LiveService] | None = None
    cost: Cost | None = None
