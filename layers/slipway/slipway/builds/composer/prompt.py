"""Reads a prompt: which contract, and with what. What it did not understand is kept as such.

The reader takes one thing after another out of the text, in an order that keeps names from being read as features.
What is left at the end, apart from filler words, was not understood and is reported to the caller.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from fractions import Fraction

from slipway.addresses import parse_address
from slipway.builds.composer.options import MAX_DECIMALS, MAX_NAME, MAX_SECONDS, MAX_SYMBOL
from slipway.builds.composer.quantities import Quantity, find_quantities
from slipway.builds.composer.vocabulary import (
    DURATIONS,
    FEATURES,
    FILLERS,
    KINDS,
    NAME_ENDS,
    UNSUPPORTED_FEATURES,
    UNSUPPORTED_KINDS,
)
from slipway.builds.models import Kind, NotHonoured

TAKEN = "\x1f"
"""Stands in the rest of a prompt where something was taken out of it."""


@dataclass
class Reading:
    """What a prompt asks for. None and empty where it says nothing.

    `supply` and `cap` are in whole tokens, times in seconds, `royalty` in percent. `features` says of each feature
    that is mentioned whether it is wanted; `words` how it was worded.
    """

    kind: Kind | None = None
    unsupported_kind: str | None = None
    other_kinds: list[tuple[Kind, str]] = field(default_factory=list)
    name: str | None = None
    symbol: str | None = None
    decimals: int | None = None
    supply: Fraction | None = None
    cap: Fraction | None = None
    royalty: Fraction | None = None
    base_uri: str | None = None
    features: dict[str, bool] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, list[str]] = field(default_factory=dict)
    cliff: int | None = None
    duration: int | None = None
    delay: int | None = None
    threshold: int | None = None
    signer_count: int | None = None
    fixed: bool = False
    not_honoured: list[NotHonoured] = field(default_factory=list)

    def refuse(self, text: str, reason: str) -> None:
        """Record once that something can't be honoured."""
        entry = NotHonoured(text=" ".join(text.replace(TAKEN, " ").split())[:200], reason=reason)
        if entry.text and entry not in self.not_honoured:
            self.not_honoured.append(entry)


class _Text:
    """A prompt, and the rest of it: equally long, with marks where something was taken out."""

    def __init__(self, text: str) -> None:
        self.whole = text
        self.rest = text

    def take(self, start: int, end: int) -> None:
        self.rest = self.rest[:start] + TAKEN * (end - start) + self.rest[end:]

    def find(self, pattern: str, flags: re.RegexFlag = re.IGNORECASE) -> list[re.Match[str]]:
        return list(re.finditer(pattern, self.rest, flags))


def read_prompt(prompt: str, *, kind: Kind | None = None) -> Reading:
    """Read a prompt; ``kind`` is what to make where the caller has named it apart from the prompt.

    Returns:
        What it asks for; `kind` is None when it names none.

    Raises:
        ValidationFailedError: An address has a wrong checksum.
    """
    reading = Reading()
    text = _Text(_visible(prompt, reading))
    _read_addresses(text, reading)
    _read_uri(text, reading)
    _read_symbol(text, reading)
    _read_name(text, reading)
    _read_bracketed_symbol(text, reading)
    _read_unsupported(text, reading)
    _read_kind(text, reading, kind)
    _read_threshold(text, reading)
    _read_times(text, reading)
    _read_royalty(text, reading)
    _read_decimals(text, reading)
    _read_amounts(text, reading)
    _read_features(text, reading)
    _read_bare_name(text, reading)
    _read_rest(text, reading)
    return reading


def _visible(prompt: str, reading: Reading) -> str:
    """Replace what can't be seen, except line ends, by spaces."""
    composed = unicodedata.normalize("NFC", prompt.encode("utf-8", "replace").decode())
    shown = "".join(
        character if character.isprintable() or character == "\n" else " " for character in composed.replace("\t", " ")
    )
    if shown != composed.replace("\t", " ").replace("\r", " "):
        reading.refuse("control or invisible characters", "They were read as spaces.")
    return shown


# ── Names ───────────────────────────────────────────────────────────────────────────────────────

