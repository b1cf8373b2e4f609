"""Shapes of the administrator's limits."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from slipway.fields import Address
from slipway.settings import limit_names

_Most = Annotated[int, Field(ge=1, le=100_000)]
_Tier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]
# By name and span, as in {"launches": {"hour": 5, "day": 20}}.
type ByName = dict[str, dict[str, int]]
_Change = dict[str, dict[str, _Most] | None] | None


class LimitsAnswer(BaseModel):
    """The limits of each tier as they hold, and those of wallets that have limits of their own."""

    tiers: dict[str, dict[str, dict[str, int]]]
    wallets: dict[str, dict[str, dict[str, int]]]


class LimitsChange(BaseModel):
    """New limits of tiers and wallets by name and span; null goes back to the template's, or to the tier's."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"tiers": {"standard": {"launches": {"hour": 10}}}}]}
    )

    tiers: dict[_Tier, _Change] = Field(default_factory=dict, max_length=20)
    wallets: dict[Address, _Change] = Field(default_factory=dict, max_length=100)

    @model_validator(mode="after")
    def _known(self) -> Self:
        spans_of = limit_names()
        for changes in (*self.tiers.values(), *self.wallets.values()):
            for name, spans in (changes or {}).items():
                if name not in spans_of:
                    raise ValueError(f"{name[:64]} is no limit; there are {', '.join(spans_of)}")
                if (spans or {}).keys() - spans_of[name]:
                    raise ValueError(f"{name} has the spans {', '.join(sorted(spans_of[name]))}")
        return self
