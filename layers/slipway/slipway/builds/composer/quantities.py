"""Quantities in plain English: digits, separators, scales and words.

`1,000,000`, `10M`, `1.5 billion`, `10^9`, `twenty-one million`, `a hundred thousand`, `half a million`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_SMALL_WORDS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen
"""
_SMALL = {word: number for number, word in enumerate(_SMALL_WORDS.split())}
_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * (2 + at) for at, word in enumerate(_TENS_WORDS.split())}
SCALES = {
    **dict.fromkeys(("k", "thousand"), 10**3),
    **dict.fromkeys(("m", "mm", "mn", "mil", "mio", "million", "millions"), 10**6),
    **dict.fromkeys(("b", "bn", "billion", "billions"), 10**9),
    **dict.fromkeys(("t", "tn", "trillion", "trillions"), 10**12),
    **dict.fromkeys(("quadrillion", "quadrillions"), 10**15),
}
_PARTS = {"half": Fraction(1, 2), "quarter": Fraction(1, 4)}

_TOKEN = re.compile(
    r"""
    (?P<power> (?<![\w.,-]) 10 \s* (?:\^|\*\*) \s* (?P<exponent>\d{1,2}) (?![\w^]) )
    | (?P<digits> (?<![\w.,$-])
        (?: \d{1,3}(?:[,_'’]\d{3})+(?:\.\d+)? | \d{1,3}(?:\.\d{3}){2,} | \d{1,3}(?:[ ]\d{3})+(?!\d)
          | \d+(?:\.\d{1,36})? )
        (?:e(?P<e>\d{1,2})\b)? (?P<suffix>k|mm|mn|m|bn|b|tn|t)? (?![\w]|[.,]\d) )
    | (?P<word> [A-Za-z]+ )
    | (?P<gap> \s+ | - )
    | (?P<other> . )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and where it stands in the text (`text[start:end]`)."""

    start: int
    end: int
    value: Fraction


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    word: str
    value: Fraction | None
    joined: bool
    """Whether nothing but a space or a hyphen is between this token and the one before it."""


def _digits(text: str, exponent: str | None, suffix: str | None) -> Fraction:
    plain = re.sub(r"[,_'’ ]", "", text)
    if plain.count(".") > 1:
        plain = plain.replace(".", "")
    factor: int = 10 ** int(exponent or 0) * SCALES.get((suffix or "").lower(), 1)
    return Fraction(plain) * factor


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    joined = False
    for match in _TOKEN.finditer(text):
        if match["gap"]:
            follows = joined or bool(found and found[-1].end == match.start())
            joined = follows and not match["gap"].strip("- ")
            continue
        touching = bool(found and found[-1].end == match.start())
        value = None
        if match["power"]:
            value = Fraction(10 ** int(match["exponent"]))
        elif match["digits"]:
            body = match["digits"]
            tail = len(match["suffix"] or "") + (len(match["e"]) + 1 if match["e"] else 0)
            value = _digits(body[: len(body) - tail], match["e"], match["suffix"])
        word = "" if match["other"] else (match["word"] or "").lower()
        found.append(_Token(match.start(), match.end(), word, value, joined or touching))
        joined = False
    return found


class _Reader:
    """Reads one quantity from a run of tokens."""

    def __init__(self, tokens: list[_Token], at: int) -> None:
        self.tokens = tokens
        self.at = at
        self.groups: list[Fraction] = []
        self.current: Fraction | None = None
        self.ceiling: int | None = None
        self.after_scale = False
        self.digital = False

    def _word(self, ahead: int = 0) -> str:
        place = self.at + ahead
        if place >= len(self.tokens) or (ahead and not self.tokens[place].joined):
            return ""
        return self.tokens[place].word

    def read(self) -> Quantity | None:
        """Read the quantity that starts at the token, and move `at` behind it; None if none starts there."""
        start = self.at
        if self._word() in ("a", "an") and self._word(1) in (*SCALES, "hundred") and len(self._word(1)) > 2:
            self.current = Fraction(1)
            self.at += 1
        elif self._word() in _PARTS:
            return self._part(start)
        while self.at < len(self.tokens) and (self.at == start or self.tokens[self.at].joined) and self._step():
            pass
        if self.current is None and not self.groups:
            return None
        return self._quantity(start)

    def _quantity(self, start: int) -> Quantity:
        total = sum(self.groups, Fraction(0)) + (self.current or 0)
        return Quantity(self.tokens[start].start, self.tokens[self.at - 1].end, total)

    def _part(self, start: int) -> Quantity | None:
        """Read `half a million`, `quarter of a billion`."""
        ahead = 1
        while self._word(ahead) in ("of", "a", "an"):
            ahead += 1
        scale = SCALES.get(self._word(ahead), 0) if len(self._word(ahead)) > 2 else 0
        if not scale:
            return None
        self.groups = [_PARTS[self._word()] * scale]
        self.at += ahead + 1
        return self._quantity(start)

    def _step(self) -> bool:
        token = self.tokens[self.at]
        if token.value is not None:
            taken = self._number(token.value, digital=True)
        elif token.word in _SMALL:
            taken = self._number(Fraction(_SMALL[token.word]), digital=False)
        elif token.word in _TENS:
            taken = self._number(Fraction(_TENS[token.word]), digital=False)
        elif token.word == "hundred":
            taken = self._hundred()
        elif token.word in SCALES and (len(token.word) > 1 or self.tokens[self.at - 1].end == token.start):
            taken = self._scale(SCALES[token.word])
        elif token.word == "point":
            return self._decimal_words()
        elif token.word == "and":
            return self._joint()
        else:
            return False
        if taken:
            self.at += 1
        return taken

    def _number(self, value: Fraction, *, digital: bool) -> bool:
        if self.groups and digital and self._word(1) not in SCALES:
            return False
        if self.current is None:
            if self.ceiling is not None and value >= self.ceiling:
                return False
            self.current, self.digital = value, digital
        elif not digital and not self.digital and self._extends(value):
            self.current += value
        else:
            return False
        self.after_scale = False
        return True

    def _extends(self, value: Fraction) -> bool:
        current = self.current or Fraction(0)
        if current % 100 == 0:
            return 0 < value < 100 and current >= 100
        return 0 < value < 10 and current % 10 == 0 and current % 100 >= 20

    def _hundred(self) -> bool:
        if self.current is None or not 0 < self.current < 100:
            return False
        self.current *= 100
        return True

    def _scale(self, scale: int) -> bool:
        if self.current is not None and (self.ceiling is None or scale < self.ceiling):
            self.groups.append(self.current * scale)
            self.ceiling = scale
            self.current = None
        elif self.after_scale and self.current is None:
            self.groups[-1] *= scale
        else:
            return False
        self.after_scale = True
        return True

    def _decimal_words(self) -> bool:
        digits = ""
        while self._word(1 + len(digits)) in _SMALL and _SMALL[self._word(1 + len(digits))] < 10:
            digits += str(_SMALL[self._word(1 + len(digits))])
        if not digits or self.current is None or self.digital or self.current.denominator != 1:
            return False
        self.current += Fraction(int(digits), 10 ** len(digits))
        self.digital = True
        self.at += 1 + len(digits)
        return True

    def _joint(self) -> bool:
        """Read `two and a half million`, `one hundred and five`, `a thousand and one`."""
        if self.current is not None and self._word(1) in ("a", "one") and self._word(2) == "half":
            self.current += Fraction(1, 2)
            self.digital = True
            self.at += 3
            return True
        following = _SMALL.get(self._word(1), _TENS.get(self._word(1), 0))
        hundreds = self.current is not None and not self.digital and self.current >= 100
        if not following or not (hundreds or self.after_scale):
            return False
        self.at += 1
        return True


def find_quantities(text: str) -> list[Quantity]:
    """Find the quantities of a text.

    A number that is part of a word (`ERC-20`, `v2`) is none, nor is a negative one.

    Returns:
        In order of the text, without overlaps.
    """
    tokens = _tokens(text)
    found: list[Quantity] = []
    at = 0
    while at < len(tokens):
        reader = _Reader(tokens, at)
        quantity = reader.read()
        if quantity is None:
            at += 1
        else:
            found.append(quantity)
            at = reader.at
    return found


def parse_quantity(text: str) -> Fraction | None:
    """Read a text that is a number as a whole; None if it is none."""
    stripped = text.strip()
    match find_quantities(stripped):
        case [Quantity(start=0, end=end, value=value)] if end == len(stripped):
            return value
    return None