_QUOTED = r"(?:\"([^\"\n]*)\"|“([^”\n]*)”|'([^'\n]*)'|‘([^’\n]*)’|`([^`\n]*)`|«([^»\n]*)»)"
_NAMING = (
    r"\b(?:(?:is |be )?(?:called|named|titled|dubbed)"
    r"|(?:the |its |with |a |token |and )*name(?:\s+(?:is|of|it))?|call it)"
)
_WORD = r"[^\s\x1f\"“”‘`«»,;:()\[\]{}<>!?/\\|]+"


def _first(match: re.Match[str], groups: range) -> str:
    return next((match[group] for group in groups if match[group] is not None), "")


def _keep_name(reading: Reading, name: str) -> None:
    name = " ".join(name.split())
    if 0 < len(name) <= MAX_NAME:
        reading.name = name
    else:
        reading.refuse(f"name {name}", f"A name has 1 to {MAX_NAME} characters.")


def _read_name(text: _Text, reading: Reading) -> None:
    quoted = text.find(_NAMING + r"\s*[:=]?\s*" + _QUOTED) or text.find(
        r"(?:(?<=token )|(?<=coin )|(?<=collection )|(?<=nft )|(?<=nfts )|(?<=contract ))" + _QUOTED
    )
    if quoted:
        text.take(*quoted[0].span())
        _keep_name(reading, _first(quoted[0], range(1, 7)))
        return
    plain = text.find(
        rf"{_NAMING}\s*[:=]?\s+((?!(?-i:{NAME_ENDS})\b){_WORD}(?:[ ]+(?!(?-i:{NAME_ENDS})\b){_WORD}){{0,5}})"
    )
    if plain:
        match = plain[0]
        end = _before_amount(text, match.start(1), match.end(1))
        name = re.sub(r"[.'’]+$|'s$|’s$", "", _proper(_one_sentence(text.rest[match.start(1) : end])).rstrip())
        text.take(match.start(), match.start(1) + len(name))
        _keep_name(reading, name)


def _one_sentence(name: str) -> str:
    """Return what is before a full stop that ends a sentence."""
    return re.split(r"\.\s", name, maxsplit=1)[0]


def _proper(name: str) -> str:
    """Return the capitalised words that a name begins with; the whole name if it begins with a small letter."""
    capital = re.match(r"[A-Z]\S*(?:[ ]+[^a-z\s]\S*)*", name)
    return capital[0] if capital else name


def _before_amount(text: _Text, start: int, end: int) -> int:
    """Return where a name that runs into an amount ends: "called Gold 10 million supply"."""
    for quantity in find_quantities(text.rest):
        if start < quantity.start < end:
            unit = re.match(r"\s*(?:tokens?|coins?|units?|supply|total|initial|decimals?|%)", text.rest[quantity.end :])
            if unit or quantity.value >= 10_000:
                return quantity.start
    return end


def _read_bare_name(text: _Text, reading: Reading) -> None:
    """Read "Create the HyperKit token": a capitalised word before what it is, when no name was given otherwise."""
    if reading.name is not None:
        return
    article = r"\b(?i:a|an|the|my|our|new|launch|create|deploy|make|mint)\s+"
    for match in text.find(article + r"((?:[A-Z][A-Za-z0-9]*\s+){1,4})\s*[\x1f]", re.NOFLAG):
        words = [word for word in match[1].split() if word.lower() not in FILLERS]
        if words and len(words) == len(match[1].split()):
            text.take(*match.span(1))
            _keep_name(reading, " ".join(words))
            return


def _keep_symbol(reading: Reading, symbol: str) -> None:
    symbol = symbol.strip().removeprefix("$").rstrip(".")
    if 0 < len(symbol) <= MAX_SYMBOL and not re.search(r"\s", symbol):
        reading.symbol = symbol
    else:
        reading.refuse(f"symbol {symbol}", f"A symbol has 1 to {MAX_SYMBOL} characters and no spaces.")


def _read_symbol(text: _Text, reading: Reading) -> None:
    naming = (
        r"\b(?:(?:token |the |its |a |and |with )*(?:symbol|ticker)"
        r"(?:\s+symbol)?(?:\s+(?:is|of|as|called|named|should be|will be))?)\s*[:=]?\s*"
    )
    quoted = text.find(naming + _QUOTED)
    if quoted:
        text.take(*quoted[0].span())
        _keep_symbol(reading, _first(quoted[0], range(1, 7)))
        return
    plain = text.find(naming + rf"\(?((?!(?-i:{NAME_ENDS})\b){_WORD})\)?")
    if plain:
        text.take(*plain[0].span())
        _keep_symbol(reading, plain[0][1])


