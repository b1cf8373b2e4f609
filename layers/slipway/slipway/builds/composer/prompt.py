"""Reads a prompt: which contract, and with what. Every word is accounted for.

Names, addresses and the kind are read first, then the phrases that kinds declare (`slipway.builds.composer.phrases`).
What no phrase covers, apart from a short closed list of stop words, was not understood and is reported to the caller.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

from slipway.builds.composer.kinds import BLUEPRINTS
from slipway.builds.composer.languages import language_of
from slipway.builds.composer.options import MAX_DECIMALS, MAX_NAME, MAX_SYMBOL
from slipway.builds.composer.parsed_prompt import ParsedPrompt
from slipway.builds.composer.phrases import READ, Found, Lexicon, drop_ambiguous, is_unread
from slipway.builds.composer.tokens import NO_ADDRESS, Token, Tokens, tokenize
from slipway.builds.composer.vocabulary import KINDS, SHARED, UNSUPPORTED, UNSUPPORTED_KINDS
from slipway.builds.composer.words import CORRECTABLE, JOINTS, LEADING, NAME_ENDS, STOP_WORDS
from slipway.builds.models import Kind

NOT_READ = "The prompt seems to be in "
NOT_UNDERSTOOD = "The composer did not understand this part."
_MAX_CONTRACTS = 20


def read_prompt(prompt: str, *, kind: Kind | None = None) -> ParsedPrompt:
    """Read a prompt; ``kind`` is what to make where the caller has named it apart from the prompt.

    Returns:
        What it asks for; `kind` is None when it names none.

    Raises:
        ValidationFailedError: An address has a wrong checksum.
    """
    parsed = ParsedPrompt()
    text = _visible(prompt, parsed)
    tokens = tokenize(text)
    _read_symbol(tokens, parsed)
    _read_name(tokens, parsed)
    _read_bracketed_symbol(tokens, parsed)
    covered = _read_kind(tokens, parsed, kind)
    _read_bare_name(tokens, parsed)
    _read_bracketed_symbol(tokens, parsed)
    _mark_names(tokens, parsed)
    if language := language_of(text):
        parsed.refuse(prompt, f"{NOT_READ}{language}, which is not read; write it in English.")
        return parsed
    found = drop_ambiguous(tokens, _lexicon().find(tokens, parsed.kind))
    covered |= {place for entry in found for place in entry.places}
    _apply(tokens, parsed, found)
    parsed.corrected = tokens.corrected
    _refuse_unread(tokens, parsed, covered)
    return parsed


@cache
def _lexicon() -> Lexicon:
    own = [
        replace(phrase_set, kinds=frozenset({kind}))
        for kind, blueprint in BLUEPRINTS.items()
        for phrase_set in blueprint.phrases
    ]
    return Lexicon([*own, *SHARED, *UNSUPPORTED])


def _visible(prompt: str, parsed: ParsedPrompt) -> str:
    """Replace what can't be seen, except line ends, by spaces."""
    composed = unicodedata.normalize("NFC", prompt.encode("utf-8", "replace").decode())
    shown = "".join(
        character if character.isprintable() or character == "\n" else " " for character in composed.replace("\t", " ")
    )
    if shown != composed.replace("\t", " ").replace("\r", " "):
        parsed.refuse("control or invisible characters", "They were read as spaces.")
    return shown


# ── Names ───────────────────────────────────────────────────────────────────────────────────────

_NAMING = re.compile(
    r"(?<!\S)(?:(?:is |be |it |them )?(?:called|named|titled|dubbed)(?: as)?"
    r"|(?:(?:my|our|with|and) )*name(?: of (?:token|coin|collection|contract|it))?(?: (?:is|should be"
    r"|will be|shall be|it|of|be))?"
    r"|call (?:it|them|this)|(?<=token )(?=: )|(?<=coin )(?=: )|(?<=collection )(?=: ))(?: ?:)?(?!\S)"
)
_SYMBOLS = re.compile(
    r"(?<!\S)(?:(?:with|and) )*(?:symbol|ticker)(?: symbol)?(?: (?:is|of|as|called|named|should be|will be"
    r"|be))*(?: :)?(?!\S)"
)
_STOP = re.compile(NAME_ENDS)
_KNOWN = CORRECTABLE | STOP_WORDS


