"""Which providers a list shows, in which order, and how. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from slipway.akash.bidding.prices import amount_text, hourly
from slipway.akash.bidding.provider_matching import gpus_of, matches_region, region_of
from slipway.akash.console.models import Capacity, PricedGpu, PriceEstimate, Provider, StorageCapacity
from slipway.akash.providers.models import (
    Amount,
    Availability,
    GpuHourlyPrice,
    GpuSpec,
    Market,
    Pricing,
    ProviderEntry,
    Specs,
    StorageAvailability,
    UnitPrice,
    Uptime,
)
from slipway.akash.sdl.gpus import GpuName, any_meets, gpu_of

# The standard unit of the estimate: a core, memory and storage in bytes.
UNIT_CPU, UNIT_MEMORY, UNIT_STORAGE = 1000, 2 * 2**30, 10 * 2**30


@dataclass(frozen=True)
class ProviderFilter:
    """What is asked for; None asks for nothing.

    Attributes:
        region: A region, country, country code or city.
        gpu: A kind of GPU.
        max_price: US dollars an hour, for the GPU where one is asked for.
        audited_only: Only audited providers.
        online: Only those that are online, or only those that are not.
    """

    region: str | None = None
    gpu: GpuName | None = None
    max_price: Decimal | None = None
    audited_only: bool = False
    online: bool | None = None


@dataclass(frozen=True)
class Listed:
    """A provider that matches, with the price that was compared."""

    provider: Provider
    price: Decimal | None


def sort_key(provider: Provider) -> tuple[str, str]:
    """Return the key of the list's order: name, then address. It does not change while a provider comes and goes."""
    return provider.name.casefold(), provider.owner


def matching(market: Market, wanted: ProviderFilter) -> list[Listed]:
    """Return the providers that match, in order."""
    found = []
    for provider in sorted(market.providers, key=sort_key):
        price = price_of(market, provider, wanted.gpu)
        if _is_wanted(provider, wanted) and (
            wanted.max_price is None or (price is not None and price <= wanted.max_price)
        ):
            found.append(Listed(provider, price))
    return found


def _is_wanted(provider: Provider, wanted: ProviderFilter) -> bool:
    return (
        (not wanted.audited_only or provider.is_audited)
        and (wanted.online is None or provider.is_online is wanted.online)
        and (wanted.region is None or matches_region(wanted.region, provider))
        and (wanted.gpu is None or any_meets(wanted.gpu, gpus_of(provider)))
    )


def page_after(listed: Sequence[Listed], after: tuple[str, str] | None, limit: int) -> tuple[Sequence[Listed], bool]:
    """Return the next entries after a position in the order, and whether more follow."""
    rest = [entry for entry in listed if after is None or sort_key(entry.provider) > after]
    return rest[:limit], len(rest) > limit


# ── Prices ──────────────────────────────────────────────────────────────────────────────────────


def _usual(gpu: PricedGpu) -> Decimal | None:
    """Return what one such GPU usually costs an hour."""
    if gpu.price is None:
        return None
    return next((price for price in (gpu.price.weighted_average, gpu.price.avg) if price > 0), None)


def _name(gpu: PricedGpu) -> GpuName:
    return gpu_of(gpu.vendor, gpu.model, gpu.ram, gpu.interface)


def _priced(gpus: Iterable[PricedGpu], owned: GpuName) -> PricedGpu | None:
    """Return the network's price of a GPU; where a provider says too little of it, of the cheapest that it may be."""
    found = [gpu for gpu in gpus if owned.model and owned.is_met_by(_name(gpu)) and _usual(gpu) is not None]
    return min(found, key=lambda gpu: _usual(gpu) or Decimal(0), default=None)


def price_of(market: Market, provider: Provider, wanted: GpuName | None) -> Decimal | None:
    """Return the US dollars an hour of ``Pricing.hourly``; None where unknown."""
    owned = gpus_of(provider)
    if wanted is not None:
        owned = [gpu for gpu in owned if wanted.is_met_by(gpu)]
    elif not owned:
        return hourly(market.unit.akash) if market.unit else None
    prices = [_usual(priced) for gpu in owned if (priced := _priced(market.gpus, gpu))]
    return min((price for price in prices if price is not None), default=None)