def _read_bracketed_symbol(text: _Text, reading: Reading) -> None:
    """Read "HyperKit (HKT)" and "$HKT"."""
    if reading.symbol is not None:
        return
    for match in text.find(r"\(\s*\$?([A-Z][A-Z0-9]{1,10})\s*\)|(?<![\w$])\$([A-Z][A-Z0-9]{1,10})\b", re.NOFLAG):
        symbol = match[1] or match[2]
        if not re.fullmatch(r"ERC\d+|NFTS?|EIP\d+|UUPS|ETH|DAO", symbol):
            _bracketed_name(text, reading, match.start())
            text.take(*match.span())
            reading.symbol = symbol
            return


def _bracketed_name(text: _Text, reading: Reading, end: int) -> None:
    """Read the capitalised words right before a bracketed symbol, when no name was given otherwise."""
    before = re.search(r"((?:[A-Z][A-Za-z0-9]*[ ]+){1,4})$", text.rest[:end])
    if reading.name is None and before:
        words = before[1].split()
        while words and (words[0].lower() in FILLERS or re.fullmatch(r"ERC\d*", words[0])):
            words.pop(0)
        if words:
            text.take(end - len(before[1]) + before[1].index(words[0]), end)
            _keep_name(reading, " ".join(words))


# ── Addresses and URIs ──────────────────────────────────────────────────────────────────────────

_ROLES = {
    "beneficiary": (
        r"beneficiar(?:y|ies)|recipient|employee|payee|grantee"
        r"|(?:vest|releas|unlock)(?:e|es|ed|ing|s)?(?: \w+){0,3} (?:to|for)"
    ),
    "owner": r"owner|owned by|own(?:s|ership)?|admin(?:istrator)?|arbiter|arbitrator|treasury|mediator",
    "signer": r"signers?|signator(?:y|ies)|approvers?|members?|owners|co-?owners|participants?|guardians?",
}


def _read_addresses(text: _Text, reading: Reading) -> None:
    before = 0
    role = None
    for match in text.find(r"\b0x[0-9a-f]+\b"):
        address = match[0]
        if len(address) == 42:
            address = parse_address(address, "prompt")
        lead = text.rest[max(before, match.start() - 60) : match.start()]
        role = _role(lead) or role
        text.take(*match.span())
        if len(address) != 42 or int(address, 16) == 0:
            reading.refuse(match[0], "It is no address that can hold something.")
        elif role is None:
            reading.refuse(match[0], "The prompt does not say what the address is for.")
        else:
            reading.addresses.setdefault(role, []).append(address)
            spot = list(re.finditer(rf"\b(?:{_ROLES[role]})\b", lead, re.IGNORECASE))
            # "Vesting for 0x…" names the kind as well, which is read later.
            if spot and "vest" not in spot[-1][0].lower():
                text.take(match.start() - len(lead) + spot[-1].start(), match.start() - len(lead) + spot[-1].end())
        before = match.end()


def _role(lead: str) -> str | None:
    """Return the role that is named last before an address; a plural of owners means the signers."""
    best: tuple[int, str] | None = None
    for role, pattern in _ROLES.items():
        for match in re.finditer(rf"\b(?:{pattern})\b", lead, re.IGNORECASE):
            named = "signer" if re.fullmatch(r"(?:co-?)?owners", match[0], re.IGNORECASE) else role
            if best is None or match.end() >= best[0]:
                best = (match.end(), named)
    return best[1] if best else None


def _read_uri(text: _Text, reading: Reading) -> None:
    for match in text.find(
        r"(?:\b(?:base|metadata|token)?[ -]*(?:uri|url|metadata)s?\s*(?:is|at|of|on|from|:|=)?\s*)?[\"'“]?"
        r"((?:ipfs|https?|ar)://[^\s\"'“”<>\x1f]{1,240})[\"'”]?"
    ):
        text.take(*match.span())
        uri = match[1].rstrip(".,;)")
        if reading.base_uri is None:
            reading.base_uri = uri
        else:
            reading.refuse(uri, "Only one base address for metadata can be set.")


# ── Kinds ───────────────────────────────────────────────────────────────────────────────────────