def _keep_name(parsed: ParsedPrompt, name: str) -> None:
    name = " ".join(name.split())
    if 0 < len(name) <= MAX_NAME:
        parsed.name = name
    else:
        parsed.refuse(f"name {name}", f"A name has 1 to {MAX_NAME} characters.")


def _keep_symbol(parsed: ParsedPrompt, symbol: str) -> None:
    symbol = symbol.strip().removeprefix("$").rstrip(".")
    if 0 < len(symbol) <= MAX_SYMBOL and not re.search(r"\s", symbol):
        parsed.symbol = symbol
    else:
        parsed.refuse(f"symbol {symbol}", f"A symbol has 1 to {MAX_SYMBOL} characters and no spaces.")


def _after(tokens: Tokens, match: re.Match[str]) -> tuple[range, int]:
    """Return the tokens of a naming phrase, and the place of the first one behind it that may be the name."""
    places = tokens.span(*match.span())
    at = places.stop
    while at < len(tokens.tokens) and tokens.tokens[at].word in ("(", ":"):
        at += 1
    return places, at


def _read_symbol(tokens: Tokens, parsed: ParsedPrompt) -> None:
    for match in _SYMBOLS.finditer(tokens.canonical):
        places, at = _after(tokens, match)
        token = tokens.tokens[at] if at < len(tokens.tokens) else None
        if token is None or token.ends_clause:
            continue
        if token.word in ("<quote>", "<ticker>"):
            symbol, end = str(token.value), at + 1
        else:
            symbol, end = _run(tokens, at)
            if _STOP.fullmatch(symbol) or not symbol:
                continue
        tokens.replace(range(places.start, end), "<symbol>", symbol)
        _keep_symbol(parsed, symbol)
        return


def _run(tokens: Tokens, at: int) -> tuple[str, int]:
    """Return the text from a token to the next space or mark, and the place behind it."""
    end = at + 1
    while end < len(tokens.tokens) and tokens.tokens[end].start == tokens.tokens[end - 1].end:
        if tokens.tokens[end].ends_clause and tokens.tokens[end].word not in "/.":
            break
        if tokens.tokens[end].word in ("/", ".") and not _touches(tokens, end + 1):
            break
        end += 1
    return tokens.raw(range(at, end)), end


def _touches(tokens: Tokens, at: int) -> bool:
    return (
        at < len(tokens.tokens)
        and tokens.tokens[at].start == tokens.tokens[at - 1].end
        and not tokens.tokens[at].ends_clause
    )


def _read_name(tokens: Tokens, parsed: ParsedPrompt) -> None:
    plain: tuple[range, int, int] | None = None
    for match in _NAMING.finditer(tokens.canonical):
        places, at = _after(tokens, match)
        if at >= len(tokens.tokens):
            continue
        if tokens.tokens[at].word == "<quote>":
            _take_name(tokens, parsed, range(places.start, at + 1), str(tokens.tokens[at].value))
            return
        if plain is None and (end := _name_end(tokens, at)) > at:
            plain = (places, at, end)
    if plain:
        places, at, end = plain
        raw = tokens.raw(range(at, end))
        _take_name(tokens, parsed, range(places.start, end), re.sub(r"['’]s$|['’]$", "", raw))
        return
    for place, token in enumerate(tokens.tokens):
        if token.word == "<quote>" and _is_named_by_place(tokens, place):
            _take_name(tokens, parsed, range(place, place + 1), str(token.value))
            return


