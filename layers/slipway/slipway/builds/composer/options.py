"""The options that a caller may give with a prompt; they take precedence over it."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from slipway.builds.composer.quantities import parse_quantity
from slipway.errors import ValidationFailedError
from slipway.fields import Address, printable

MAX_NAME = 64
MAX_SYMBOL = 11
MAX_DECIMALS = 36
MAX_SIGNERS = 20
MAX_LISTED = 50
"""How many addresses a constructor may be given, so that it stays well within a block's gas."""
DAY = 86_400
MAX_SECONDS = 100 * 365 * DAY


def _no_spaces(text: str) -> str:
    if any(character.isspace() for character in text):
        raise ValueError("must not have spaces")
    return text


def _amount(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("must be a whole number, or a text such as 1000000 or 1 billion")
    amount = Fraction(value) if isinstance(value, int) else parse_quantity(value)
    if amount is None or amount < 0:
        raise ValueError("must be a number that is not negative, such as 1000000 or 1 billion")
    return amount


def _uri(text: str) -> str:
    if any(character.isspace() for character in text):
        raise ValueError("must not have spaces")
    return text


def _different(addresses: list[str]) -> list[str]:
    if len(set(addresses)) != len(addresses):
        raise ValueError("must be different from each other")
    return addresses


Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(printable)]
Symbol = Annotated[
    str, Field(min_length=1, max_length=MAX_SYMBOL), AfterValidator(printable), AfterValidator(_no_spaces)
]
Amount = Annotated[Fraction, BeforeValidator(_amount), Field(ge=0)]
Uri = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(printable), AfterValidator(_uri)]
Seconds = Annotated[int, Field(ge=0, le=MAX_SECONDS)]


Addresses = Annotated[list[Address], Field(min_length=1, max_length=MAX_LISTED), AfterValidator(_different)]


class Options(BaseModel):
    """The options of a build. Amounts are in whole tokens, times in seconds; `royalty` and taxes are in percent,
    `price`, caps, contributions and bids are in whole units of the chain's coin, `rate` is the percent a year of a
    staking contract and the tokens for one coin of a crowdsale.

    `strict` (by default true) refuses what is not honoured; `deploy: false` ends the build after its audit.
    With `signer: wallet` it ends there as well, with unsigned transactions by which the caller's wallet deploys it.

    An option that doesn't concern the kind of contract is not an error: the answer lists it as not honoured.
    """

    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)

    strict: bool | None = None
    deploy: bool | None = None
    signer: Literal["slipway", "wallet"] | None = None
    name: Name | None = None
    symbol: Symbol | None = None
    decimals: Annotated[int, Field(ge=0, le=MAX_DECIMALS)] | None = None
    owner: Address | None = None
    supply: Amount | None = None
    cap: Amount | None = None
    access: Literal["owner", "roles"] | None = None
    mintable: bool | None = None
    burnable: bool | None = None
    pausable: bool | None = None
    permit: bool | None = None
    votes: bool | None = None
    enumerable: bool | None = None
    upgradeable: bool | None = None
    royalty: Annotated[float, Field(ge=0, le=100)] | Annotated[int, Field(ge=0, le=100)] | None = None
    base_uri: Uri | None = None
    beneficiary: Address | None = None
    cliff: Seconds | None = None
    duration: Seconds | None = None
    delay: Seconds | None = None
    signers: (
        Annotated[list[Address], Field(min_length=1, max_length=MAX_SIGNERS), AfterValidator(_different)] | None
    ) = None
    threshold: Annotated[int, Field(ge=1, le=MAX_SIGNERS)] | None = None
    soulbound: bool | None = None
    price: Amount | None = None
    max_per_wallet: Annotated[int, Field(ge=1)] | None = None
    tax: Amount | None = None
    tax_receiver: Address | None = None
    burn_tax: Amount | None = None
    max_wallet: Amount | None = None
    max_transaction: Amount | None = None
    trading_delay: Seconds | None = None
    token: Address | None = None
    rate: Amount | None = None
    cooldown: Seconds | None = None
    lock: Seconds | None = None
    period: Seconds | None = None
    step: Seconds | None = None
    payees: Addresses | None = None
    beneficiaries: Addresses | None = None
    shares: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1, max_length=MAX_LISTED)] | None = None
    soft_cap: Amount | None = None
    hard_cap: Amount | None = None
    min_contribution: Amount | None = None
    max_contribution: Amount | None = None
    min_bid: Amount | None = None
    increment: Amount | None = None
    extension: Seconds | None = None
    seller: Address | None = None
    quorum: Amount | None = None
    voting_period: Seconds | None = None
    voting_delay: Seconds | None = None
    proposal_threshold: Amount | None = None

    @model_validator(mode="after")
    def _owner_is_somebody(self) -> Options:
        listed = [*(self.signers or []), *(self.payees or []), *(self.beneficiaries or [])]
        for address in (self.owner, self.beneficiary, self.token, self.seller, self.tax_receiver, *listed):
            if address is not None and int(address, 16) == 0:
                raise ValueError("the zero address can own nothing")
        return self


def read_options(given: dict[str, Any] | None) -> Options:
    """Check the options of a request.

    Raises:
        ValidationFailedError: An option is unknown or wrong; names each as `options.<name>`.
    """
    try:
        return Options.model_validate(given or {})
    except ValidationError as error:
        fields = [
            {
                "field": ".".join(["options", *(str(part) for part in entry["loc"][:1])]),
                "message": "is no option" if entry["type"] == "extra_forbidden" else entry["msg"],
            }
            for entry in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        first = fields[0]
        raise ValidationFailedError(f"{first['field']}: {first['message']}", details={"fields": fields}) from None