def _read_unsupported(text: _Text, reading: Reading) -> None:
    for pattern, reason in UNSUPPORTED_FEATURES:
        for match in text.find(pattern):
            denied = re.search(
                r"\b(?:no|not|non|without|never|nor)[\s-]+(?:be\s+|any\s+|an?\s+)*$", text.rest[: match.start()], re.I
            )
            if not denied:
                reading.refuse(match[0], reason)
                text.take(*match.span())
            else:
                text.take(denied.start(), match.end())


@dataclass
class _Mention:
    start: int
    end: int
    kind: Kind | None
    words: str
    weak: bool


def _mentions(text: _Text) -> list[_Mention]:
    found: list[_Mention] = []
    for kind, pattern, weak in KINDS:
        found += [_Mention(*match.span(), kind, match[0], weak) for match in text.find(pattern)]
    found += [_Mention(*match.span(), None, match[0], False) for match in text.find(UNSUPPORTED_KINDS)]
    found.sort(key=lambda mention: (mention.start, -mention.end))
    kept: list[_Mention] = []
    for mention in found:
        if not kept or mention.start >= kept[-1].end:
            kept.append(mention)
    return kept


def _read_kind(text: _Text, reading: Reading, given: Kind | None) -> None:
    """Read the kind of the thing asked for: the last of the first run of kinds ("ERC-20 vesting contract" is a
    vesting)."""
    mentions = _mentions(text)
    strong = [mention for mention in mentions if not mention.weak]
    numbered = {mention.kind for mention in mentions if re.search(r"1155|721|20$", mention.words)}
    for mention in mentions:
        text.take(mention.start, mention.end)
    head = _head(text, [mention for mention in mentions if not mention.weak], numbered) if strong else None
    if mentions and (head is None or (head.kind is None and not _adjacent(text, mentions[0], head))):
        head = mentions[0]
    if head is not None:
        reading.kind, reading.unsupported_kind = head.kind, None if head.kind else head.words
    if given is not None:
        reading.kind, reading.unsupported_kind = given, None
    for mention in strong:
        if mention.kind is None and (given or mention is not head):
            reading.refuse(mention.words, "The composer makes no such contract; a build is one contract.")
        elif mention.kind is not None and mention.kind != reading.kind:
            reading.other_kinds.append((mention.kind, mention.words))


_RUN = re.compile(r"[\s-]*(?:(?:linear|token|team|payments?|based|assets?)[\s-]*)*", re.IGNORECASE)


def _adjacent(text: _Text, first: _Mention, second: _Mention) -> bool:
    """Return whether two kinds are parts of one expression, as in "token staking contract"."""
    return _RUN.fullmatch(text.rest[first.end : second.start].replace(TAKEN, "")) is not None


def _head(text: _Text, strong: list[_Mention], numbered: set[Kind | None]) -> _Mention:
    at = 0
    while at + 1 < len(strong):
        run = _adjacent(text, strong[at], strong[at + 1])
        if not run or (strong[at].kind in numbered and strong[at + 1].kind in ("erc721", "erc1155", "erc20")):
            break
        at += 1
    head = strong[at]
    # "NFT collection (ERC-1155)": the standard's number says it better than the word.
    exact = [mention for mention in strong if mention.kind in numbered and re.search(r"\d$", mention.words)]
    if exact and head.kind in ("erc20", "erc721", "erc1155") and not re.search(r"\d$", head.words):
        head = exact[0]
    return head


# ── Numbers ─────────────────────────────────────────────────────────────────────────────────────


def _read_threshold(text: _Text, reading: Reading) -> None:
    number = r"(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)"
    for match in text.find(rf"\b{number}[\s-]*(?:of|out of|/)[\s-]*{number}\b(?:\s+(?:signers?|signatures?|owners?))?"):
        counts = [find_quantities(match[group])[0].value for group in (1, 2)]
        text.take(*match.span())
        if reading.threshold is None and 1 <= counts[0] <= counts[1]:
            reading.threshold, reading.signer_count = int(counts[0]), int(counts[1])
            reading.words["threshold"] = match[0]
        else:
            reading.refuse(match[0], "There is one threshold, and it is not over the number of signers.")