def _is_named_by_place(tokens: Tokens, place: int) -> bool:
    """Return whether a quote is a clause of its own, or follows what it names."""
    before = [token.word for token in tokens.tokens[:place] if token.word][-2:]
    after = next((token.word for token in tokens.tokens[place + 1 :] if token.word), ".")
    named = (
        "token",
        "coin",
        "collection",
        "contract",
        "nft",
        "point",
        "credit",
        "voucher",
        "wallet",
        "escrow",
        "vesting",
        "drop",
        "project",
        "auction",
        "sale",
        "crowdsale",
        "dao",
    )
    if before[-1:] == [":"]:
        before = before[:-1]
    last = before[-1] if before else ","
    return last in named or last.startswith("erc") or (last in (",", ".", ";") and after in (",", ".", ";", "("))


def _take_name(tokens: Tokens, parsed: ParsedPrompt, places: range, name: str) -> None:
    tokens.replace(places, "<name>", name)
    _keep_name(parsed, name)


def _is_word(token: Token) -> bool:
    return not token.ends_clause and token.word not in (
        "<quote>",
        "<address>",
        NO_ADDRESS,
        "<uri>",
        "<pct>",
        "<time>",
        "<eth>",
        "<date>",
    )


def _name_end(tokens: Tokens, at: int) -> int:
    """Return the place behind a name without quotes that begins at a token; the same place if none does.

    A name goes on over capitalised words. One in small letters goes on over words that mean nothing else.
    """
    shouted = _is_shouted(tokens)
    first, end = "", at
    while end < len(tokens.tokens) and end - at < 8:
        token = tokens.tokens[end]
        raw = tokens.text[token.start : token.end]
        touching = end > at and token.start == tokens.tokens[end - 1].end
        if not _is_word(token) and not (touching and _touches(tokens, end + 1)):
            break
        if end == at:
            if _STOP.fullmatch(raw) or (token.word == "<n>" and _is_amount(tokens, end)):
                break
            first = raw
        elif not touching and not _goes_on(tokens, end, first, shouted=shouted):
            break
        end += 1
    while end > at and (tokens.tokens[end - 1].ends_clause or tokens.text[tokens.tokens[end - 1].start] in "&+-"):
        end -= 1
    return end


def _goes_on(tokens: Tokens, place: int, first: str, *, shouted: bool) -> bool:
    token = tokens.tokens[place]
    raw = tokens.text[token.start : token.end]
    if token.word == "<n>":
        return not _is_amount(tokens, place)
    if (
        token.word == "<kind>"
        or re.fullmatch(r"erc\d+", token.word)
        or _STOP.fullmatch(raw.lower() if shouted else raw)
    ):
        return False
    if shouted:
        return not any(word in _KNOWN for word in token.word.split())
    if raw[:1].isalpha() and raw.lower() == raw.upper() and first.lower() != first.upper():
        return False
    if first[:1].isupper() or not first[:1].isalpha():
        if raw in ("of", "the", "&", "and", "de"):
            following = tokens.tokens[place + 1] if place + 1 < len(tokens.tokens) else None
            return raw in ("of", "&") and following is not None and tokens.text[following.start].isupper()
        return not raw[:1].islower() or not raw[:1].isalpha()
    return raw.islower() and not any(word in _KNOWN for word in [*token.word.split(), raw])


def _is_shouted(tokens: Tokens) -> bool:
    """Return whether nearly every word of a prompt is capitalised, so that capitals say nothing of names."""
    words = [tokens.text[token.start : token.end] for token in tokens.tokens]
    words = [word for word in words if word.isalpha()]
    return len(words) > 4 and sum(word[0].isupper() for word in words) > 0.75 * len(words)


