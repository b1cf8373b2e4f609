"""The built-in engine: contracts composed from OpenZeppelin's parts by rules, without a model.

The same request gives the same source, always. Nothing is read or written, so a caller may also compose only to see
whether a request can be served.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, get_args

from slipway.builds.composer.kinds import erc20, erc721, erc1155, escrow, timelock, vesting
from slipway.builds.composer.literals import decimal_text, identifier
from slipway.builds.composer.options import DAY, MAX_SECONDS, MAX_SIGNERS, Options, read_options
from slipway.builds.composer.prompt import NOT_READ, Reading, read_prompt
from slipway.builds.composer.specification import Specification
from slipway.builds.models import ConstructorArgument, Generation, GenerationRequest, Kind
from slipway.errors import GenerationUnsupportedError, ValidationFailedError

ENGINE = "composer"
KINDS: tuple[Kind, ...] = get_args(Kind)

CAPABILITIES = (
    "ERC-20 tokens (mintable, burnable, pausable, permit, votes, capped), ERC-721 and ERC-1155 collections (mintable, "
    "burnable, pausable, royalty; ERC-721 also votes, capped, enumerable), all owned or with roles; vesting wallets; "
    "escrows; multisignature timelocks"
)
"""What the composer can make, in one phrase."""

_TITLES = {
    "erc20": "ERC-20 token",
    "erc721": "ERC-721 collection",
    "erc1155": "ERC-1155 collection",
    "vesting": "vesting wallet",
    "escrow": "escrow",
    "timelock": "multisignature timelock",
}
_DEFAULT_NAMES = {
    "erc20": "Token",
    "erc721": "Collection",
    "erc1155": "Collection",
    "vesting": "Vesting",
    "escrow": "DealEscrow",
    "timelock": "MultisigTimelock",
}
_FEATURES = {
    "erc20": erc20.FEATURES,
    "erc721": erc721.FEATURES,
    "erc1155": erc1155.FEATURES,
    "vesting": vesting.FEATURES,
    "escrow": escrow.FEATURES,
    "timelock": timelock.FEATURES,
}
_COMPOSE: dict[Kind, Callable[[Specification], str]] = {
    "erc20": erc20.compose,
    "erc721": erc721.compose,
    "erc1155": erc1155.compose,
    "vesting": vesting.compose,
    "escrow": escrow.compose,
    "timelock": timelock.compose,
}
# The options that only some kinds have; the others are for all.
_VALUES = {
    "erc20": erc20.VALUES,
    "erc721": erc721.VALUES,
    "erc1155": erc1155.VALUES,
    "vesting": vesting.VALUES,
    "escrow": escrow.VALUES,
    "timelock": timelock.VALUES,
}
_POWERS: dict[Kind, dict[str, str]] = {
    "erc20": erc20.POWERS,
    "erc721": erc721.POWERS,
    "erc1155": erc1155.POWERS,
    "vesting": vesting.POWERS,
    "escrow": escrow.POWERS,
    "timelock": timelock.POWERS,
}
_OPTION_KINDS = {
    "symbol": {"erc20", "erc721", "erc1155"},
    "decimals": {"erc20"},
    "supply": {"erc20", "erc721", "erc1155"},
    "cap": {"erc20", "erc721"},
    "royalty": {"erc721", "erc1155"},
    "base_uri": {"erc721", "erc1155"},
    "beneficiary": {"vesting"},
    "cliff": {"vesting"},
    "duration": {"vesting"},
    "delay": {"timelock"},
    "signers": {"timelock"},
    "threshold": {"timelock"},
}
_PEOPLE = ("recipient", "minter", "royalty_receiver")
"""Slots for addresses beside the owner's, in the order of the constructor."""
_SETTLED = frozenset({"fixed", "uncapped", "minted", "deploy"})
"""Features that decide about others, and are none themselves."""
_SWITCHES = ("mintable", "burnable", "pausable", "permit", "votes", "enumerable")
_MAX_UNITS = 2**256 - 1
_MAX_VOTES = 2**208 - 1


class Composer:
    """The engine. It has no state."""

    def generate(self, request: GenerationRequest) -> Generation:
        """Compose one contract; see `Generator`."""
        options = read_options(request.options)
        template = check_template(request.template)
        reading = read_prompt(request.prompt, kind=template)
        if reading.kind is None:
            raise _unsupported(reading)
        drafted = _Draft(reading.kind, reading, options, options.owner or reading.values.get("owner") or request.owner)
        return drafted.finish()


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


