"""Which providers will do: shared by the choice of bids and the list of providers. Pure."""

import re
from collections.abc import Iterable

from slipway.akash.bidding.preferences import Preferences
from slipway.akash.console.models import Provider
from slipway.akash.sdl.gpus import GpuName, any_meets, gpu_of

_WORD = re.compile(r"[a-z0-9]+")
_REGION_KEYS = {"region", "location-region", "country", "city"}


def matches_region(wanted: str, provider: Provider) -> bool:
    """Return whether one of the names of a provider's place has every word of the wanted region."""
    words = _words(wanted)
    named = [
        provider.ip_region,
        provider.ip_region_code,
        provider.ip_country,
        provider.ip_country_code,
        provider.location_region,
        provider.country,
        provider.city,
        *(attribute.value for attribute in provider.attributes if attribute.key.lower() in _REGION_KEYS),
    ]
    return bool(words) and any(words <= _words(name) for name in named)


def region_of(provider: Provider) -> str | None:
    """Return what a provider calls its region; None if it does not say."""
    claims = {attribute.key.lower(): attribute.value for attribute in provider.attributes}
    names = (provider.location_region, claims.get("region"), claims.get("location-region"), provider.ip_region)
    return next((name for name in names if name), None)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def gpus_of(provider: Provider) -> list[GpuName]:
    """Return the GPUs that a provider has."""
    detailed = [gpu_of(gpu.vendor, gpu.model, gpu.ram, gpu.interface) for gpu in provider.gpu_models]
    return detailed or [gpu_of(provider.hardware_gpu_vendor, model) for model in provider.hardware_gpu_models]


def provider_refusal(preferences: Preferences, provider: Provider, offered: Iterable[GpuName] = ()) -> str | None:
    """Return why a provider will not do, or None."""
    if preferences.providers and provider.owner not in preferences.providers:
        return "is not one of the wanted providers"
    if preferences.audited_only and not provider.is_audited:
        return "is not audited"
    if preferences.region and not matches_region(preferences.region, provider):
        return f"is not in {preferences.region}"
    gpus = list(offered) or gpus_of(provider)
    if preferences.gpu and not any_meets(preferences.gpu, gpus):
        return f"has no {preferences.gpu_type}"
    return None
