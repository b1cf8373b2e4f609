"""What a generation of a contract is asked and answers, whichever engine does it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, model_validator

from slipway.addresses import parse_address
from slipway.errors import NotHonouredError, ValidationFailedError
from slipway.fields import Address, printable

Kind = Literal[
    "erc20",
    "erc721",
    "erc1155",
    "vesting",
    "escrow",
    "timelock",
    "airdrop",
    "auction",
    "crowdsale",
    "governor",
    "lock",
    "splitter",
    "staking",
    "subscription",
]
"""What the composer can make; the names that `template` takes as well."""

LOGIC = "Logic"
"""What a contract's name gets for the code behind it, where the contract itself is a proxy."""

ArgumentType = Literal["address", "address[]", "uint256", "string", "bytes32"]

MAX_ARGUMENT = 256
"""Characters of a text, and entries of a list, that a constructor may be given."""


class GenerationRequest(BaseModel):
    """A contract is asked for. `owner` is the caller's wallet; `template` and `options` are as the caller sent them."""

    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[str, Field(min_length=1, max_length=2000)]
    owner: Address
    template: str | None = None
    options: dict[str, Any] | None = None


class ConstructorArgument(BaseModel):
    """One argument of the constructor, in its order.

    Numbers are decimal texts, bytes are hexadecimal with 0x, addresses have their EIP-55 form. A value that is none of
    its type is refused, whichever engine wrote it.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
    type: ArgumentType
    value: str | list[str]

    @model_validator(mode="after")
    def _of_its_type(self) -> ConstructorArgument:
        if isinstance(self.value, list):
            if self.type != "address[]" or len(self.value) > MAX_ARGUMENT:
                raise ValueError(f"{self.name} takes no list, or not so long a one")
            self.value = [_read_value("address", entry) for entry in self.value]
        else:
            self.value = _read_value(self.type, self.value)
        return self


def _read_value(kind: ArgumentType, value: str) -> str:
    """Normalize one value; raises ValueError."""
    match kind:
        case "address":
            try:
                return parse_address(value, "address")
            except ValidationFailedError as error:
                raise ValueError(error.message) from None
        case "uint256":
            if not re.fullmatch(r"0|[1-9][0-9]{0,77}", value, re.ASCII) or int(value) >= 2**256:
                raise ValueError("a uint256 is a decimal number under 2^256")
        case "bytes32":
            if not re.fullmatch(r"0x[0-9a-fA-F]{64}", value, re.ASCII):
                raise ValueError("bytes32 are 64 hexadecimal digits after 0x")
        case "string":
            if len(value) > MAX_ARGUMENT:
                raise ValueError(f"a text has at most {MAX_ARGUMENT} characters")
            return printable(value) if value else value
        case "address[]":
            raise ValueError("address[] takes a list")
    return value


class NotHonoured(BaseModel):
    """A part of the request that the contract does not have, in the request's words, and why."""

    text: Annotated[str, Field(max_length=2000)]
    reason: Annotated[str, Field(max_length=2000)]


_MAX_NAMED = 5


def dropped(missing: Sequence[NotHonoured], assumed: list[str], kind: str | None, title: str) -> NotHonouredError:
    """Return the refusal of a contract that would lack something of its request."""
    named = "; ".join(f"“{entry.text}”" for entry in missing[:_MAX_NAMED])
    more = f" and {len(missing) - _MAX_NAMED} more" if len(missing) > _MAX_NAMED else ""
    return NotHonouredError(
        f"The contract would not honour {named}{more}. Leave that out, or say it as docs/builds.md does; "
        "options.strict: false drops it.",
        details={
            "not_honoured": [entry.model_dump() for entry in missing],
            "assumed": assumed,
            "kind": kind,
            "title": title,
        },
    )


class ModelUsage(BaseModel):
    """What of a language model was used: all calls that were answered, whether the answers were of use or not.

    `prompt` is what was sent beside our standing instructions, `calls` how often it was asked. `cost` is in US
    dollars, a decimal text, and None where the installation does not know the model's prices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model_id: str
    prompt: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost: str | None


class Generation(BaseModel):
    """A contract as an engine wrote it: data that is still to be compiled and audited.

    `options` are the ones in effect, `assumed` what the engine chose where the request left it open, `powers` who can
    do what to holders. Amounts in `options` are decimal texts in whole tokens. `kind` is None when an engine made
    something else than the kinds.
    """

    engine: str
    title: str
    kind: Kind | None
    contract_name: str
    source: str
    constructor_arguments: list[ConstructorArgument]
    options: dict[str, Any]
    assumed: list[str]
    not_honoured: list[NotHonoured]
    powers: list[str] = []
    usage: ModelUsage | None = None


class Generator(Protocol):
    """An engine that writes contracts."""

    def generate(self, request: GenerationRequest) -> Generation:
        """Write one contract.

        Raises:
            ValidationFailedError: The template, the options or an amount in the prompt can't be.
            GenerationUnsupportedError: The engine can't make what is asked for; the message says what it can.
        """
        ...