def _is_amount(tokens: Tokens, place: int) -> bool:
    """Return whether a number that follows a name is an amount: "called Gold 10 million supply"."""
    value = tokens.tokens[place].value
    following = next((token.word for token in tokens.tokens[place + 1 :] if token.word), "")
    units = r"token|coin|unit|supply|total|initial|decimal|nft|item|piece|point|credit|max|cap|mintable|erc\d+"
    raw = tokens.text[tokens.tokens[place].start : tokens.tokens[place].end]
    named = raw.isdigit() or (raw.isalpha() and raw[0].isupper())
    return bool(re.fullmatch(units, following)) or value >= 10_000 or not named


def _read_bare_name(tokens: Tokens, parsed: ParsedPrompt) -> None:
    """Read "the HyperKit token", and a capitalised word that is a clause of its own, when no name was given."""
    if parsed.name is not None or _is_shouted(tokens):
        return
    at = 0
    while at < len(tokens.tokens):
        end = at
        while end < len(tokens.tokens) and (_is_proper(tokens, end) or (end > at and _is_coin(tokens, end))):
            end += 1
        if end > at:
            following = next((token for token in tokens.tokens[end:] if token.word), None)
            before = tokens.tokens[at - 1] if at else None
            alone = following is None or following.ends_clause
            opened = before is None or before.ends_clause
            thing = following is not None and (
                following.word in ("token", "coin", "collection", "<kind>", "<symbol>", "contract", "point", "credit")
            )
            article = before is not None and tokens.text[before.start : before.end].lower() in _BEFORE_NAMES
            coined = end == at + 1 and _COINED.fullmatch(tokens.raw(range(at, end))) is not None
            kind = before is not None and (before.word in ("<kind>", "token", "coin", "collection"))
            behind = kind and (alone or (following is not None and following.word in JOINTS | {"<n>"}))
            adjective = re.search(r"(?:able|ible|less|ing|ed|ly)$", tokens.raw(range(at, end)))
            if (alone and opened and at and not adjective) or (thing and (article or at == 0)) or coined or behind:
                _take_name(tokens, parsed, range(at, end), tokens.raw(range(at, end)))
                return
        at = max(end, at + 1)


_COINED = re.compile(r"\b[A-Z][A-Za-z0-9]*(?:Coins?|Tokens?|Points?|Credits?)\b")
_BEFORE_NAMES = {"a", "an", "the", "my", "our", "new", "launch", "create", "deploy", "make", "mint", "build"}


def _is_coin(tokens: Tokens, place: int) -> bool:
    """Return whether a word belongs to the name before it, as in "Nimbus Coin"."""
    token = tokens.tokens[place]
    return tokens.text[token.start : token.end] in ("Coin", "Token", "Points", "Credits")


def _is_proper(tokens: Tokens, place: int) -> bool:
    token = tokens.tokens[place]
    raw = tokens.text[token.start : token.end]
    plain = raw[:1].isupper() and raw.isalnum() and bool(token.word) and not token.word.startswith(("<", "erc"))
    known = _KNOWN | _lexicon().words
    return plain and not any(word in known for word in [*token.word.split(), raw.lower()])


def _read_bracketed_symbol(tokens: Tokens, parsed: ParsedPrompt) -> None:
    """Read "HyperKit (HKT)" and "$HKT"."""
    if parsed.symbol is not None:
        return
    for place, token in enumerate(tokens.tokens):
        raw = tokens.text[token.start : token.end]
        bracketed = (
            0 < place < len(tokens.tokens) - 1
            and tokens.tokens[place - 1].word == "("
            and tokens.tokens[place + 1].word == ")"
        )
        listed = parsed.name is not None and re.fullmatch(r"[A-Z]{2,6}", raw) and _is_clause(tokens, place)
        short = _abbreviates(raw, parsed.name) and tokens.tokens[place - 1].word in ("<name>", "<n>")
        if token.word == "<ticker>" or listed or short or (bracketed and re.fullmatch(r"[A-Z][A-Z0-9]{1,10}", raw)):
            if re.fullmatch(r"(?:ERC|EIP)\d+|NFTS?|UUPS|ETH|DAO", raw):
                continue
            parsed.symbol = str(token.value) if token.word == "<ticker>" else raw
            places = range(place - 1, place + 2) if bracketed else range(place, place + 1)
            first = places.start
            while parsed.name is None and first > 0 and _is_proper(tokens, first - 1):
                first -= 1
            tokens.replace(places, "<symbol>", parsed.symbol)
            if first < places.start:
                _take_name(tokens, parsed, range(first, places.start), tokens.raw(range(first, places.start)))
            return


