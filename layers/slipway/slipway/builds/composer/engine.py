"""The built-in engine: contracts composed from OpenZeppelin's parts by rules, without a model.

The same request gives the same source, always. Nothing is read or written, so a caller may also compose only to see
whether a request can be served.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, get_args

from slipway.builds.composer.blueprint import Blueprint, Parameter
from slipway.builds.composer.kinds import BLUEPRINTS
from slipway.builds.composer.kinds.erc721 import MAX_FIRST_SUPPLY
from slipway.builds.composer.literals import decimal_text, identifier
from slipway.builds.composer.options import Options, read_options
from slipway.builds.composer.parsed_prompt import ParsedPrompt
from slipway.builds.composer.prompt import NOT_READ, read_prompt
from slipway.builds.composer.specification import Specification
from slipway.builds.composer.vocabulary import TOKENS
from slipway.builds.models import Generation, GenerationRequest, Kind, dropped
from slipway.errors import GenerationUnsupportedError, ValidationFailedError

ENGINE = "composer"
KINDS: tuple[Kind, ...] = get_args(Kind)

CAPABILITIES = (
    "ERC-20 tokens (mintable, burnable, pausable, permit, votes, capped, taxed, limited, soulbound, ownerless),"
    " ERC-721 and "
    "ERC-1155 collections (mintable, burnable, pausable, royalty; ERC-721 also sold to everyone, soulbound,"
    " votes, capped, "
    "enumerable), all owned or with roles; vesting; escrows; multisignature timelocks; token locks; splitters;"
    " airdrops; "
    "staking; crowdsales; DAOs; auctions; subscriptions"
)
"""What the composer can make, in one phrase."""

_PEOPLE = ("recipient", "minter", "royalty_receiver")
"""Slots for addresses beside the owner's, in the order of the constructor."""
_SETTLED = frozenset({"fixed", "uncapped", "minted", "deploy"})
"""Features that decide about others, and are none themselves."""
SWITCHES = ("mintable", "burnable", "pausable", "permit", "votes", "enumerable", "soulbound", "upgradeable")
GENERAL = frozenset({"name", "owner", "access", "strict", "deploy", "signer", *SWITCHES})
"""Options that any kind may be given; what a kind can't do of them is said by itself."""
_NEEDS_OWNER = frozenset(
    {"mintable", "pausable", "upgradeable", "roles", "freezable", "phases", "reveal", "revocable", "owner"}
)
"""Features that nobody could use without an owner."""
_ACCESS = {"roles": "roles", "ownerless": "none"}
_HIDDEN = frozenset({"fixed", "owner", "exempting", *_ACCESS})
"""Features that the option `access` names, or that follow from others."""
_MAX_UNITS = 2**256 - 1
_MAX_VOTES = 2**208 - 1


class Composer:
    """The engine. It has no state."""

    def generate(self, request: GenerationRequest) -> Generation:
        """Compose one contract; see `Generator`."""
        options = read_options(request.options)
        template = check_template(request.template)
        parsed = read_prompt(request.prompt, kind=template)
        if parsed.kind is None:
            raise _unsupported(parsed)
        return Draft(parsed.kind, parsed, options, request.owner).finish()


def check_template(template: str | None) -> Kind | None:
    """Return the kind of contract that a template names.

    Raises:
        ValidationFailedError: It is none.
    """
    for kind in KINDS:
        if template == kind:
            return kind
    if template is not None:
        raise ValidationFailedError.of_field("template", f"is none of {', '.join(KINDS)}")
    return None


def _unsupported(parsed: ParsedPrompt) -> GenerationUnsupportedError:
    asked = f"No {parsed.unsupported_kind}" if parsed.unsupported_kind else "The prompt names no contract that"
    if parsed.unsupported_kind and re.search(_DRAWN, parsed.unsupported_kind, re.I):
        asked = f"No {parsed.unsupported_kind}, which needs an oracle that a chain may lack,"
    language = "".join(f" {entry.reason}" for entry in parsed.not_honoured if entry.reason.startswith(NOT_READ))
    return GenerationUnsupportedError(
        f"{asked} can be composed.{language} What can be: {CAPABILITIES}.", details={"templates": list(KINDS)}
    )


