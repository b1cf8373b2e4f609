"""A prompt as tokens: words in one spelling, and amounts, times, addresses and quotes as single atoms.

The canonical text of a prompt has one space between tokens. An atom stands there as `<n>` (a number), `<pct>`
(percent), `<time>` (seconds), `<eth>` (an amount of the chain's coin), `<ratio>` (such as 2 of 3), `<address>`,
`<uri>`, `<quote>`, `<date>` and, once they are read, `<kind>`, `<name>` and `<symbol>`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from slipway.addresses import parse_address
from slipway.builds.composer.quantities import SCALES, Quantity, find_quantities
from slipway.builds.composer.words import CORRECTABLE, DURATIONS, NEIGHBOURS, SAME, SILENT

_QUOTED = r"\"[^\"\n]*\"|“[^”\n]*”|(?<![\w])'[^'\n]*'(?!\w)|‘[^’\n]*’|`[^`\n]*`|«[^»\n]*»"
NO_ADDRESS = "<hex>"
"""What looks like an address and can hold nothing: no phrase has it."""
_NUMBER_WORD = r"(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|twelve)"
_PATTERN = re.compile(
    rf"""
    (?P<uri> (?:ipfs|https?|ar)://[^\s"'“”<>]{{1,240}} )
    | (?P<address> \b0x[0-9a-f]+\b )
    | (?P<quote> {_QUOTED} )
    | (?P<date> \b\d{{4}}-\d{{2}}-\d{{2}}(?:T[\d:.]+Z?)?\b )
    | (?P<standard> \b(?:erc|eip|bep)[\s_-]*\d{{2,5}}[a-z]? (?![a-z\d]) )
    | (?P<ratio> \b{_NUMBER_WORD}[\s-]*(?:of|out\sof)[\s-]*{_NUMBER_WORD}\b | \b\d{{1,3}}(?:/\d{{1,3}})+\b )
    | (?P<with> \bw/(?:o(?:ut)?\b)? )
    | (?P<nobody> \bno[\s-]?(?:one|body)\b )
    | (?P<ticker> (?<![\w$])\$[A-Z][A-Za-z0-9]{{0,10}}\b )
    | (?P<word> [^\W_]+(?:['’][^\W_]+)* )
    | (?P<line> \n )
    | (?P<mark> \S )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UNIT = re.compile(
    rf"[\s-]*(?:(?P<time>{'|'.join(DURATIONS)})s?\b|(?P<pct>%|percent\b|per\s?cent\b|pct\b)"
    r"|(?P<bps>bps\b|basis points?\b)|(?P<eth>eth\b|ethers?\b))",
    re.IGNORECASE,
)
_ONE = re.compile(rf"\b(?:an?|one)\s+(?P<time>{'|'.join(DURATIONS)})\b", re.IGNORECASE)
_ENDS = frozenset(",;.:!?()[]{}/|–—")
_CONTRACTIONS = (
    (re.compile(r"^(?:can['’]?t|cannot)$"), "can not"),
    (re.compile(r"^won['’]t$"), "will not"),
    (re.compile(r"^shan['’]t$"), "shall not"),
    (re.compile(r"^(do|does|did|is|are|was|were|should|would|could|must|need|has|have)n['’]?t$"), r"\1 not"),
    (re.compile(r"^(it|that|he|she|there|what|here|name)['’]s$"), r"\1 is"),
    (re.compile(r"^(i|we|you|they)['’]d$"), r"\1 would"),
    (re.compile(r"^(i|we|you|they)['’]ll$"), r"\1 will"),
    (re.compile(r"^i['’]m$"), "i am"),
    (re.compile(r"^(i|we|you|they)['’](?:ve|re)$"), r"\1 have"),
    (re.compile(r"^let['’]s$"), "let us"),
    (re.compile(r"^(\w+)['’]s?$"), r"\1"),
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a prompt, which is `text[start:end]`.

    Attributes:
        start: Where it begins.
        end: Where it ends.
        word: Its canonical spelling; empty for what asks for nothing, such as an article.
        value: Of an atom.
    """

    start: int
    end: int
    word: str
    value: Any = None

    @property
    def ends_clause(self) -> bool:
        """Whether it is a mark between clauses."""
        return self.word in _ENDS


@dataclass
class Tokens:
    """A prompt's tokens, its canonical text, and which characters of that belong to which token."""

    text: str
    tokens: list[Token]
    canonical: str = ""
    original: str = ""
    corrected: dict[str, str] = field(default_factory=dict)
    _starts: list[int] = field(default_factory=list)
    _places: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lay_out()
        self.original = self.canonical

    def lay_out(self) -> None:
        """Write the canonical text from the tokens."""
        self._starts, self._places, words, length = [], [], [], 0
        for place, token in enumerate(self.tokens):
            if token.word:
                self._starts.append(length)
                self._places.append(place)
                words.append(token.word)
                length += len(token.word) + 1
        self.canonical = " ".join(words)

    def span(self, start: int, end: int) -> range:
        """Return the places of the tokens that `canonical[start:end]` is of, silent ones between them included."""
        first = self._places[bisect_right(self._starts, start) - 1]
        last = self._places[bisect_right(self._starts, max(start, end - 1)) - 1]
        return range(first, last + 1)

    def raw(self, places: range) -> str:
        """Return the prompt's own text of some tokens that follow each other."""
        return self.text[self.tokens[places[0]].start : self.tokens[places[-1]].end]

    def replace(self, places: range, word: str, value: Any = None) -> None:
        """Put one atom in the place of tokens; the others of them become silent."""
        first, last = self.tokens[places[0]], self.tokens[places[-1]]
        self.tokens[places[0]] = Token(first.start, last.end, word, value)
        for place in places[1:]:
            token = self.tokens[place]
            self.tokens[place] = Token(token.start, token.end, "")
        self.lay_out()


def tokenize(text: str) -> Tokens:
    """Split a prompt into tokens.

    Raises:
        ValidationFailedError: An address has a wrong checksum.
    """
    quantities = {quantity.start: quantity for quantity in find_quantities(text)}
    found: list[Token] = []
    corrected: dict[str, str] = {}
    at = 0
    while match := _PATTERN.search(text, at):
        form = str(match.lastgroup)
        quantity = quantities.get(match.start())
        single = _ONE.match(text, match.start()) if form == "word" else None
        if single:
            quantity = Quantity(match.start(), single.start("time") - 1, Fraction(1))
        if quantity and form in ("word", "mark") and quantity.end > match.start():
            token = _amount(text, quantity)
        else:
            token = _plain(match, form, corrected)
        if found and found[-1].word == "<n>" and (scaled := _scaled(found[-1], token)):
            found.pop()
            token = scaled
        elif found and found[-1].word == "first" and token.word in DURATIONS:
            token = Token(token.start, token.end, "<time>", Fraction(DURATIONS[token.word]))
        found.append(token)
        at = token.end
    return Tokens(text, found, corrected=corrected)


def _amount(text: str, quantity: Quantity) -> Token:
    unit = _UNIT.match(text, quantity.end)
    if unit is None:
        return Token(quantity.start, quantity.end, "<n>", quantity.value)
    if unit["time"]:
        return Token(quantity.start, unit.end(), "<time>", quantity.value * DURATIONS[unit["time"].lower()])
    if unit["pct"]:
        return Token(quantity.start, unit.end(), "<pct>", quantity.value)
    if unit["bps"]:
        return Token(quantity.start, unit.end(), "<pct>", quantity.value / 100)
    return Token(quantity.start, unit.end(), "<eth>", quantity.value)


def _scaled(amount: Token, unit: Token) -> Token | None:
    """Return an amount with a unit that was misspelled, as in "2 millon"; None where the word is no unit."""
    singular = unit.word.removesuffix("s")
    if singular in SCALES and len(singular) > 2:
        return Token(amount.start, unit.end, "<n>", amount.value * SCALES[singular])
    if singular in DURATIONS:
        return Token(amount.start, unit.end, "<time>", amount.value * DURATIONS[singular])
    return None


def _plain(match: re.Match[str], form: str, corrected: dict[str, str]) -> Token:
    raw, (start, end) = match[0], match.span()
    match form:
        case "uri":
            uri = raw.rstrip(".,;)")
            return Token(start, start + len(uri), "<uri>", uri)
        case "address":
            address = parse_address(raw, "prompt") if len(raw) == 42 else None
            return Token(start, end, "<address>" if address and int(address, 16) else NO_ADDRESS, address or raw)
        case "quote":
            return Token(start, end, "<quote>", raw[1:-1])
        case "date":
            return Token(start, end, "<date>", raw)
        case "standard":
            return Token(start, end, re.sub(r"[\s_-]", "", raw.lower()).replace("bep20", "erc20"))
        case "ratio":
            numbers = re.split(r"[\s-]*(?:out of|of|/)[\s-]*", raw.lower())
            return Token(start, end, "<ratio>", tuple(find_quantities(part)[0].value for part in numbers))
        case "ticker":
            return Token(start, end, "<ticker>", raw[1:])
        case "word":
            return Token(start, end, _canonical(raw, corrected))
        case "nobody" | "line" | "with":
            without = "without" if len(raw) > 2 else "with"
            return Token(start, end, {"nobody": "nobody", "line": ";"}.get(form, without))
    return Token(start, end, {"&": "and", "+": "and", "=": ":"}.get(raw, raw if raw in _ENDS else ""))


def _canonical(raw: str, corrected: dict[str, str]) -> str:
    word = raw.lower().replace("’", "'")
    for pattern, replacement in _CONTRACTIONS:
        if pattern.match(word):
            word = pattern.sub(replacement, word)
            break
    if word.isalpha() and raw[1:].islower() and len(word) >= 5:
        intended = nearest(word)
        if intended != word:
            corrected[raw] = intended
            word = intended
    if word in SILENT:
        return ""
    return " ".join(SAME.get(part, part) for part in word.split())


def nearest(word: str) -> str:
    """Return the known word that is one edit away, where there is exactly one and the word is no English word."""
    if word in CORRECTABLE or word in NEIGHBOURS:
        return word
    alike = (known for known in CORRECTABLE if known[0] == word[0] and abs(len(known) - len(word)) <= 1)
    near = {known for known in alike if _one_edit(word, known)}
    near = {known for known in near if known[:-1] not in near}
    return near.pop() if len(near) == 1 else word


def _one_edit(word: str, known: str) -> bool:
    """Return whether one letter more, less or other, or two letters swapped, make one word of the other."""
    at = 0
    while at < min(len(word), len(known)) and word[at] == known[at]:
        at += 1
    left, right = word[at:], known[at:]
    swapped = left[:2] == right[1::-1] and left[2:] == right[2:]
    return left[1:] == right[1:] or left[1:] == right or left == right[1:] or (len(left) > 1 and swapped)