def _abbreviates(raw: str, name: str | None) -> bool:
    """Return whether a ticker is made of a name's letters, in their order and from the first, as SHRD of "Shard"."""
    if name is None or raw == name or not re.fullmatch(r"[A-Z]{2,6}", raw):
        return False
    letters = iter(name.upper())
    return name[:1].upper() == raw[0] and all(letter in letters for letter in raw)


def _is_clause(tokens: Tokens, place: int) -> bool:
    """Return whether a word stands alone between marks, the first of them behind the name."""
    before, after = tokens.tokens[max(place - 2, 0) : place], tokens.tokens[place + 1 : place + 2]
    named = len(before) == 2 and before[1].word in (",", ";") and before[0].word in ("<name>", "")
    return named and all(token.ends_clause for token in after)


def _mark_names(tokens: Tokens, parsed: ParsedPrompt) -> None:
    """Make atoms of further mentions of the name and the symbol."""
    for place, token in enumerate(list(tokens.tokens)):
        raw = tokens.text[token.start : token.end]
        if token.word.startswith("<") or not raw.isalnum():
            continue
        if raw == parsed.symbol or raw == parsed.name:
            tokens.replace(range(place, place + 1), "<symbol>" if raw == parsed.symbol else "<name>", raw)


# ── Kinds ───────────────────────────────────────────────────────────────────────────────────────


@dataclass
class _Mention:
    places: range
    kind: Kind | None
    words: str
    weak: bool

    @property
    def is_numbered(self) -> bool:
        """Whether it is a standard's number."""
        return re.search(r"1155|721a?|20$", self.words.lower().replace(" ", "")) is not None


@cache
def _kind_patterns() -> list[tuple[Kind | None, re.Pattern[str], bool]]:
    def bounded(pattern: str) -> re.Pattern[str]:
        return re.compile(rf"(?<!\S)(?:{pattern})(?!\S)")

    return [
        *((kind, bounded(pattern), weak) for kind, pattern, weak in KINDS),
        (None, bounded(UNSUPPORTED_KINDS), False),
    ]


def _mentions(tokens: Tokens) -> list[_Mention]:
    found = [
        _Mention(places, kind, tokens.raw(places), weak)
        for kind, pattern, weak in _kind_patterns()
        for match in pattern.finditer(tokens.canonical)
        if (places := tokens.span(*match.span()))
    ]
    found.sort(key=lambda mention: (mention.places.start, -len(mention.places)))
    kept: list[_Mention] = []
    for mention in found:
        if not kept or mention.places.start >= kept[-1].places.stop:
            kept.append(mention)
    return kept


def _read_kind(tokens: Tokens, parsed: ParsedPrompt, given: Kind | None) -> set[int]:
    """Read the kind of the thing asked for, and return the tokens that name other kinds.

    It is the last of the first run of kinds: an "ERC-20 vesting contract" is a vesting.
    """
    mentions = _asked(tokens)
    strong = [mention for mention in mentions if not mention.weak]
    head = _head(tokens, strong) if strong else None
    first = mentions[0] if mentions else None
    if first and (
        head is None or (not _adjacent(tokens, first, head) and (head.kind is None or _is_introduced(tokens, first)))
    ):
        head = first
    if head is not None:
        parsed.kind, parsed.unsupported_kind = head.kind, None if head.kind else head.words
        parsed.kind_words = head.words
    if given is not None:
        parsed.kind, parsed.unsupported_kind = given, None
    covered: set[int] = set()
    atoms: list[range] = []
    for mention in strong:
        if mention.kind is not None and mention.kind == parsed.kind:
            atoms.append(mention.places)
            continue
        if mention.kind is None and (given or mention is not head):
            parsed.refuse(mention.words, "The composer makes no such contract; a build is one contract.")
        elif mention.kind is not None:
            parsed.other_kinds.append((mention.kind, mention.words))
        covered.update(mention.places)
    for places in atoms:
        tokens.replace(places, "<kind>", parsed.kind)
    return covered