def _quantity_at(text: _Text, quantities: list[Quantity], pattern: str) -> list[tuple[Quantity, int, re.Match[str]]]:
    """Return the quantities that a pattern follows."""
    found = []
    for quantity in quantities:
        match = re.compile(pattern, re.IGNORECASE).match(text.rest, quantity.end)
        if match:
            found.append((quantity, match.end(), match))
    return found


def _read_times(text: _Text, reading: Reading) -> None:
    units = "|".join(DURATIONS)
    found = _quantity_at(text, find_quantities(text.rest), rf"[\s-]*({units})s?\b")
    found += [
        (Quantity(match.start(), match.start(), Fraction(1)), match.end(), match)
        for match in text.find(rf"\b(?:an?|one)\s+({units})\b")
        if all(match.start() != quantity.start for quantity, _, _ in found)
    ]
    for quantity, end, match in sorted(found, key=lambda entry: entry[0].start):
        seconds = quantity.value * DURATIONS[match[1].lower()]
        around = (text.rest[max(0, quantity.start - 40) : quantity.start], text.rest[end : end + 40])
        words = text.rest[quantity.start : end]
        slot = _time_slot(*around, reading)
        text.take(quantity.start, end)
        if slot is None or getattr(reading, slot) is not None:
            reading.refuse(words, "The composer does not know what this time is for.")
        elif seconds.denominator != 1 or seconds > MAX_SECONDS:
            reading.refuse(words, "A time is a whole number of seconds, and at most 100 years.")
        else:
            setattr(reading, slot, int(seconds))


def _time_slot(before: str, after: str, reading: Reading) -> str | None:
    before, after = re.split(r"[,;.]|\band\b|\bwith\b", before)[-1].lower(), after.lower()
    if reading.kind == "timelock":
        return "delay"
    if reading.kind != "vesting":
        return None
    if re.match(r"[\s-]*cliff", after) or (re.search(r"cliff(?: (?:period )?(?:of|is|at))?[\s:]*$", before)):
        return "cliff"
    if re.search(r"start|begin|after\s*$", before):
        return None
    return "duration" if reading.duration is None else "cliff" if "cliff" in after + before else None


def _read_royalty(text: _Text, reading: Reading) -> None:
    for quantity, end, _ in _quantity_at(text, find_quantities(text.rest), r"\s*(?:%|percent\b|per cent\b)"):
        before, after = text.rest[max(0, quantity.start - 40) : quantity.start], text.rest[end : end + 40]
        lead = re.search(r"royalt(?:y|ies)(?: fees?)?(?: (?:is|are|of|at|set to|set at|to))*[\s:=]*$", before, re.I)
        tail = re.match(r"[\s-]*(?:(?:creator|secondary|sales?|resale|of|in|as)[\s-]+)*royalt(?:y|ies)", after, re.I)
        if lead or tail:
            start = quantity.start - (len(before) - lead.start() if lead else 0)
            end = end + (tail.end() if tail and not lead else 0)
            reading.words["royalty"] = text.rest[start:end]
            reading.features["royalty"] = True
            reading.royalty = quantity.value
            text.take(start, end)
            return


def _read_decimals(text: _Text, reading: Reading) -> None:
    quantities = find_quantities(text.rest)
    for quantity, end, _ in _quantity_at(text, quantities, r"[\s-]*decimals?(?:\s+(?:places|digits|points))?\b"):
        _keep_decimals(text, reading, quantity.start, end, quantity.value)
        return
    for match in text.find(r"\bno decimals?\b"):
        _keep_decimals(text, reading, *match.span(), Fraction(0))
        return
    for quantity in quantities:
        lead = re.search(
            r"decimals?(?: places)?(?: (?:is|are|of|at|set to|to|be))*[\s:=]*$", text.rest[: quantity.start], re.I
        )
        if lead:
            _keep_decimals(text, reading, lead.start(), quantity.end, quantity.value)
            return


def _keep_decimals(text: _Text, reading: Reading, start: int, end: int, value: Fraction) -> None:
    reading.words["decimals"] = text.rest[start:end]
    if value.denominator == 1 and value <= MAX_DECIMALS:
        reading.decimals = int(value)
    else:
        reading.refuse(text.rest[start:end], f"A token has 0 to {MAX_DECIMALS} decimals.")
    text.take(start, end)