_DRAWN = r"lotter|raffle|casino|gambling|prediction|oracle"
"""Kinds that need randomness or prices from outside."""


@dataclass
class Draft:
    """A contract while prompt and options are weighed against each other. Options take precedence.

    Attributes:
        kind: Of contract.
        parsed: Of the prompt; gets what can't be honoured.
        options: Of the request.
        caller: The caller's wallet.
        assumed: What was chosen where the request left it open.
        used: The options in effect.
        incomplete: Whether something is missing without which there is no contract.
    """

    kind: Kind
    parsed: ParsedPrompt
    options: Options
    caller: str
    assumed: list[str] = field(default_factory=list)
    used: dict[str, Any] = field(default_factory=dict)
    incomplete: bool = False

    def finish(self) -> Generation:
        """Decide everything, in the order in which one thing depends on another.

        Raises:
            NotHonouredError: There is no contract without what the request does not say, such as whom it pays.
        """
        self._refuse_other_kinds()
        self._refuse_options()
        features = self._features()
        name = self._name()
        values = self._parameters(features)
        spec = self._token(features, name, values) if self._is_token() else self._other(features, name, values)
        if self.incomplete:
            raise dropped(self.parsed.not_honoured, self.assumed, self.kind, self._title(spec))
        spec = self.blueprint.settle(spec, self)
        if self._is_token():
            self.used["features"] = sorted(spec.features - _HIDDEN)
            self.used["access"] = next((word for name, word in _ACCESS.items() if name in spec.features), "owner")
        arguments = self.blueprint.arguments(spec)
        owned = any(argument.name == "initialOwner" for argument in arguments)
        if owned:
            self.used["owner"] = spec.owner
        self._assume_people(spec, owned=owned)
        return Generation(
            engine=ENGINE,
            title=self._title(spec),
            kind=self.kind,
            contract_name=spec.contract_name,
            source=self.blueprint.compose(spec),
            constructor_arguments=arguments,
            options=self._effective(),
            assumed=self.assumed,
            not_honoured=self.parsed.not_honoured,
            powers=self._powers(spec),
        )

    @property
    def blueprint(self) -> Blueprint:
        """What the kind is."""
        return BLUEPRINTS[self.kind]

    @property
    def owner(self) -> str:
        """Who owns the contract, and whoever is not named otherwise."""
        return str(self.options.owner or self.parsed.values.get("owner") or self.caller)

    def _is_token(self) -> bool:
        return self.kind in TOKENS

    def one(self) -> str:
        """Return the kind with its article."""
        title = self.blueprint.title
        return f"{'an' if title[0] in 'AEae' else 'a'} {title}"

    def option(self, name: str) -> Any:
        """Return an option's value, None where it was not given or the kind has none of it."""
        return getattr(self.options, name, None) if name in GENERAL | self.blueprint.takes else None

    # ── What can't be ───────────────────────────────────────────────────────────────────────────

    def _refuse_other_kinds(self) -> None:
        for kind, words in self.parsed.other_kinds:
            loosely = self.kind == "erc1155" and kind == "erc721" and "721" not in words
            if not loosely and kind not in self.blueprint.about:
                self.parsed.refuse(words, f"A build is one contract, here {self.one()}.")

    def _refuse_options(self) -> None:
        for name in self.options.model_fields_set:
            if getattr(self.options, name) is None:
                continue
            if name not in GENERAL | self.blueprint.takes:
                self.parsed.refuse(f"options.{name}", f"There is no such thing in {self.one()}.")
        if self.parsed.symbol is not None and "symbol" not in self.blueprint.takes:
            self.parsed.refuse(f"symbol {self.parsed.symbol}", f"There is no such thing in {self.one()}.")
        for name in list(self.parsed.values):
            if name not in self.blueprint.takes:
                self.parsed.refuse(self.parsed.words[name], f"There is no such thing in {self.one()}.")
                del self.parsed.values[name]

    def _features(self) -> set[str]:
        known = self.blueprint.features
        self._settle_supply()
        asked = {feature for feature, asked in self.parsed.features.items() if asked} - _SETTLED
        wanted = asked & known
        for feature in sorted(asked - known):
            for words in self.parsed.mentions[feature]:
                self.parsed.refuse(words, self.parsed.reasons.get(feature) or self._lacks(feature))
        for feature in (*SWITCHES, "royalty"):
            value = getattr(self.options, feature)
            if value is None:
                continue
            if value is False:
                wanted.discard(feature)
            elif feature in known:
                wanted.add(feature)
            elif feature in SWITCHES:
                self.parsed.refuse(f"options.{feature}", self._lacks(feature))
        wanted = self._with_access(wanted)
        if "ownerless" in wanted:
            self._refuse_owner(wanted)
        return wanted

    def _refuse_owner(self, wanted: set[str]) -> None:
        """Refuse what needs an owner in a contract that is to have none."""
        for feature in sorted(wanted & _NEEDS_OWNER):
            self.parsed.refuse(
                f"{self.parsed.words['ownerless']} … {self.parsed.words.get(feature, 'options')}",
                "Nobody could do this, since the contract has no owner.",
            )
            wanted.discard(feature)
        if self.options.owner or "owner" in self.parsed.values:
            self.parsed.refuse(self.parsed.words["ownerless"], "The request names an owner.")

    def _settle_supply(self) -> None:
        """Weigh what is said of the supply as a whole: fixed, unlimited, minted at once."""
        said, words = self.parsed.features, self.parsed.words
        if said.get("uncapped") and said.get("capped"):
            self.parsed.refuse(f"{words['uncapped']} … {words['capped']}", "There is a cap, or there is none.")
        if said.get("fixed") and self.kind == "erc20":
            if said.get("mintable") and self.options.mintable is None:
                self.parsed.refuse(
                    f"{words['fixed']} … {words['mintable']}", "A supply that is fixed can't be minted later."
                )
            if said.get("uncapped"):
                self.parsed.refuse(f"{words['fixed']} … {words['uncapped']}", "A supply is fixed, or it has no limit.")
            said.setdefault("mintable", False)
        if said.get("fixed") and said.get("upgradeable") and "supply" not in words["fixed"].lower():
            self.parsed.refuse(
                f"{words['fixed']} … {words['upgradeable']}", "Code that can be replaced can change everything."
            )
        limit = next((name for name in ("max_wallet", "max_transaction") if said.get(name)), None)
        if said.get("uncapped") and limit and not re.search(r"supply|mint|cap", words["uncapped"], re.I):
            self.parsed.refuse(f"{words['uncapped']} … {words[limit]}", "There are limits, or there are none.")
        if (
            said.get("uncapped")
            and "mintable" not in said
            and re.search(r"unlimited|infinite|mint", words["uncapped"], re.I)
        ):
            said["mintable"] = True

    def _with_access(self, wanted: set[str]) -> set[str]:
        if self.options.access is None:
            return wanted
        if "roles" in self.blueprint.features:
            return wanted - {"roles"} | ({"roles"} if self.options.access == "roles" else set())
        if self.options.access == "roles":
            self.parsed.refuse("options.access", self._lacks("roles"))
        return wanted

    def _lacks(self, feature: str) -> str:
        named = {"roles": "access by roles", "uri_storage": "metadata of each token's own", "capped": "cap"}
        return f"The composer knows no {named.get(feature, feature)} for {self.one()}."

    # ── Names ───────────────────────────────────────────────────────────────────────────────────

    def _name(self) -> str:
        name = self.options.name or self.parsed.name
        if name is None:
            symbol = (self.option("symbol") or self.parsed.symbol) if self._is_token() else None
            name = symbol or self.blueprint.name
            self.assumed.append(f"The name is {name}.")
        self.used["name"] = name
        return name

    def _symbol(self, name: str) -> str:
        symbol = self.option("symbol") or self.parsed.symbol
        if symbol is None:
            symbol = _symbol_of(name)
            self.assumed.append(f"The symbol is {symbol}.")
        self.used["symbol"] = symbol
        return str(symbol)

    # ── Parameters ──────────────────────────────────────────────────────────────────────────────

    def _parameters(self, features: set[str]) -> dict[str, Any]:
        """Return the kind's own quantities, times and addresses: from the options, the prompt, or as is usual."""
        said = {parameter.name: self._value(parameter) for parameter in self.blueprint.parameters}
        features.update(
            parameter.feature for parameter in self.blueprint.parameters if said[parameter.name] is not None
        )
        features.discard("")
        values, broken = {}, set()
        for parameter in self.blueprint.parameters:
            value = said[parameter.name]
            said_otherwise = any(slot in self.parsed.values for slot in parameter.instead)
            if value is None and not said_otherwise and parameter.feature in {"", *features}:
                value = self._default(parameter)
                if parameter.missing:
                    broken.add(parameter.feature)
            if value is not None:
                self.used[parameter.name] = parameter.shown(value)
                values[parameter.name] = parameter.plain(value)
        self.incomplete = "" in broken
        features -= broken
        return values

    def _value(self, parameter: Parameter) -> Any:
        """Return what options or prompt say of a parameter; None where they say nothing, or what can't be."""
        given = self.option(parameter.name)
        value = given if given is not None else self.parsed.values.get(parameter.name)
        problem = None if value is None else parameter.problem(value)
        if problem and given is not None:
            raise ValidationFailedError.of_field(f"options.{parameter.name}", problem)
        if problem:
            self.parsed.refuse(self.parsed.words[parameter.name], problem)
            return None
        return value

    def _default(self, parameter: Parameter) -> Any:
        if parameter.missing and parameter.name not in self.parsed.values:
            self.parsed.refuse(self._words_of(parameter), parameter.missing)
        value = self.owner if parameter.default == "owner" else parameter.default
        if parameter.assumed:
            self.assumed.append(parameter.assumed.format(parameter.in_words(value) if value is not None else ""))
        return value

    def _words_of(self, parameter: Parameter) -> str:
        """Return the words of the prompt that ask for what a parameter belongs to."""
        same = [other.name for other in self.blueprint.parameters if other.feature == parameter.feature]
        same += [] if parameter.feature else sorted(self.blueprint.values)
        words = self.parsed.words
        named = [words[name] for name in (parameter.feature, *same) if name in words]
        return named[0] if named else self.parsed.kind_words or f"options.{parameter.name}"

    # ── Tokens ──────────────────────────────────────────────────────────────────────────────────

    def _token(self, features: set[str], name: str, values: dict[str, Any]) -> Specification:
        symbol = self._symbol(name)
        decimals = self._decimals()
        denied = self.parsed.features.get("mintable") is False or self.options.mintable is False
        cap, supply = self._amounts(features, denied)
        if self.kind != "erc20" and not features & {"ownerless", "public_mint"} and (not denied or not supply):
            if denied:
                self.parsed.refuse("no minting", "A collection that starts empty would stay empty.")
            features.add("mintable")
        elif "ownerless" in features and self.kind != "erc20" and not supply and "public_mint" not in features:
            self.parsed.refuse(self.parsed.words["ownerless"], "A collection that starts empty would stay empty.")
        if "votes" in features and self.kind == "erc20":
            if self.parsed.features.get("permit") is False or self.options.permit is False:
                self.parsed.refuse(
                    self.parsed.words.get("permit", "options.permit"),
                    "A token with votes has permit: delegations are signed with the same nonces.",
                )
            features.add("permit")
        self._check_amounts(supply, cap, decimals, votes="votes" in features)
        people = self._people(features, supply)
        return Specification(
            kind=self.kind,
            contract_name=identifier(name, self.blueprint.name),
            name=name,
            symbol=symbol,
            decimals=decimals,
            supply=supply,
            cap=cap,
            features=frozenset(features),
            roles="roles" in features,
            royalty_basis_points=self._royalty(features),
            base_uri=self._base_uri(),
            recipient=people.get("recipient"),
            minter=people.get("minter"),
            royalty_receiver=people.get("royalty_receiver"),
            owner=self.owner,
            values=values,
        )

    def _people(self, features: set[str], supply: Fraction) -> dict[str, str]:
        """Return who is named for the first supply, minting and royalties; each needs what it is named for."""
        named = {name: self.parsed.values[name] for name in _PEOPLE if name in self.parsed.values}
        if "minter" in named:
            features.update(("mintable", "roles"))
        needed = {"recipient": bool(supply), "minter": True, "royalty_receiver": "royalty" in features}
        for name in [name for name in named if not needed[name] or self.options.mintable is False]:
            self.parsed.refuse(self.parsed.words[name], "There is nothing that this address would be for.")
            del named[name]
        self.used |= named
        return named

    def _decimals(self) -> int:
        if self.kind != "erc20":
            return 0
        decimals = self.option("decimals")
        if decimals is None:
            decimals = self.parsed.values.get("decimals")
        if decimals is None:
            decimals = 18
        self.used["decimals"] = decimals
        return int(decimals)

    def _amounts(self, features: set[str], denied: bool) -> tuple[Fraction | None, Fraction]:
        """Return cap and first supply, as the request says or, where it says nothing, as is usual for the kind."""
        cap, supply = self.option("cap"), self.option("supply")
        cap = cap if cap is not None else self.parsed.values.get("cap")
        supply = supply if supply is not None else self.parsed.values.get("supply")
        if self.kind == "erc721" and supply is not None and not (self.options.supply is not None or self._from_start()):
            # "10,000 NFTs" says how many there will be, not that the owner holds them all from the start.
            cap, supply = (supply, Fraction(0)) if cap is None else (cap, supply)
        if self.kind == "erc20":
            cap, supply = self._erc20_amounts(features, denied, cap, supply)
        elif "capped" in features and cap is None:
            self.parsed.refuse(self.parsed.words["capped"], "The prompt does not say how many.")
            features.discard("capped")
        if cap is not None:
            features.add("capped")
            self.used["cap"] = decimal_text(cap)
        self.used["supply"] = decimal_text(supply or Fraction(0))
        return cap, supply or Fraction(0)

    def _from_start(self) -> bool:
        return bool(self.parsed.features.get("minted")) or "recipient" in self.parsed.values

    def _erc20_amounts(
        self, features: set[str], denied: bool, cap: Fraction | None, supply: Fraction | None
    ) -> tuple[Fraction | None, Fraction]:
        if "capped" in features and cap is None and supply is not None:
            cap = supply
            self.assumed.append(f"The cap is the supply, {decimal_text(cap)}.")
        elif "capped" in features and cap is None:
            self.parsed.refuse(self.parsed.words["capped"], "The prompt does not say how much.")
            features.discard("capped")
        if supply is None:
            supply = Fraction(1_000_000)
            if cap is not None and "mintable" not in features:
                supply = cap
            elif cap is not None and cap <= supply:
                # All of it at once would leave nothing to mint.
                supply = Fraction(0)
            self.assumed.append(f"The first supply is {decimal_text(supply)} tokens.")
        elif cap is not None and cap > supply and not denied and "mintable" not in features:
            features.add("mintable")
            self.assumed.append("The owner may mint up to the cap.")
        return cap, supply

    def _check_amounts(self, supply: Fraction, cap: Fraction | None, decimals: int, *, votes: bool) -> None:
        bound = _MAX_VOTES if votes and self.kind == "erc20" else _MAX_UNITS
        for field_name, amount in (("supply", supply), ("cap", cap)):
            if amount is None:
                continue
            source = f"options.{field_name}" if getattr(self.options, field_name) is not None else "prompt"
            if (amount * 10**decimals).denominator != 1:
                raise ValidationFailedError.of_field(source, f"the {field_name} is finer than {decimals} decimals")
            if amount * 10**decimals > bound:
                raise ValidationFailedError.of_field(source, f"the {field_name} is more than a token can count")
        if cap is not None and (cap == 0 or supply > cap):
            source = "options.cap" if self.options.cap is not None else "prompt"
            raise ValidationFailedError.of_field(source, "the cap is zero, or less than the first supply")
        if self.kind == "erc721" and supply > MAX_FIRST_SUPPLY:
            source = "options.supply" if self.options.supply is not None else "prompt"
            raise ValidationFailedError.of_field(
                source, f"at most {MAX_FIRST_SUPPLY} tokens of a collection can exist from the start"
            )

    def _royalty(self, features: set[str]) -> int | None:
        if "royalty" not in features:
            return None
        given = self.option("royalty")
        percent = Fraction(str(given)) if given is not None else self.parsed.values.get("royalty")
        if percent is None:
            percent = Fraction(5)
            self.assumed.append("The royalty is 5 percent.")
        points = percent * 100
        if points.denominator != 1 or not 0 <= points <= 10_000:
            if given is not None:
                raise ValidationFailedError.of_field("options.royalty", "is 0 to 100 percent, in steps of 0.01")
            self.parsed.refuse(self.parsed.words["royalty"], "A royalty is 0 to 100 percent, in steps of 0.01.")
            features.discard("royalty")
            return None
        self.used["royalty"] = decimal_text(percent)
        return int(points)

    def _base_uri(self) -> str:
        if self.kind == "erc20":
            return ""
        uri = self.options.base_uri or self.parsed.values.get("base_uri") or ""
        if uri:
            self.used["base_uri"] = uri
        return uri

    def _other(self, features: set[str], name: str, values: dict[str, Any]) -> Specification:
        return Specification(
            kind=self.kind,
            contract_name=identifier(name, self.blueprint.name),
            name=name,
            symbol=self._symbol(name) if "symbol" in self.blueprint.takes else "",
            features=frozenset(features),
            owner=self.owner,
            values=values,
        )

    # ── The answer ──────────────────────────────────────────────────────────────────────────────

    def _assume_people(self, spec: Specification, *, owned: bool) -> None:
        """Name whom the contract gives money or power to where the request did not say."""
        named = self.options.owner or self.parsed.values.get("owner")
        if "ownerless" in spec.features and not spec.recipient:
            self.assumed.append(f"The first supply goes to the caller's wallet, {spec.owner}.")
        elif self.blueprint.owner and owned and not named:
            self.assumed.append(f"The {self.blueprint.owner} is the caller's wallet, {self.owner}.")
        if self._is_token():
            self._assume_rights(spec)
        self.assumed += self.blueprint.assumes

    def _assume_rights(self, spec: Specification) -> None:
        if spec.supply and not spec.recipient and "ownerless" not in spec.features:
            self.assumed.append("The first supply goes to the owner.")
        who = "holders of the {} role, at first the owner," if spec.roles else "the owner"
        for feature, role, verb in (("mintable", "minter", "mint"), ("pausable", "pauser", "pause")):
            if feature in spec.features and not (feature == "mintable" and spec.minter):
                self.assumed.append(f"Only {who.format(role)} may {verb}.")
        if "burnable" in spec.features:
            self.assumed.append("Each holder may burn its own tokens, and nobody those of others.")
        if self.kind == "erc20" and "mintable" not in spec.features:
            self.assumed.append("Nobody may mint more.")

    def _powers(self, spec: Specification) -> list[str]:
        """Return who can do what to holders, a sentence each."""
        who = "Whoever holds the {} role" if spec.roles else "The owner"
        up_to = f" until there are {decimal_text(spec.cap)}" if spec.cap is not None else " without a limit"
        words = {name: who.format(name) for name in ("minter", "pauser", "freezer", "limiter", "seller", "upgrader")}
        words["uri_setter"] = who.format("URI setter")
        words |= {parameter.name: str(self.used.get(parameter.name, "")) for parameter in self.blueprint.parameters}
        given = {"", *spec.features, *(["roles"] if spec.roles else [])}
        powers = self.blueprint.powers.items()
        return [text.format(**words, up_to_cap=up_to) for feature, text in powers if feature in given]

    def _effective(self) -> dict[str, Any]:
        """Return the options in effect; `deploy` is among them when it is not done at once."""
        wanted = self.options.deploy
        if wanted is False or (wanted is None and self.parsed.features.get("deploy") is False):
            self.used["deploy"] = False
        return self.used

    def _title(self, spec: Specification) -> str:
        symbol = f" ({spec.symbol})" if spec.symbol else ""
        return f"{spec.name}{symbol}: {self.blueprint.title}"


def _symbol_of(name: str) -> str:
    """Make a usable symbol of a name: its capitals or initials, or its first letters."""
    words = [
        "".join(character for character in word if character.isascii() and character.isalnum()) for word in name.split()
    ]
    words = [word for word in words if word]
    if len(words) > 1:
        return "".join(word[0] for word in words)[:5].upper()
    if not words:
        return "TKN"
    capitals = "".join(character for character in words[0] if character.isupper())
    return (capitals if 2 <= len(capitals) <= 5 else words[0][:4]).upper()
