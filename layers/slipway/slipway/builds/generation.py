"""What a generation of a contract is asked and answers, whichever engine does it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from slipway.fields import Address

Kind = Literal["erc20", "erc721", "erc1155", "vesting", "escrow", "timelock"]
"""What the composer can make; the names that `template` takes as well."""

ArgumentType = Literal["address", "address[]", "uint256", "string", "bytes32"]


class GenerationRequest(BaseModel):
    """A contract is asked for. `owner` is the caller's wallet; `template` and `options` are as the caller sent them."""

    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[str, Field(min_length=1, max_length=2000)]
    owner: Address
    template: str | None = None
    options: dict[str, Any] | None = None


class ConstructorArgument(BaseModel):
    """One argument of the constructor, in its order.

    Numbers are decimal texts, bytes are hexadecimal with 0x, addresses have their EIP-55 form.
    """

    name: str
    type: ArgumentType
    value: str | list[str]


class NotHonoured(BaseModel):
    """A part of the request that the contract does not have, in the request's words, and why."""

    text: str
    reason: str


class ModelUsage(BaseModel):
    """What a language model was used for a generation. `cost` is in US dollars, a decimal text."""

    model_id: str
    input_tokens: int
    output_tokens: int
    cost: str


class Generation(BaseModel):
    """A contract as an engine wrote it: data that is still to be compiled and audited.

    `options` are the ones in effect, `assumed` what the engine chose where the request left it open. Amounts in
    `options` are decimal texts in whole tokens. `kind` is None when an engine made something else than the kinds.
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