def _asked(tokens: Tokens) -> list[_Mention]:
    mentions = [mention for mention in _mentions(tokens) if not _is_denied(tokens, mention)]
    if any(mention.kind == "erc20" and mention.is_numbered for mention in mentions):
        # "An ERC-20 soulbound token": there the word says nothing of the kind.
        return [mention for mention in mentions if not re.fullmatch(r"tokens?", mention.words.lower())]
    if not mentions and (re.search(r"(?<!\S)(?:token|coin)(?!\S)", tokens.original) or _COINED.search(tokens.text)):
        return [_Mention(range(0), "erc20", "token", weak=True)]
    return mentions


def _is_denied(tokens: Tokens, mention: _Mention) -> bool:
    before = [token.word for token in tokens.tokens[: mention.places.start] if token.word][-1:]
    owned = [token.word for token in tokens.tokens[: mention.places.start] if token.word][-2:]
    purpose = mention.kind is None and owned[:1] == ["for"] and owned[1:] in (["my"], ["our"])
    return purpose or (before in (["no"], ["not"], ["without"]) and not mention.weak)


_MADE = r"(?:^|\b(?:an?|create|make|build|launch|deploy|new|issue|write|generate))\s+(?:\w+\s+){0,2}$"


def _is_introduced(tokens: Tokens, mention: _Mention) -> bool:
    """Return whether a loose word such as "token" is what is asked for: "create a token called Ab with staking"."""
    before = tokens.text[: tokens.tokens[mention.places.start].start] if mention.places else ""
    after = next((token.word for token in tokens.tokens[mention.places.stop :] if token.word), "")
    made = re.search(_MADE, before, re.I)
    return mention.weak and (
        after in ("<name>", "<symbol>") or (made is not None and after not in ("contract", "<kind>"))
    )


def _adjacent(tokens: Tokens, first: _Mention, second: _Mention) -> bool:
    """Return whether two kinds are parts of one expression, as in "token staking contract"."""
    between = tokens.tokens[first.places.stop : second.places.start]
    return all(
        not token.word or re.fullmatch(r"linear|token|team|payment|based|asset|\(|\)|contract", token.word)
        for token in between
    )


def _head(tokens: Tokens, strong: list[_Mention]) -> _Mention:
    at = 0
    while at + 1 < len(strong):
        run = _adjacent(tokens, strong[at], strong[at + 1])
        if not run or (strong[at].is_numbered and strong[at + 1].kind in ("erc721", "erc1155", "erc20")):
            break
        at += 1
    head = strong[at]
    # "NFT collection (ERC-1155)": the standard's number says it better than the word.
    exact = [mention for mention in strong if mention.kind is not None and mention.is_numbered]
    if exact and head.kind in ("erc20", "erc721", "erc1155") and not head.is_numbered:
        head = exact[0]
    return head


# ── Wishes ──────────────────────────────────────────────────────────────────────────────────────


_ROLES = {"mintable": "mint", "pausable": "paus", "upgradeable": "upgrad"}
"""What the stems in the names of roles stand for."""


