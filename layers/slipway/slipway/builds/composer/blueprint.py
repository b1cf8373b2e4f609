"""What a kind of contract is to the engine: its features, the quantities it takes, its dangers, its source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, Protocol

from slipway.builds.composer.literals import decimal_text
from slipway.builds.composer.options import MAX_LISTED, MAX_SECONDS, Options
from slipway.builds.composer.parsed_prompt import ParsedPrompt
from slipway.builds.composer.phrases import PhraseSet, WordForms
from slipway.builds.composer.specification import Specification
from slipway.builds.models import ConstructorArgument, Kind

Unit = Literal["seconds", "coins", "percent", "tokens", "count", "address", "addresses", "numbers", "text"]
WEI = 10**18
_WORDS: dict[Unit, str] = {
    "seconds": "A time is a whole number of seconds, and at most 100 years.",
    "coins": "An amount of the chain's coin is more than zero, and has at most 18 decimals.",
    "percent": "A rate is over 0 and at most 100 percent, in steps of 0.01.",
    "tokens": "An amount of tokens is more than zero.",
    "count": "A count is a whole number from 1 to a million million.",
    "address": "It is no address that can hold something.",
    "addresses": f"At most {MAX_LISTED} different addresses can be named.",
    "numbers": "Shares are whole numbers, all over zero.",
    "text": "",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a contract takes beside its features: of the option of that name, else of the slot of the prompt's phrases.

    Attributes:
        name: Of option and slot.
        unit: Of its value: seconds, whole units of the chain's coin, percent, whole tokens, a count, or addresses.
        default: What is assumed where nothing is said. "owner" is whoever owns the contract.
        assumed: The sentence that says so, with `{}` for the default.
        missing: Why the prompt is refused where nothing is said and nothing is assumed.
        feature: The feature that it belongs to; whoever says the one asks for the other.
        most: The largest value, in the unit.
        least: The smallest one; over zero unless it is 0.
        instead: Slots that may say it in its place.
    """

    name: str
    unit: Unit
    default: Any = None
    assumed: str = ""
    missing: str = ""
    feature: str = ""
    most: int | None = None
    least: int | None = None
    instead: tuple[str, ...] = ()

    def problem(self, value: Any) -> str | None:
        """Return why a value can't be; None when it can."""
        match self.unit:
            case "address":
                right = _is_address(value)
            case "addresses":
                named = list(value) if isinstance(value, list | tuple) else [value]
                right = len(named) <= MAX_LISTED and all(map(_is_address, named)) and len(set(named)) == len(named)
            case "numbers":
                named = list(value) if isinstance(value, list | tuple) else [value]
                right = all(Fraction(number).denominator == 1 and number > 0 for number in named)
            case "text":
                right = True
            case _:
                right = self._is_amount(Fraction(value))
        return None if right else _WORDS[self.unit]

    def _is_amount(self, amount: Fraction) -> bool:
        finest, most = {
            "seconds": (1, MAX_SECONDS),
            "coins": (WEI, 10**12),
            "percent": (100, 100),
            "count": (1, 10**12),
            "tokens": (10**36, 10**60),
        }[self.unit]
        fits = (amount * finest).denominator == 1 and amount <= (most if self.most is None else self.most)
        return fits and (amount > 0 or self.least == amount == 0)

    def plain(self, value: Any) -> Any:
        """Return a value as specifications have it: whole seconds, wei, basis points or counts; lists as tuples."""
        match self.unit:
            case "seconds" | "count":
                return int(value)
            case "coins":
                return int(value * WEI)
            case "percent":
                return int(value * 100)
            case "addresses":
                return tuple(value) if isinstance(value, list | tuple) else (value,)
            case "numbers":
                return tuple(int(number) for number in (value if isinstance(value, list | tuple) else [value]))
        return value

    def shown(self, value: Any) -> Any:
        """Return a value as the options in effect have it."""
        match self.unit:
            case "addresses" | "numbers":
                return [str(entry) for entry in (value if isinstance(value, list | tuple) else [value])]
            case "seconds" | "count":
                return int(value)
            case "coins" | "percent" | "tokens":
                return decimal_text(Fraction(value))
        return value

    def in_words(self, value: Any) -> str:
        """Return a value in words."""
        if self.unit == "seconds":
            return duration_text(int(value))
        suffix = {"coins": " of the chain's coin", "percent": " percent"}.get(self.unit, "")
        return f"{self.shown(value)}{suffix}"


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 42 and int(value, 16) != 0


def duration_text(seconds: int) -> str:
    """Return a time in the largest unit that counts it whole: 172800 is "2 days"."""
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    name, length = next(unit for unit in units if seconds % unit[1] == 0)
    count = seconds // length
    return f"{count} {name}{'' if count == 1 else 's'}"


def refuse_clashes(spec: Specification, draft: DraftView, clashes: Iterable[tuple[str, str, str]]) -> None:
    """Refuse features that can't be together: each clash is two of them, and why. The second one's words are named."""
    for first, second, reason in clashes:
        if {first, second} <= spec.features:
            draft.parsed.refuse(draft.parsed.words.get(second, second), reason)


class DraftView(Protocol):
    """What a kind may use of the engine's draft."""

    parsed: ParsedPrompt
    options: Options
    assumed: list[str]
    used: dict[str, Any]

    @property
    def owner(self) -> str:
        """Who owns the contract."""
        ...


def owned(spec: Specification) -> list[ConstructorArgument]:
    """Return the constructor's arguments of a contract that takes its owner alone."""
    return [address_argument("initialOwner", spec.owner)]


def address_argument(name: str, value: str) -> ConstructorArgument:
    """Return an argument of the type address."""
    return ConstructorArgument(name=name, type="address", value=value)


def addresses_argument(name: str, values: tuple[str, ...]) -> ConstructorArgument:
    """Return an argument of the type address[]."""
    return ConstructorArgument(name=name, type="address[]", value=list(values))


@dataclass(frozen=True)
class Blueprint:
    """One kind.

    Attributes:
        title: What it is, in a few words.
        name: What a contract is called that the prompt does not name; an identifier.
        compose: Writes the source of a specification.
        arguments: Of the constructor.
        features: Of the vocabulary, that its contracts may have.
        parameters: What it takes beside them.
        values: Slots and options that it uses beside the parameters'.
        phrases: Phrases of its own.
        powers: Who can do what to holders, by feature; "" is for every contract of the kind.
        assumes: What holds of every contract of the kind without having been asked for.
        about: Kinds that a prompt may name beside it, since its contracts deal with them.
        owner: What the owner is, such as "arbiter and owner"; empty where nobody owns it.
        settle: Weighs what depends on several quantities or features, and returns the specification that is composed.
    """

    title: str
    name: str
    compose: Callable[[Specification], str]
    arguments: Callable[[Specification], list[ConstructorArgument]] = owned
    features: frozenset[str] = frozenset()
    parameters: tuple[Parameter, ...] = ()
    values: frozenset[str] = frozenset({"owner"})
    phrases: tuple[PhraseSet | WordForms, ...] = ()
    powers: Mapping[str, str] = field(default_factory=dict)
    assumes: tuple[str, ...] = ()
    about: frozenset[Kind] = frozenset()
    owner: str = "owner"
    settle: Callable[[Specification, DraftView], Specification] = lambda spec, _: spec

    @property
    def takes(self) -> frozenset[str]:
        """Every slot and option of its own."""
        return self.values | {parameter.name for parameter in self.parameters}