_UNITS = r"tokens?|coins?|units?|nfts?|items?|pieces?|editions?|collectibles?|copies"
_LIMIT = (
    r"(?:\b(?:hard[ -]?)?cap(?:ped)?|\bmax(?:imum|imal)?(?:[ -]total)?(?:[ -]supply)?|\blimit(?:ed)?|\bup to|\bat most"
    r"|\bno more than|\bnever (?:more|exceeds?)(?: than)?|\bceiling)"
    r"(?:[ -](?:total|supply|edition|mint|minting|issuance|it|is|are|at|of|to|be|the|a|amount|size|number"
    rf"|{_UNITS}))*[\s:=]*$"
)
_SUPPLY = (
    r"(?:\bsupply|\bpre-?mint(?:ed|s|ing)?|\bmint(?:ed|s|ing)?|\bissu(?:e|es|ed|ing)|\bcreate|\bcollection of"
    r"|\bfixed at)(?:[ -](?:is|are|of|at|to|be|the|set|equal|fixed|initially|exactly|me|owner|caller|deployer"
    r"|a total of|total|supply))*[\s:=]*$"
)


def _read_amounts(text: _Text, reading: Reading) -> None:
    for quantity in find_quantities(text.rest):
        before = text.rest[max(0, quantity.start - 60) : quantity.start]
        after = text.rest[quantity.end : quantity.end + 60]
        limit_tail = re.match(
            rf"[\s-]*(?:{_UNITS})?[\s\x1f-]*(?:as (?:a|the) )?(?:hard[ -]?cap|cap|max(?:imum)?(?: supply)?|limit)\b",
            after,
            re.I,
        )
        units = re.match(
            rf"(?:[\s\x1f-]*(?:of|initial|initially|total|fixed|max|{_UNITS}|supply|pre-?minted)\b)+", after, re.I
        )
        limit = re.search(_LIMIT, before, re.I)
        lead = limit or re.search(_SUPPLY, before, re.I)
        if not (limit_tail or units or lead or after.startswith((TAKEN, " " + TAKEN))):
            continue
        slot = "cap" if limit or limit_tail else "supply"
        if slot == "supply" and "fixed" in (before + after).lower():
            reading.fixed = True
        start = quantity.start - (len(before) - lead.start() if lead else 0)
        end = quantity.end + max((match.end() for match in (limit_tail, units) if match), default=0)
        words = text.rest[start:end]
        if getattr(reading, slot) is None:
            setattr(reading, slot, quantity.value)
            reading.words[slot] = words
        else:
            reading.refuse(words, f"The prompt gives more than one {slot}.")
        text.take(start, end)


# ── Features and the rest ───────────────────────────────────────────────────────────────────────

_STEMS = r"(?:(?:mint|burn|paus|permit|vot|cap|upgrad|snapshot|royalt|own|role|enumer)\w*)"
_DENIED = re.compile(
    r"(?:\b(?:no|not|non|without|never|neither|nor|cannot|can't|can’t|isn't|isn’t|aren't|disable[ds]?)\b|n't)"
    rf"(?:[\s,-]+(?:be|any|an|a|further|more|additional|new|or|nor|and|to|it|the|{_STEMS}))*[\s,-]*$",
    re.IGNORECASE,
)


def _read_features(text: _Text, reading: Reading) -> None:
    seen: list[tuple[int, int]] = []
    for feature, pattern in FEATURES.items():
        for match in text.find(pattern):
            wanted = not _DENIED.search(text.rest[: match.start()])
            seen.append(match.span())
            if feature == "fixed":
                reading.fixed = reading.fixed or wanted
                continue
            if feature not in reading.features or not wanted:
                reading.features[feature] = wanted
                reading.words.setdefault(feature, match[0])
    for start, end in seen:
        text.take(start, end)


def _read_rest(text: _Text, reading: Reading) -> None:
    """Refuse what is left of each clause apart from filler words: it was not understood."""
    pieces = re.finditer(r"(?:[^.,;:!?\n\x1f]|[.,:](?=\S))+", text.rest)
    for piece in pieces:
        words = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*|[^\w\s]+", piece[0])
        left = [word for word in words if word.lower() not in FILLERS and re.search(r"\w", word)]
        if left:
            reading.refuse(_trimmed(piece[0]), "The composer did not understand this part.")


def _trimmed(piece: str) -> str:
    words = piece.split()
    while words and words[0].lower() in ("and", "with", "that", "which", "a", "the", "an"):
        words.pop(0)
    return " ".join(words)
