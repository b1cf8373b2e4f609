"""Which providers will do: shared by the choice of bids and the list of providers. Pure."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from slipway.akash.gpus import GpuName, any_meets, gpu_of, parse_gpu
from slipway.akash.upstream import Provider

_WORD = re.compile(r"[a-z0-9]+")
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_REGION_KEYS = {"region", "location-region", "country", "city"}


def decimal_of(value: object) -> Decimal:
    """A plain decimal from JSON, as a text or a number: no sign, no exponent.

    Raises:
        ValueError: It is none.
    """
    text = str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise ValueError('must be a decimal such as "0.25"')
    return Decimal(text)


def _more_than_nothing(amount: Decimal) -> Decimal:
    if amount <= 0:
        raise ValueError("must be more than 0")
    return amount


def _gpu_text(text: str) -> str:
    parse_gpu(text)
    return text


PositiveDecimal = Annotated[Decimal, BeforeValidator(decimal_of), AfterValidator(_more_than_nothing)]
Word = Annotated[str, Field(min_length=1, max_length=64)]
ProviderAddress = Annotated[str, Field(pattern=r"^akash1[02-9ac-hj-np-z]{38,58}$")]


class Preferences(BaseModel):
    """What the caller wants of a provider; whatever is left out does not matter. Case does not matter anywhere.

    Attributes:
        region: A region, country, country code or city.
        gpu_type: Such as ``A100``, ``nvidia/a100`` or ``a100-80gb``.
        max_price: US dollars an hour for the whole workload.
        providers: Only these providers' bids are taken.
        audited_only: Only audited providers' bids are taken.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    region: Word | None = Field(None, examples=["us-west"])
    gpu_type: Annotated[Word, AfterValidator(_gpu_text)] | None = Field(None, alias="gpuType", examples=["a100-80gb"])
    max_price: PositiveDecimal | None = Field(None, alias="maxPrice", examples=["0.25"])
    providers: list[ProviderAddress] = Field([], max_length=50)
    audited_only: bool = Field(False, alias="auditedOnly")

    @property
    def gpu(self) -> GpuName | None:
        """The GPU that is wanted."""
        return parse_gpu(self.gpu_type) if self.gpu_type else None


def matches_region(wanted: str, provider: Provider) -> bool:
    """Whether a provider is where somebody wants it: one of the names of its place has every word that is wanted."""
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


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def gpus_of(provider: Provider) -> list[GpuName]:
    """The GPUs that a provider has."""
    told = [gpu_of(gpu.vendor, gpu.model, gpu.ram, gpu.interface) for gpu in provider.gpu_models]
    return told or [gpu_of(provider.hardware_gpu_vendor, model) for model in provider.hardware_gpu_models]


def provider_refusal(preferences: Preferences, provider: Provider, offered: Iterable[GpuName] = ()) -> str | None:
    """Why a provider will not do, or None.

    Args:
        preferences: What is wanted.
        provider: As the list of providers tells of it.
        offered: GPUs of its bid, where there is one.
    """
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
