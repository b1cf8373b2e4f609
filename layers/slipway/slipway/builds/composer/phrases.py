"""How a kind of contract declares the words that it honours, and how they are found in a prompt.

A `PhraseSet` asks for one thing. Its phrases are regular expressions over the canonical text of a prompt
(`slipway.builds.composer.tokens`), in which `<atom:slot>` stands for an atom whose value is kept in a slot, such as
`max wallet(?: of)? <pct:max_wallet>`. A phrase has to cover every word that changes what it means, since whatever no
phrase covers is reported as not understood.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from slipway.builds.composer.tokens import Tokens
from slipway.builds.composer.words import JOINTS, STOP_WORDS
from slipway.builds.models import Kind

OWNER = r"(?:contract |only )?(?:owner|i|me|we|us|deployer|creator|admin|issuer|my wallet|our wallet|myself)"
HOLDER = r"(?:token |each |every |any |all )*(?:holder|user|anyone|people|owner of token)"
NOBODY = r"(?:nobody|none|not anyone|not owner|not even (?:owner|i|me))"
CAN = (
    r"(?:can|is able to|are able to|am able to|will be able to|should be able to|must be able to|to be able to"
    r"|is allowed to|are allowed to|should be allowed to|has right to|have right to|has power to)"
)
_LATER = (
    r"(?: (?:later|later on|in future|afterwards|any time|at any time|at will|over time|if needed|as needed"
    r"|when needed|on demand|in emergency|in emergencies|in case of emergency|after (?:launch|deployment)|more))*"
)
_THINGS = r"(?: (?:more|additional|new|further|extra))*(?: (?:token|coin|supply|nft|item|unit|<kind>|it|them))?"
MORE = _THINGS + _LATER
"""What may follow a verb such as "mint" without a change of meaning."""

DOCUMENT = (
    r"(?:badge|certificate|diploma|credential|poap|membership (?:card|pass)|trading card|(?:event|concert|festival)"
    r" ticket)"
)
"""What is a token of its own each, by its nature."""
AMOUNT_WORDS = r"(?: (?:token|coin|unit|<symbol>|<name>))?"
"""What an amount of tokens may be called."""
LAST = r"(?:lasts|(?<!in )(?<!during )(?<!within )(?<!for )(?<!placed )(?<!made )last)"
"""That something goes on for a time; not the last hours of something."""
_NOT_OF = "".join(
    rf"(?<!{word} )"
    for word in ("in", "last", "final", "first", "next", "within", "after", "before", "every", "each", "per")
)
BARE_DURATION = rf"{_NOT_OF}<time:duration>"
"""A time with nothing beside it that makes it the time of something else."""

ADDRESSES = r"<address>(?: (?:, and|,|and|;) <address>)*"
"""Addresses in a row; for a named group."""

_NOT = (
    r"(?:(?:can|must|should|will|shall|is|are|do|does|to) )*(?:not|never|non)(?: (?:ever|further|be|being|want|need|it"
    r"|them|to))*"
)
_LEFT_OUT = "have|has|allow|support|include|need|want|enable|add|use|implement|give|put"
WITHOUT = rf"(?:no|without|not(?: (?:{_LEFT_OUT}))?)"
"""That something is not to be there."""
_NO = (
    rf"(?:no|without|not (?:{_LEFT_OUT})|lacks?|disables?|disabled|disallow|forbid|prohibit|prevent|exclude|excluding"
    r"|free of)"
    r"(?: (?:any|further|more|additional|new|future|subsequent|extra|ability to|possibility to|way to))*"
)
_NEVER_MORE = (
    r"(?: (?:any more|again|ever|ever again|afterwards|later|later on|further|at all|after (?:that|launch|deployment)"
    r"|once (?:deployed|launched)|in future|more))*"
)
_BEFORE_VERBS = """
. , ; / : ( and with plus including includes include allow support supports enable has have having nor burnable mintable
pausable
"""
_LISTED = "(?:^|" + "|".join(rf"(?<={re.escape(word)} )" for word in _BEFORE_VERBS.split()) + ")"
"""Where a verb alone asks for something: at the beginning of a part or in a list, not after its subject."""
_SUBJECT = re.compile(r"(?<!\S)(?:can(?! you)|able to|allowed to|right to|power to)(?!\S)")
_NOUN = r"(?: (?:function|functionality|capability|feature|ability|support|method|mechanism|right|rights|option))?"


@dataclass(frozen=True)
class PhraseSet:
    """The phrases that ask for one thing.

    Attributes:
        feature: What a parsed prompt's `features` gets, wanted or not; None for phrases that only fill slots, or that
            every contract of the kinds honours as it is.
        said: Phrases that ask for it.
        denied: Phrases that ask for it not to be.
        weak: Phrases that ask for it only where nothing beside them in the same clause is left unread.
        bare: Verbs alone, which are weak, and ask for nothing in a sentence that says who can do it.
        kinds: In which kinds the phrases mean this; None for all. Whether a kind honours the feature is for the engine.
        sets: Slots that the phrases fill with a constant.
        reason: Why no kind has it, for the caller.
    """

    feature: str | None
    said: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    kinds: frozenset[Kind] | None = None
    sets: tuple[tuple[str, Any], ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class WordForms:
    """A feature that has the usual forms in English, from which its phrases are made.

    Attributes:
        feature: As in `PhraseSet`.
        adjective: As in "mintable".
        noun: As in "minting".
        verb: As in "mint"; alone it is a weak phrase.
        participle: As in "minted".
        by: Whose ability it is, a pattern such as `OWNER`: "mintable by the owner", "only the owner can mint".
        after: What may follow the verb.
        kinds: As in `PhraseSet`.
        reason: As in `PhraseSet`.
    """

    feature: str
    adjective: str = ""
    noun: str = ""
    verb: str = ""
    participle: str = ""
    by: str = ""
    after: str = MORE
    kinds: frozenset[Kind] | None = None
    reason: str = ""

    @property
    def forms(self) -> str:
        """Every form that may stand in a list such as "no minting, burning or pausing"."""
        return "|".join(part for part in (self.adjective, self.noun, self.verb, self.participle) if part)

    def phrase_set(self) -> PhraseSet:
        """Return all its phrases."""
        said, denied, weak = self._unqualified()
        if self.by and self.verb:
            said += [
                rf"(?:only )?{self.by} (?:only )?{CAN} (?:only )?(?:{self.verb}){self.after}",
                rf"(?:{self.forms})(?: only)? by (?:only )?{self.by}(?: only)?{_LATER}",
                rf"only (?:{self.forms}) by {self.by}",
                rf"(?:only )?{self.by} (?:only |controlled |restricted )*(?:{self.noun or self.verb})",
                rf"(?:{self.noun or self.verb}) (?:is )?(?:restricted|limited|reserved|only)(?: to| for)? {self.by}",
            ]
        bare = (rf"{_LISTED}(?:{self.verb}){self.after}",) if self.verb else ()
        return PhraseSet(self.feature, tuple(said), tuple(denied), tuple(weak), bare, self.kinds, (), self.reason)

    def _unqualified(self) -> tuple[list[str], list[str], list[str]]:
        said, denied, weak = [], [], []
        if self.adjective:
            said += [rf"(?:{self.adjective})(?:(?: :)? (?:yes|true|enabled|on))?"]
            denied += [rf"{_NOT} (?:{self.adjective}){_NEVER_MORE}", rf"(?:{self.adjective}) : (?:no|false|off)"]
        if self.noun:
            said += [rf"(?:{self.noun}){_NOUN}(?: (?:is |are )?(?:enabled|allowed|possible|supported|on))?"]
            denied += [
                rf"{_NO} (?:{self.noun}){_NOUN}{_NEVER_MORE}",
                rf"(?:{self.noun}) (?:is |are )?(?:disabled|forbidden|not allowed|not possible|impossible|off|: no)",
            ]
        if self.participle:
            said += [rf"(?:can|to|should|must) be (?:{self.participle}){_LATER}"]
            denied += [
                rf"{_NOT} (?:{self.participle}){_NEVER_MORE}",
                r"no (?:more|new|additional|further|other)(?: (?:token|coin|nft|supply|unit))?(?: (?:can|will"
                r"|shall|should|must|may"
                rf"|ever))* be (?:{self.participle}){_NEVER_MORE}",
            ]
        if self.verb:
            said += [rf"(?:{self.verb}) (?:function|functionality|capability|feature|ability|support|method)"]
            weak += [
                rf"(?:ability|possibility|able|option|right) to (?:{self.verb}){self.after}",
            ]
            denied += [
                rf"(?:{NOBODY}) (?:{CAN}|(?:should|must|shall|will)(?: ever)?(?: be (?:able|allowed) to)?) (?:ever )?"
                rf"(?:{self.verb}){self.after}{_NEVER_MORE}",
                rf"{_NO} (?:{self.verb}){_NOUN}{_NEVER_MORE}",
            ]
            if self.by:
                denied += [
                    rf"{self.by} (?:can|must|should|will|shall) (?:not|never)(?: ever)?(?: be able to)?"
                    rf" (?:{self.verb}){self.after}{_NEVER_MORE}"
                ]
        return said, denied, weak


@dataclass
class Found:
    """A phrase in a prompt.

    Attributes:
        places: The tokens that it covers.
        phrase_set: What it asks for.
        wanted: Whether it asks for it, or for it not to be.
        weak: As in `PhraseSet`.
        slots: Values of its slots, each with the number of the token.
    """

    places: range
    phrase_set: PhraseSet
    wanted: bool = True
    weak: bool = False
    slots: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Phrase:
    pattern: re.Pattern[str]
    phrase_set: PhraseSet
    wanted: bool
    weak: bool
    bare: bool


class Lexicon:
    """Every phrase that is declared, and lists of word forms such as "neither mintable nor burnable"."""

    def __init__(self, phrase_sets: Iterable[PhraseSet | WordForms]) -> None:
        declared = list(phrase_sets)
        self._phrases: list[_Phrase] = []
        for entry in declared:
            phrase_set = entry.phrase_set() if isinstance(entry, WordForms) else entry
            self._phrases += [_Phrase(_compiled(text), phrase_set, True, False, False) for text in phrase_set.said]
            self._phrases += [_Phrase(_compiled(text), phrase_set, False, False, False) for text in phrase_set.denied]
            self._phrases += [_Phrase(_compiled(text), phrase_set, True, True, False) for text in phrase_set.weak]
            self._phrases += [_Phrase(_compiled(text), phrase_set, True, True, True) for text in phrase_set.bare]
        word_forms = [entry for entry in declared if isinstance(entry, WordForms)]
        self._word_forms = [
            (re.compile(rf"(?<!\S)(?:{entry.forms})(?!\S)"), entry.phrase_set()) for entry in word_forms
        ]
        self._lists = _list_patterns(word_forms)
        sources = " ".join(phrase.pattern.pattern for phrase in self._phrases)
        self.words = frozenset(re.findall(r"[a-z]{3,}", sources))

    def find(self, tokens: Tokens, kind: Kind | None) -> list[Found]:
        """Return the phrases of a prompt for a kind of contract, longer ones first, none of which overlap."""
        text = tokens.canonical
        found = [
            Found(tokens.span(*match.span()), phrase.phrase_set, phrase.wanted, phrase.weak, _slots(tokens, match))
            for phrase in self._phrases
            if _is_for(phrase.phrase_set, kind)
            for match in phrase.pattern.finditer(text)
            if not (phrase.bare and _SUBJECT.search(re.split(r"[.;!?]", text[: match.start()])[-1]))
        ]
        lists = [
            (tokens.span(*match.span()), wanted, match)
            for pattern, wanted in self._lists
            for match in pattern.finditer(text)
        ]
        taken: set[int] = set()
        kept: list[Found] = []
        listed = [(places, self._members(tokens, match, kind, wanted=wanted)) for places, wanted, match in lists]
        alone = [(entry.places, [entry]) for entry in found]
        for places, entries in sorted([*listed, *alone], key=lambda one: (-len(one[0]), one[0].start)):
            if taken.isdisjoint(places) and entries:
                taken.update(places)
                kept += entries
        return self._denied_together(tokens, sorted(kept, key=lambda one: one.places.start))

    def _denied_together(self, tokens: Tokens, found: list[Found]) -> list[Found]:
        """Return the phrases of a prompt in order, where "without permit and votes" denies both."""
        denied: set[int] = set()
        for at, entry in enumerate(found):
            if entry.wanted and at not in denied:
                continue
            waiting: list[int] = []
            for place in range(at + 1, len(found)):
                joint = _words(tokens, range(found[place - 1].places.stop, found[place].places.start))
                if joint not in _JOINED or not found[place].wanted or not self._is_denied_alone(tokens, found[place]):
                    break
                waiting.append(place)
                if joint != ",":
                    denied.update(waiting)
        for at in denied:
            found[at] = replace(found[at], wanted=False, places=range(found[at - 1].places.stop, found[at].places.stop))
        return found

    def _is_denied_alone(self, tokens: Tokens, entry: Found) -> bool:
        """Return whether a phrase may follow "without" by itself, as a noun may and an adjective may not."""
        text = f"without {_words(tokens, entry.places)}"
        return any(
            not phrase.wanted
            and phrase.phrase_set.feature == entry.phrase_set.feature
            and phrase.pattern.fullmatch(text)
            for phrase in self._phrases
        )

    def _members(self, tokens: Tokens, match: re.Match[str], kind: Kind | None, *, wanted: bool) -> list[Found]:
        found = []
        places = tokens.span(*match.span())
        for pattern, phrase_set in self._word_forms:
            if _is_for(phrase_set, kind) and pattern.search(match[0]):
                found.append(Found(places, phrase_set, wanted))
        return found


_JOINED = {joint for word in ("and", "or", "nor") for joint in (word, f", {word}")} | {","}


def _words(tokens: Tokens, places: range) -> str:
    return " ".join(token.word for token in tokens.tokens[places.start : places.stop] if token.word)


def _is_for(phrase_set: PhraseSet, kind: Kind | None) -> bool:
    return phrase_set.kinds is None or kind in phrase_set.kinds


def _list_patterns(word_forms: Sequence[WordForms]) -> list[tuple[re.Pattern[str], bool]]:
    if not word_forms:
        return []
    every = "|".join(entry.forms for entry in word_forms)
    nouns = "|".join(part for entry in word_forms for part in (entry.noun, entry.verb) if part)
    one, comma = rf"(?:{every})", r"(?: (?:,|/))"
    noun = rf"(?:{nouns})"
    patterns = [
        (rf"(?:{_NOT}|{_NO}|neither) {one}(?:{comma} {one})*{comma}? (?:or|nor) (?:be )?{one}{_NEVER_MORE}", False),
        (rf"{_NO} {noun}(?:{comma} {noun})*{comma}? and {noun}{_NEVER_MORE}", False),
    ]
    owned = [entry for entry in word_forms if entry.by == OWNER]
    if owned:
        verbs = "|".join(entry.verb for entry in owned if entry.verb)
        forms = "|".join(entry.forms for entry in owned)
        verb, form = rf"(?:{verbs}|un(?:{verbs})){MORE}", rf"(?:{forms})"
        patterns += [
            (rf"(?:only )?{OWNER} {CAN} {verb}(?:{comma} {verb})*{comma}? (?:and|or) (?:can )?{verb}", True),
            (rf"{form}(?:{comma} {form})*{comma}? and {form} (?:only )?by (?:only )?{OWNER}(?: only)?", True),
        ]
    return [(_compiled(text), wanted) for text, wanted in patterns]


@cache
def _compiled(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\S)(?:{re.sub(r'<(\w+):(\w+)>', r'(?P<\2><\1>)', text)})(?!\S)")


def _slots(tokens: Tokens, match: re.Match[str]) -> dict[str, Any]:
    """Return the values of a phrase's slots; a slot that covers several atoms is a list of theirs."""
    found: dict[str, Any] = {}
    for slot, text in match.groupdict().items():
        if text is None:
            continue
        places = tokens.span(*match.span(slot))
        values = [tokens.tokens[place].value for place in places if tokens.tokens[place].value is not None]
        found[slot] = values[0] if re.fullmatch(r"<\w+>", text) else values or text
    return found


_PERSONS = frozenset({"me", "us", "them", "you"})
_BEFORE_PERSONS = frozenset({"by", "to", "for", "from", "of", "give"})
"""Words after which a person is whom something is done by, or what is given to: never a stop word there."""
_LISTED_PERSONS = frozenset({"me", "us"})
_BETWEEN = frozenset({"", ",", "and", "or", "plus", "between", "among"})
"""What stands between the members of a list."""

READ = ("<name>", "<symbol>", "<kind>")
"""Atoms that were read before any phrase."""


def drop_ambiguous(tokens: Tokens, found: list[Found]) -> list[Found]:
    """Drop the weak phrases that stand in a clause with something unread: they are ambiguous there."""
    kept = list(found)
    while True:
        covered = {place for entry in kept for place in entry.places}
        firm = {place for entry in kept if not entry.weak for place in entry.places}
        dropped = [entry for entry in kept if entry.weak and _beside_unread(tokens, entry.places, covered, firm)]
        if not dropped:
            return kept
        kept = [entry for entry in kept if entry not in dropped]


def _beside_unread(tokens: Tokens, places: range, covered: set[int], firm: set[int]) -> bool:
    for step, place in ((-1, places.start - 1), (1, places.stop)):
        at = place
        while 0 <= at < len(tokens.tokens):
            token = tokens.tokens[at]
            if token.ends_clause or at in firm or token.word in JOINTS:
                break
            if is_unread(tokens, at, covered):
                return True
            at += step
    return False


def is_unread(tokens: Tokens, place: int, covered: set[int]) -> bool:
    """Return whether a token asks for something that no phrase covers."""
    token = tokens.tokens[place]
    if place in covered or not token.word or token.ends_clause or token.word in READ:
        return False
    if token.word == "both" and _is_for_two(tokens, place, covered):
        return False
    if any(word not in STOP_WORDS for word in token.word.split()):
        return True
    before = next((other.word for other in reversed(tokens.tokens[:place]) if other.word), "")
    return (token.word in _PERSONS and before in _BEFORE_PERSONS) or _is_listed(tokens, place)


def _is_for_two(tokens: Tokens, place: int, covered: set[int]) -> bool:
    """Return whether "both" is followed by two things that were read, and by nothing else in its clause."""
    rest = itertools.takewhile(lambda at: not tokens.tokens[at].ends_clause, range(place + 1, len(tokens.tokens)))
    worded = [at for at in rest if tokens.tokens[at].word]
    joints = [at for at in worded if tokens.tokens[at].word == "and"]
    first, last = worded[:1], worded[-1:]
    return len(joints) == 1 and not {*first, *last} & {*joints} and {*worded} - {*joints} <= covered


def _is_listed(tokens: Tokens, place: int) -> bool:
    """Return whether a token is a person in a list of addresses, who is one of them."""
    if tokens.tokens[place].word not in _LISTED_PERSONS:
        return False
    for step in (-1, 1):
        at = place + step
        while 0 <= at < len(tokens.tokens) and tokens.tokens[at].word in _BETWEEN:
            at += step
        if 0 <= at < len(tokens.tokens) and tokens.tokens[at].word == "<address>":
            return True
    return False
