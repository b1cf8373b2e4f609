"""Shapes of the list of providers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from slipway.akash.console.models import PricedGpu, PriceEstimate, Provider


class Market(BaseModel):
    """All providers, and prices on the network, as upstream lists them.

    Attributes:
        providers: All of them.
        gpus: GPU models with their prices.
        unit: Price of the standard unit; None where upstream gave none.
        prices_as_of: When the prices were fetched, in seconds since 1970; they may be older than the list.
    """

    model_config = ConfigDict(frozen=True)

    providers: list[Provider] = []
    gpus: list[PricedGpu] = []
    unit: PriceEstimate | None = None
    prices_as_of: float | None = None


class Amount(BaseModel):
    """How much of a resource is free, and how much there is; None where the provider does not report it."""

    available: float | None
    total: float | None


class GpuSpec(BaseModel):
    """A GPU model of a provider; ``count`` is None where the provider has several models and reports only their sum."""

    vendor: str
    model: str
    ram: str | None
    interface: str | None
    count: int | None


class Specs(BaseModel):
    """What a provider has in all."""

    cpu_cores: float | None
    memory_bytes: float | None
    storage_bytes: float | None
    gpu_count: int | None
    gpus: list[GpuSpec]


class StorageAvailability(BaseModel):
    """Bytes by kind of storage."""

    ephemeral: Amount
    persistent: Amount


class Availability(BaseModel):
    """What a provider has free."""

    cpu_cores: Amount
    memory_bytes: Amount
    storage_bytes: StorageAvailability
    gpus: Amount


class Uptime(BaseModel):
    """Shares from 0 to 1 of the last day, week and month; None where unknown."""

    day: float | None = Field(serialization_alias="1d")
    week: float | None = Field(serialization_alias="7d")
    month: float | None = Field(serialization_alias="30d")


class GpuHourlyPrice(BaseModel):
    """What one GPU costs an hour on the network, decimal strings in US dollars; None where no provider offers one."""

    vendor: str
    model: str
    ram: str | None
    interface: str | None
    min: str | None
    max: str | None
    average: str | None
    weighted_average: str | None
    median: str | None


class UnitPrice(BaseModel):
    """What a standard unit costs on the network, decimal strings in US dollars."""

    cpu_cores: int
    memory_bytes: int
    storage_bytes: int
    hourly: str
    monthly: str
    estimate: Literal[True] = True


class Pricing(BaseModel):
    """What a workload may cost there: an estimate from the network's prices, for providers name theirs only in bids.

    ``hourly`` is what ``maxPrice`` is compared with: the cheapest of the GPUs that were asked for (or that the provider
    has), or the standard unit where it has none; None where unknown.
    """

    currency: Literal["USD"] = "USD"
    estimate: Literal[True] = True
    hourly: str | None
    gpus: list[GpuHourlyPrice]
    standard_unit: UnitPrice | None


class ProviderEntry(BaseModel):
    """One provider."""

    address: str
    name: str | None
    organization: str | None
    host_uri: str | None
    region: str | None
    country: str | None
    country_code: str | None
    city: str | None
    online: bool
    audited: bool
    specs: Specs
    availability: Availability
    uptime: Uptime
    pricing: Pricing


class ProviderPage(BaseModel):
    """A page of providers by name, and how old the list is. ``total`` counts all that match."""

    providers: list[ProviderEntry]
    total: int
    next_cursor: str | None = None
    as_of: str
    cached_age_seconds: float
    stale: bool
    prices_as_of: str | None