def _gpu_prices(market: Market, provider: Provider) -> list[GpuHourlyPrice]:
    found = []
    for spec, owned in zip(_gpu_specs(provider), gpus_of(provider), strict=True):
        priced = _priced(market.gpus, owned)
        price = priced.price if priced else None
        found.append(
            GpuHourlyPrice(
                vendor=spec.vendor,
                model=spec.model,
                ram=spec.ram,
                interface=spec.interface,
                min=_dollars(price.min) if price else None,
                max=_dollars(price.max) if price else None,
                average=_dollars(price.avg) if price else None,
                weighted_average=_dollars(price.weighted_average) if price else None,
                median=_dollars(price.med) if price else None,
            )
        )
    return found


def _unit_price(unit: PriceEstimate | None) -> UnitPrice | None:
    if unit is None:
        return None
    return UnitPrice(
        cpu_cores=UNIT_CPU // 1000,
        memory_bytes=UNIT_MEMORY,
        storage_bytes=UNIT_STORAGE,
        hourly=amount_text(hourly(unit.akash)),
        monthly=amount_text(unit.akash, 2),
    )


def _dollars(price: Decimal) -> str | None:
    """Return a price as text; upstream writes 0 where it has none."""
    return amount_text(price) if price > 0 else None


# ── Views ───────────────────────────────────────────────────────────────────────────────────────


def entry_of(market: Market, listed: Listed) -> ProviderEntry:
    """Return a provider as the list shows it."""
    provider = listed.provider
    return ProviderEntry(
        address=provider.owner,
        name=provider.name or None,
        organization=provider.organization or None,
        host_uri=provider.host_uri or None,
        region=region_of(provider),
        country=provider.country or provider.ip_country or None,
        country_code=provider.ip_country_code or None,
        city=provider.city or None,
        online=provider.is_online,
        audited=provider.is_audited,
        specs=_specs(provider),
        availability=_availability(provider),
        uptime=Uptime(day=provider.uptime_1d, week=provider.uptime_7d, month=provider.uptime_30d),
        pricing=Pricing(
            hourly=amount_text(listed.price) if listed.price is not None else None,
            gpus=_gpu_prices(market, provider),
            standard_unit=_unit_price(market.unit),
        ),
    )


def _gpu_specs(provider: Provider) -> list[GpuSpec]:
    """Return a provider's GPUs in the order of ``gpus_of``."""
    models = [(gpu.vendor, gpu.model, gpu.ram, gpu.interface) for gpu in provider.gpu_models]
    models = models or [(provider.hardware_gpu_vendor, model, "", "") for model in provider.hardware_gpu_models]
    count = _whole(_amount(provider.stats, "gpu").total)
    return [
        GpuSpec(
            vendor=vendor.lower(),
            model=model,
            ram=ram or None,
            interface=interface or None,
            count=count if len(models) == 1 else None,
        )
        for vendor, model, ram, interface in models
    ]


def _specs(provider: Provider) -> Specs:
    storage = _amount(provider.stats.storage, "total")
    return Specs(
        cpu_cores=_amount(provider.stats, "cpu", 1000).total,
        memory_bytes=_amount(provider.stats, "memory").total,
        storage_bytes=storage.total if storage.total is not None else _storage_sum(provider.stats.storage),
        gpu_count=_whole(_amount(provider.stats, "gpu").total),
        gpus=_gpu_specs(provider),
    )


def _storage_sum(storage: StorageCapacity) -> float | None:
    parts = [total for kind in ("ephemeral", "persistent") if (total := _amount(storage, kind).total) is not None]
    return sum(parts) if parts else None


def _availability(provider: Provider) -> Availability:
    storage = provider.stats.storage
    return Availability(
        cpu_cores=_amount(provider.stats, "cpu", 1000),
        memory_bytes=_amount(provider.stats, "memory"),
        storage_bytes=StorageAvailability(
            ephemeral=_amount(storage, "ephemeral"), persistent=_amount(storage, "persistent")
        ),
        gpus=_amount(provider.stats, "gpu"),
    )


def _amount(reported: Any, name: str, divisor: int = 1) -> Amount:
    """Return a capacity where it was reported: the model fills what was not with zeros, which would be made up."""
    if name not in reported.model_fields_set:
        return Amount(available=None, total=None)
    capacity: Capacity = getattr(reported, name)
    known = capacity.model_fields_set
    parts = [getattr(capacity, part) for part in ("active", "available", "pending") if part in known]
    total = capacity.total if "total" in known else sum(parts) if "available" in known else None
    available = capacity.available if "available" in known else None
    return Amount(
        available=None if available is None else available / divisor, total=None if total is None else total / divisor
    )


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
