"""What a caller wants of a provider. Pure; ``provider_matching`` says which providers will do."""

import math
import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from slipway.akash.sdl.gpus import GpuName, parse_gpu

_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,18})?")


def decimal_of(value: object) -> Decimal:
    """Read a plain decimal from JSON, a text or a number: no sign, no exponent.

    Raises:
        ValueError: It is none.
    """
    text = value
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        text = f"{Decimal(repr(value)):f}"
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


# Stored as it reads: without an exponent, which is no plain decimal.
PositiveDecimal = Annotated[
    Decimal,
    BeforeValidator(decimal_of),
    AfterValidator(_more_than_nothing),
    PlainSerializer(lambda amount: f"{amount:f}"),
]
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


class Bounds(BaseModel):
    """What bids stay within, whatever the caller wants: US dollars an hour, and that a named provider is audited."""

    max_price: Decimal
    audited_only: bool


def bounded(preferences: Preferences, bounds: dict[str, Any]) -> Preferences:
    """Return a caller's preferences within what is allowed; ``bounds`` are those of a workload as it is stored."""
    most = Bounds.model_validate(bounds)
    return preferences.model_copy(
        update={
            "max_price": min(preferences.max_price or most.max_price, most.max_price),
            "audited_only": preferences.audited_only or (most.audited_only and bool(preferences.providers)),
        }
    )