def _unsupported(reading: Reading) -> GenerationUnsupportedError:
    asked = f"No {reading.unsupported_kind}" if reading.unsupported_kind else "The prompt names no contract that"
    language = "".join(f" {entry.reason}" for entry in reading.not_honoured if entry.reason.startswith(NOT_READ))
    return GenerationUnsupportedError(
        f"{asked} can be composed.{language} What can be: {CAPABILITIES}.", details={"templates": list(KINDS)}
    )


@dataclass
class _Draft:
    """A contract while prompt and options are weighed against each other. Options take precedence."""

    kind: Kind
    reading: Reading
    options: Options
    owner: str
    assumed: list[str] = field(default_factory=list)
    used: dict[str, Any] = field(default_factory=dict)

    def finish(self) -> Generation:
        """Decide everything, in the order in which one thing depends on another."""
        self._refuse_other_kinds()
        self._refuse_options()
        features = self._features()
        name = self._name()
        spec = self._token(features, name) if self._is_token() else self._wallet(name)
        self._assume_people(spec)
        return Generation(
            engine=ENGINE,
            title=self._title(spec),
            kind=self.kind,
            contract_name=spec.contract_name,
            source=_COMPOSE[self.kind](spec),
            constructor_arguments=self._arguments(spec),
            options=self._effective(),
            assumed=self.assumed,
            not_honoured=self.reading.not_honoured,
            powers=self._powers(spec),
        )

    def _is_token(self) -> bool:
        return self.kind in ("erc20", "erc721", "erc1155")

    def _one(self) -> str:
        title = _TITLES[self.kind]
        return f"{'an' if title[0] in 'Ee' else 'a'} {title}"

    def _option(self, name: str) -> Any:
        """Return an option's value, None where it was not given or the kind has none of it."""
        applies = self.kind in _OPTION_KINDS.get(name, KINDS)
        return getattr(self.options, name) if applies else None

    # ── What can't be ───────────────────────────────────────────────────────────────────────────

    def _refuse_other_kinds(self) -> None:
        about_tokens = {"escrow": {"erc20"}, "vesting": {"erc20"}, "timelock": {"erc20", "erc721", "erc1155"}}
        for kind, words in self.reading.other_kinds:
            loosely = self.kind == "erc1155" and kind == "erc721" and "721" not in words
            if not loosely and kind not in about_tokens.get(self.kind, set()):
                self.reading.refuse(words, f"A build is one contract, here {self._one()}.")

    def _refuse_options(self) -> None:
        for name in self.options.model_fields_set:
            if getattr(self.options, name) is None:
                continue
            if name == "upgradeable" and self.options.upgradeable:
                self.reading.refuse(
                    "options.upgradeable",
                    "Contracts of a build can't be upgraded: what was audited is what stays deployed.",
                )
            elif self.kind not in _OPTION_KINDS.get(name, KINDS):
                self.reading.refuse(f"options.{name}", f"There is no such thing in {self._one()}.")
        if self.reading.symbol is not None and self.kind not in _OPTION_KINDS["symbol"]:
            self.reading.refuse(f"symbol {self.reading.symbol}", f"There is no such thing in {self._one()}.")
        for name in list(self.reading.values):
            if name not in _VALUES[self.kind]:
                self.reading.refuse(self.reading.words[name], f"There is no such thing in {self._one()}.")
                del self.reading.values[name]

    def _features(self) -> set[str]:
        known = _FEATURES[self.kind]
        self._settle_supply()
        asked = {feature for feature, asked in self.reading.features.items() if asked} - _SETTLED
        wanted = asked & known
        for feature in sorted(asked - known):
            for words in self.reading.mentions[feature]:
                self.reading.refuse(words, self.reading.reasons.get(feature) or self._lacks(feature))
        for feature in (*_SWITCHES, "royalty"):
            value = getattr(self.options, feature)
            if value is None:
                continue
            if value is False:
                wanted.discard(feature)
            elif feature in known:
                wanted.add(feature)
            elif feature in _SWITCHES:
                self.reading.refuse(f"options.{feature}", self._lacks(feature))
        return self._with_access(wanted)

    def _settle_supply(self) -> None:
        """Weigh what is said of the supply as a whole: fixed, unlimited, minted at once."""
        said, words = self.reading.features, self.reading.words
        if said.get("uncapped") and said.get("capped"):
            self.reading.refuse(f"{words['uncapped']} … {words['capped']}", "There is a cap, or there is none.")
        if said.get("fixed") and self.kind == "erc20":
            if said.get("mintable") and self.options.mintable is None:
                self.reading.refuse(
                    f"{words['fixed']} … {words['mintable']}", "A supply that is fixed can't be minted later."
                )
            if said.get("uncapped"):
                self.reading.refuse(f"{words['fixed']} … {words['uncapped']}", "A supply is fixed, or it has no limit.")
            said.setdefault("mintable", False)
        if (
            said.get("uncapped")
            and "mintable" not in said
            and re.search(r"unlimited|infinite|mint", words["uncapped"], re.I)
        ):
            said["mintable"] = True

    def _with_access(self, wanted: set[str]) -> set[str]:
        if self.options.access is None:
            return wanted
        if "roles" in _FEATURES[self.kind]:
            return wanted - {"roles"} | ({"roles"} if self.options.access == "roles" else set())
        if self.options.access == "roles":
            self.reading.refuse("options.access", self._lacks("roles"))
        return wanted

    def _lacks(self, feature: str) -> str:
        named = {"roles": "access by roles", "uri_storage": "metadata of each token's own", "capped": "cap"}
        return f"The composer knows no {named.get(feature, feature)} for {self._one()}."

    # ── Names ───────────────────────────────────────────────────────────────────────────────────

    def _name(self) -> str:
        name = self.options.name or self.reading.name
        if name is None:
            name = _DEFAULT_NAMES[self.kind]
            self.assumed.append(f"The name is {name}.")
        self.used["name"] = name
        return name

    def _symbol(self, name: str) -> str:
        symbol = self._option("symbol") or self.reading.symbol
        if symbol is None:
            symbol = _symbol_of(name)
            self.assumed.append(f"The symbol is {symbol}.")
        self.used["symbol"] = symbol
        return str(symbol)

    # ── Tokens ──────────────────────────────────────────────────────────────────────────────────

    def _token(self, features: set[str], name: str) -> Specification:
        symbol = self._symbol(name)
        decimals = self._decimals()
        denied = self.reading.features.get("mintable") is False or self.options.mintable is False
        cap, supply = self._amounts(features, denied)
        if self.kind != "erc20" and (not denied or not supply):
            if denied:
                self.reading.refuse("no minting", "A collection that starts empty would stay empty.")
            features.add("mintable")
        if "votes" in features and self.kind == "erc20":
            features.add("permit")
        self._check_amounts(supply, cap, decimals, votes="votes" in features)
        people = self._people(features, supply)
        self.used["features"] = sorted(features - {"fixed", "owner", "roles"})
        self.used["access"] = "roles" if "roles" in features else "owner"
        return Specification(
            kind=self.kind,
            contract_name=identifier(name, _DEFAULT_NAMES[self.kind]),
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
        )

    def _people(self, features: set[str], supply: Fraction) -> dict[str, str]:
        """Return who is named for the first supply, minting and royalties; each needs what it is named for."""
        named = {name: self.reading.values[name] for name in _PEOPLE if name in self.reading.values}
        if "minter" in named:
            features.update(("mintable", "roles"))
        needed = {"recipient": bool(supply), "minter": True, "royalty_receiver": "royalty" in features}
        for name in [name for name in named if not needed[name] or self.options.mintable is False]:
            self.reading.refuse(self.reading.words[name], "There is nothing that this address would be for.")
            del named[name]
        self.used |= named
        return named

    def _decimals(self) -> int:
        if self.kind != "erc20":
            return 0
        decimals = self._option("decimals")
        if decimals is None:
            decimals = self.reading.values.get("decimals")
        if decimals is None:
            decimals = 18
        self.used["decimals"] = decimals
        return int(decimals)

    def _amounts(self, features: set[str], denied: bool) -> tuple[Fraction | None, Fraction]:
        """Return cap and first supply, as the request says or, where it says nothing, as is usual for the kind."""
        cap, supply = self._option("cap"), self._option("supply")
        cap = cap if cap is not None else self.reading.values.get("cap")
        supply = supply if supply is not None else self.reading.values.get("supply")
        if self.kind == "erc721" and supply is not None and not (self.options.supply is not None or self._from_start()):
            # "10,000 NFTs" says how many there will be, not that the owner holds them all from the start.
            cap, supply = (supply, Fraction(0)) if cap is None else (cap, supply)
        if self.kind == "erc20":
            cap, supply = self._erc20_amounts(features, denied, cap, supply)
        elif "capped" in features and cap is None:
            self.reading.refuse(self.reading.words["capped"], "The prompt does not say how many.")
            features.discard("capped")
        if cap is not None:
            features.add("capped")
            self.used["cap"] = decimal_text(cap)
        self.used["supply"] = decimal_text(supply or Fraction(0))
        return cap, supply or Fraction(0)

    def _from_start(self) -> bool:
        return bool(self.reading.features.get("minted")) or "recipient" in self.reading.values

    def _erc20_amounts(
        self, features: set[str], denied: bool, cap: Fraction | None, supply: Fraction | None
    ) -> tuple[Fraction | None, Fraction]:
        if "capped" in features and cap is None and supply is not None:
            cap = supply
            self.assumed.append(f"The cap is the supply, {decimal_text(cap)}.")
        elif "capped" in features and cap is None:
            self.reading.refuse(self.reading.words["capped"], "The prompt does not say how much.")
            features.discard("capped")
        if supply is None:
            supply = Fraction(1_000_000)
            if cap is not None:
                supply = min(supply, cap) if "mintable" in features else cap
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
        if self.kind == "erc721" and supply > erc721.MAX_FIRST_SUPPLY:
            source = "options.supply" if self.options.supply is not None else "prompt"
            raise ValidationFailedError.of_field(
                source, f"at most {erc721.MAX_FIRST_SUPPLY} tokens of a collection can exist from the start"
            )

    def _royalty(self, features: set[str]) -> int | None:
        if "royalty" not in features:
            return None
        given = self._option("royalty")
        percent = Fraction(str(given)) if given is not None else self.reading.values.get("royalty")
        if percent is None:
            percent = Fraction(5)
            self.assumed.append("The royalty is 5 percent.")
        points = percent * 100
        if points.denominator != 1 or not 0 <= points <= 10_000:
            if given is not None:
                raise ValidationFailedError.of_field("options.royalty", "is 0 to 100 percent, in steps of 0.01")
            self.reading.refuse(self.reading.words["royalty"], "A royalty is 0 to 100 percent, in steps of 0.01.")
            features.discard("royalty")
            return None
        self.used["royalty"] = decimal_text(percent)
        return int(points)

    def _base_uri(self) -> str:
        if self.kind == "erc20":
            return ""
        uri = self.options.base_uri or self.reading.values.get("base_uri") or ""
        if uri:
            self.used["base_uri"] = uri
        return uri

    # ── Wallets ─────────────────────────────────────────────────────────────────────────────────

    def _wallet(self, name: str) -> Specification:
        spec = Specification(self.kind, identifier(name, _DEFAULT_NAMES[self.kind]), name)
        if self.kind == "vesting":
            return self._vesting(spec)
        if self.kind == "timelock":
            return self._timelock(spec)
        return spec

    def _vesting(self, spec: Specification) -> Specification:
        duration = self._either("duration")
        cliff = self._either("cliff")
        if duration is None:
            duration = max(4 * 365 * DAY, cliff or 0)
            self.assumed.append(f"Everything has vested after {duration // DAY} days.")
        if (cliff or 0) > duration:
            source = "options.cliff" if self.options.cliff is not None else "prompt"
            raise ValidationFailedError.of_field(source, "the cliff is longer than the vesting")
        beneficiary = self.options.beneficiary or self.reading.values.get("beneficiary") or self.owner
        self.used |= {"beneficiary": beneficiary, "duration": duration, "cliff": cliff or 0}
        return Specification(
            spec.kind, spec.contract_name, spec.name, cliff=cliff or 0, duration=duration, signers=(beneficiary,)
        )

    def _either(self, name: str) -> int | None:
        given: int | None = getattr(self.options, name)
        if given is not None or name not in self.reading.values:
            return given
        seconds = Fraction(self.reading.values[name])
        if seconds.denominator != 1 or seconds > MAX_SECONDS:
            self.reading.refuse(self.reading.words[name], "A time is a whole number of seconds, and at most 100 years.")
            return None
        return int(seconds)

    def _timelock(self, spec: Specification) -> Specification:
        delay = self._either("delay")
        if delay is None:
            delay = 2 * DAY
            self.assumed.append("The delay is 2 days.")
        named = self.reading.values.get("signers", [])
        for address in named[MAX_SIGNERS:]:
            self.reading.refuse(address, f"There are at most {MAX_SIGNERS} signers.")
        signers = tuple(dict.fromkeys(self.options.signers or named[:MAX_SIGNERS] or [self.owner]))
        threshold, wanted = self._threshold()
        if self.options.threshold is not None and self.options.threshold > len(signers):
            raise ValidationFailedError.of_field("options.threshold", "is more than there are signers")
        if wanted > len(signers) and self.options.threshold is None and self.options.signers is None:
            self.reading.refuse(
                self.reading.words["threshold"],
                f"Only {len(signers)} signer{'s are' if len(signers) > 1 else ' is'} known. The first operations can "
                "add others (addSigner) and then set the threshold (changeThreshold).",
            )
        if threshold is None:
            threshold = len(signers) // 2 + 1
            self.assumed.append(f"{threshold} of {len(signers)} signers must confirm.")
        threshold = min(threshold, len(signers))
        self.used |= {"signers": list(signers), "threshold": threshold, "delay": delay}
        return Specification(
            spec.kind, spec.contract_name, spec.name, delay=delay, threshold=threshold, signers=signers
        )

    def _threshold(self) -> tuple[int | None, int]:
        """Return how many must confirm, if that is said, and how many signers there are said to be at least."""
        ratio = self.reading.values.get("threshold")
        if ratio is not None and not (len(ratio) == 2 and 1 <= ratio[0] <= ratio[1]):
            self.reading.refuse(self.reading.words["threshold"], "The threshold is not over the number of signers.")
            ratio = None
        threshold = self.options.threshold or (int(ratio[0]) if ratio else None)
        return threshold, max(int(ratio[1]) if ratio else 0, threshold or 0)

    # ── The answer ──────────────────────────────────────────────────────────────────────────────

    def _assume_people(self, spec: Specification) -> None:
        """Name whom the contract gives money or power to where the request did not say."""
        named = self.options.owner or self.reading.values.get("owner")
        if self.kind == "vesting":
            if not (self.options.beneficiary or self.reading.values.get("beneficiary")):
                self.assumed.append(f"The beneficiary is the owner, {spec.signers[0]}.")
        elif self.kind == "timelock":
            if not (self.options.signers or self.reading.values.get("signers")):
                self.assumed.append(f"The only signer is the owner, {self.owner}.")
        elif not named:
            role = "arbiter and owner" if self.kind == "escrow" else "owner"
            self.assumed.append(f"The {role} is the caller's wallet, {self.owner}.")
        if self._is_token():
            self._assume_rights(spec)

    def _assume_rights(self, spec: Specification) -> None:
        if spec.supply and not spec.recipient:
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
        words = {"minter": who.format("minter"), "pauser": who.format("pauser"), "up_to_cap": up_to}
        given = {"", *spec.features, *(["roles"] if spec.roles else [])}
        return [text.format(**words) for feature, text in _POWERS[self.kind].items() if feature in given]

    def _effective(self) -> dict[str, Any]:
        """Return the options in effect; `deploy` is among them when it is not done at once."""
        wanted = self.options.deploy
        if wanted is False or (wanted is None and self.reading.features.get("deploy") is False):
            self.used["deploy"] = False
        return self.used

    def _arguments(self, spec: Specification) -> list[ConstructorArgument]:
        if self.kind == "timelock":
            return [
                ConstructorArgument(name="signers_", type="address[]", value=list(spec.signers)),
                ConstructorArgument(name="threshold_", type="uint256", value=str(spec.threshold)),
            ]
        if self.kind == "vesting":
            return [ConstructorArgument(name="beneficiary", type="address", value=spec.signers[0])]
        self.used["owner"] = self.owner
        named = [("initialOwner", self.owner), ("recipient", spec.recipient), ("minter", spec.minter)]
        named.append(("royaltyReceiver", spec.royalty_receiver))
        return [ConstructorArgument(name=name, type="address", value=value) for name, value in named if value]

    def _title(self, spec: Specification) -> str:
        symbol = f" ({spec.symbol})" if spec.symbol else ""
        return f"{spec.name}{symbol}: {_TITLES[self.kind]}"


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