def _apply(tokens: Tokens, parsed: ParsedPrompt, found: list[Found]) -> None:
    """Keep what phrases ask for, in the order of the prompt; what contradicts itself is refused."""
    for entry in sorted(found, key=lambda one: one.places.start):
        words = tokens.raw(entry.places)
        _keep_feature(parsed, entry, words)
        for slot, value in [*entry.phrase_set.sets, *entry.slots.items()]:
            if slot == "roles_of":
                for feature in [name for name, stem in _ROLES.items() if stem in value]:
                    parsed.features.setdefault(feature, True)
                    parsed.words.setdefault(feature, words)
                    parsed.mentions.setdefault(feature, []).append(words)
                continue
            if slot == "count":
                _keep_count(parsed, value, words)
                continue
            if slot in parsed.values and parsed.values[slot] != value:
                both = f"{parsed.words[slot]} … {words}"
                parsed.refuse(both, f"The prompt gives more than one {slot.replace('_', ' ')}.")
                continue
            parsed.values[slot] = value
            parsed.words.setdefault(slot, words)
    decimals = parsed.values.get("decimals")
    if decimals is not None and not (Fraction(decimals).denominator == 1 and decimals <= MAX_DECIMALS):
        parsed.refuse(parsed.words["decimals"], f"A token has 0 to {MAX_DECIMALS} decimals.")
        del parsed.values["decimals"]
    elif decimals is not None:
        parsed.values["decimals"] = int(decimals)


def _keep_count(parsed: ParsedPrompt, count: Fraction, words: str) -> None:
    """Read "make two tokens" as two contracts, and "create 5000 tokens" as a supply."""
    if 1 < count <= _MAX_CONTRACTS:
        parsed.refuse(words, "A build is one contract; say “a supply of …” if this is the supply.")
    elif count != 1:
        parsed.values.setdefault("supply", count)
        parsed.words.setdefault("supply", words)


def _keep_feature(parsed: ParsedPrompt, entry: Found, words: str) -> None:
    feature = entry.phrase_set.feature
    if feature in (None, "several"):
        return
    before = parsed.features.get(feature)
    if before is not None and before != entry.wanted:
        reason = f"The prompt asks for this and for its opposite: “{parsed.words[feature]}” and “{words}”."
        parsed.refuse(f"{parsed.words[feature]} … {words}", reason)
        return
    parsed.features[feature] = entry.wanted
    parsed.words.setdefault(feature, words)
    parsed.mentions.setdefault(feature, []).append(words)
    if entry.phrase_set.reason:
        parsed.reasons[feature] = entry.phrase_set.reason


def _refuse_unread(tokens: Tokens, parsed: ParsedPrompt, covered: set[int]) -> None:
    """Refuse each piece between marks and covered phrases that has something unread in it."""
    piece: list[int] = []
    for place in range(len(tokens.tokens) + 1):
        ended = place == len(tokens.tokens) or place in covered
        if ended or tokens.tokens[place].ends_clause or tokens.tokens[place].word in READ:
            _refuse_piece(tokens, parsed, piece, covered)
            piece = []
        else:
            piece.append(place)


def _refuse_piece(tokens: Tokens, parsed: ParsedPrompt, piece: list[int], covered: set[int]) -> None:
    if not any(is_unread(tokens, place, covered) for place in piece):
        return
    while piece and (not tokens.tokens[piece[0]].word or tokens.tokens[piece[0]].word in LEADING):
        piece.pop(0)
    while piece and (not tokens.tokens[piece[-1]].word or tokens.tokens[piece[-1]].word in LEADING):
        piece.pop()
    for place in piece:
        token = tokens.tokens[place]
        if token.word in ("<address>", NO_ADDRESS):
            known = token.word == "<address>"
            reason = (
                "The prompt does not say what the address is for."
                if known
                else "It is no address that can hold something."
            )
            parsed.refuse(tokens.text[token.start : token.end], reason)
    parsed.refuse(tokens.raw(range(piece[0], piece[-1] + 1)), NOT_UNDERSTOOD)
