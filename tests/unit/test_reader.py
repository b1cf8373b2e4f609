"""The reader: plain prompts are honoured whole, and what a contract would lack is named in the prompt's own words."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.builds.composer.engine import GENERAL, KINDS, SWITCHES, Composer
from slipway.builds.composer.kinds import BLUEPRINTS
from slipway.builds.composer.options import Options
from slipway.builds.composer.prompt import _lexicon, read_prompt
from slipway.builds.composer.tokens import nearest, tokenize
from slipway.builds.composer.vocabulary import TOKENS
from slipway.builds.composer.words import STOP_WORDS
from slipway.builds.models import Generation, GenerationRequest, Kind
from slipway.errors import GenerationUnsupportedError, NotHonouredError, ValidationFailedError
from tests.support.clock import effort
from tests.support.kinds import CASES
from tests.support.prompt_clauses import CLAUSES, HONOURED, PLAIN, REFUSED, A, B, C

SUPPORT = Path(__file__).parents[1] / "support"
READ = json.loads((SUPPORT / "read_prompts.json").read_text(encoding="utf-8"))
SAID = json.loads((SUPPORT / "kind_prompts.json").read_text(encoding="utf-8"))
"""Prompts for every kind as people write them: what they become, or the words for which they are refused."""


def compose(prompt: str, **options: Any) -> Generation:
    return Composer().generate(GenerationRequest(prompt=prompt, owner=A, options=options or None))


def what_is_dropped(prompt: str) -> tuple[str | None, list[str]]:
    """Return the kind of a prompt's contract, and the parts of the prompt that it would not honour."""
    try:
        made = compose(prompt)
    except NotHonouredError as error:
        details = error.details or {}
        return details["kind"], [entry["text"] for entry in details["not_honoured"]]
    return made.kind, [entry.text for entry in made.not_honoured]


def test_there_are_enough_prompts() -> None:
    assert len({case["prompt"] for case in [*READ, *SAID]} | {prompt for prompt, _ in REFUSED}) >= 700
    assert {case["kind"] for case in SAID if "kind" in case} >= {*KINDS} - {"erc1155"}


@pytest.mark.parametrize("case", [case for case in SAID if "kind" in case], ids=lambda case: case["prompt"][:70])
def test_a_prompt_for_any_kind_is_honoured_whole(case: dict[str, Any]) -> None:
    made = compose(case["prompt"])
    assert made.not_honoured == []
    assert made.kind == case["kind"]
    assert {name: made.options.get(name) for name in case["options"]} == case["options"]
    assert made.powers or made.kind in ("vesting", "erc20", "splitter", "auction")


@pytest.mark.parametrize("case", [case for case in SAID if "refused" in case], ids=lambda case: case["prompt"][:70])
def test_a_prompt_for_any_kind_is_refused_by_the_words_that_are_not_honoured(case: dict[str, Any]) -> None:
    try:
        named = what_is_dropped(case["prompt"])[1]
    except (GenerationUnsupportedError, ValidationFailedError) as error:
        named = [error.message]
    assert any(case["refused"].lower() in text.lower() for text in named), named


@pytest.mark.parametrize("case", READ, ids=lambda case: case["prompt"][:70])
def test_a_plain_prompt_is_honoured_whole(case: dict[str, Any]) -> None:
    made = compose(case["prompt"])
    assert made.not_honoured == []
    assert (made.kind, made.options["name"]) == (case["kind"], case["name"])
    assert made.options.get("symbol", "") == case["symbol"]
    assert made.options.get("supply", "") == case["supply"]
    assert made.options.get("cap", "") == case["cap"]
    assert made.options.get("decimals") == case["decimals"]
    assert (made.options.get("access") == "roles") == (case["access"] == "roles")
    assert " ".join(made.options.get("features", [])) == case["features"]


@pytest.mark.parametrize(("prompt", "words"), REFUSED, ids=lambda text: text[:70])
def test_what_a_contract_would_lack_is_named(prompt: str, words: str) -> None:
    try:
        named = what_is_dropped(prompt)[1]
    except GenerationUnsupportedError as error:
        named = [error.message]
    assert any(words in text or "seems to be in" in text for text in named), named


def _forms(prompt: str, clause: str) -> list[str]:
    return [
        f"{prompt}, {clause}",
        f"{prompt} {clause}",
        f"{prompt}. {clause[0].upper()}{clause[1:]}.",
        f"{clause}; {prompt}",
        f"{prompt} and {clause}",
    ]


def _has_become_of_it(prompt: str, address: str) -> bool:
    """Whether an address that a clause adds has the part in the contract that the prompt's other words give it."""
    return address in prompt and address in str(compose(prompt).options)


PROMPTS = [*PLAIN, *(case.prompt.rstrip(".") for case in CASES)]


@pytest.mark.parametrize("number", range(len(PROMPTS)))
def test_a_clause_that_is_inserted_into_an_honoured_prompt_is_named(number: int) -> None:
    prompt = PROMPTS[number]
    plain = compose(prompt)
    assert plain.not_honoured == []
    for place, clause in enumerate(CLAUSES):
        form = _forms(prompt, clause)[(number + place) % 5]
        wanted = set(re.findall(r"\w+", clause.lower())) - STOP_WORDS
        try:
            kind, texts = what_is_dropped(form)
        except (GenerationUnsupportedError, ValidationFailedError):
            continue
        named = {word for text in texts for word in re.findall(r"\w+", text.lower())}
        if kind not in HONOURED.get(clause, ()):
            assert wanted & named or _has_become_of_it(form, C), form
        elif prompt in PLAIN and kind == plain.kind:
            assert not wanted & named, form


@settings(max_examples=200, deadline=None)
@given(
    word=st.text(alphabet="bcdfghjklmnpqrstvwxz", min_size=6, max_size=12).filter(lambda word: nearest(word) == word),
    prompt=st.sampled_from(PLAIN),
)
def test_a_word_that_means_nothing_is_named(word: str, prompt: str) -> None:
    for form in (f"{prompt}, {word}", f"{prompt} that must {word} always", f"{word}: {prompt}"):
        assert any(word in entry.text for entry in compose(form).not_honoured), form


def test_fillers_are_no_negations_quantifiers_or_verbs_of_authority() -> None:
    meant = """not no never without each every per any all only both until unless except up mint burn pause transfer
    take lock approve withdraw seize freeze sell buy owner holder nobody anyone everyone max min"""
    assert not STOP_WORDS & set(meant.split())


def test_misspellings_by_one_edit_are_seen_through_and_english_words_are_not() -> None:
    for wrong, right in (("burnabel", "burnable"), ("suply", "supply"), ("tokken", "token"), ("calld", "called")):
        assert nearest(wrong) == right
    for word in ("taken", "contact", "loyalty", "holder", "owners", "passable", "minute"):
        assert nearest(word) == word
    assert read_prompt("ERC20 calld Spelll with suply of 5").corrected == {"calld": "called", "suply": "supply"}


def test_no_phrase_tries_a_word_in_two_ways_when_it_is_repeated() -> None:
    """Else a prompt of one word would keep the reader busy for hours."""
    for phrase in _lexicon()._phrases:
        source = re.sub(r"\?P<\w+>|\(\?<!\\S\)|\(\?!\\S\)|\?[:=]|\?<=", "", phrase.pattern.pattern)
        parts = {part.strip(" *+") for part in re.split(r"[()|]", source)}
        for part in sorted(part for part in parts if part and not re.search(r"[\[\\!]", part)):
            for word in {re.sub(r".\?", "", part), part.replace("?", "")} - {""}:
                searched = partial(phrase.pattern.findall, f"{word} " * 18 + "!")
                assert effort(searched) < 20, (word, phrase.pattern.pattern)


def test_every_token_keeps_its_place_in_the_text() -> None:
    text = "Mint 5 million to 0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC, don't pause"
    tokens = tokenize(text)
    assert tokens.canonical == "mint <n> to <address> , do not pause"
    assert tokens.raw(tokens.span(tokens.canonical.index("<n>"), len(tokens.canonical))) == text[5:]


@pytest.mark.parametrize(
    ("prompt", "arguments"),
    [
        (f"ERC20 named Ab, initial supply of 5 million goes to {B}", {"recipient": B}),
        (f"ERC20 named Ab, 5 million supply, minter is {B}", {"minter": B}),
        (f"ERC721 named Ab with 5% royalties paid to {B}", {"royaltyReceiver": B}),
        (f"ERC721 named Ab, premint 3 tokens to {B}", {"recipient": B}),
        (f"ERC1155 named Ab, mintable by {B}", {"minter": B}),
        (f"vesting over 4 years to {B}", {"beneficiary": B}),
        (f"ERC20 named Ab owned by {B}", {"initialOwner": B}),
    ],
)
def test_an_address_is_for_what_the_prompt_says(prompt: str, arguments: dict[str, str]) -> None:
    made = compose(prompt)
    assert made.not_honoured == []
    given = {argument.name: argument.value for argument in made.constructor_arguments}
    assert {name: given.get(name) for name in arguments} == arguments
    assert not any("The beneficiary is the owner" in text for text in made.assumed)


def test_defaults_about_money_and_power_are_assumed_aloud() -> None:
    made = compose("An ERC-20 token called Ab, mintable, burnable, pausable")
    told = " ".join(made.assumed)
    for part in ("first supply is 1000000", "owner is the caller", "may mint", "may pause", "burn its own"):
        assert part in told
    assert any("mint more tokens without a limit" in text for text in made.powers)
    assert any("beneficiary is the owner" in text for text in compose("vesting over 2 years").assumed)
    assert any("arbiter" in text for text in compose("an escrow").assumed)


@pytest.mark.parametrize(
    "prompt",
    [
        "ERC20 called Nope. Don't deploy it, just show me the code",
        "ERC20 called Nope, do not deploy anything yet",
        "ERC20 called Nope, code only",
        "ERC20 called Nope without deploying it",
    ],
)
def test_a_prompt_may_ask_for_no_deployment(prompt: str) -> None:
    made = compose(prompt)
    assert (made.not_honoured, made.options["deploy"]) == ([], False)
    assert "deploy" not in compose(prompt, deploy=True).options


def _table(head: str) -> list[list[str]]:
    """Return the cells of the rows of a table of docs/builds.md."""
    document = (SUPPORT.parents[1] / "docs" / "builds.md").read_text(encoding="utf-8")
    lines = document.split(f"| {head} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [line.strip("| ").split(" | ") for line in lines]


def _said(cell: str) -> list[str]:
    """Return the prompts or phrases of a cell, with an address for each `0x…`."""
    spans = re.findall("`(.+?)`", cell)
    return [span.replace("0x…", A, 1).replace("0x…", B, 1).replace("0x…", C, 1) for span in spans]


def test_the_published_table_of_kinds_is_that_of_the_code() -> None:
    rows = _table("`template`")
    assert [kind.strip("`") for kind, _, _ in rows] == [*KINDS]
    for kind, _, prompts in rows:
        (prompt,) = _said(prompts)
        made = compose(prompt)
        assert (made.kind, made.not_honoured) == (kind.strip("`"), []), prompt


def test_every_published_phrase_is_honoured_and_every_feature_has_one() -> None:
    bases = ("", "ERC-20 token called Harbour, ", "NFT collection called Harbour, ", "ERC-20 ", "Make a token ")
    reached = set()
    for row in _table("to ask for"):
        assert _said(row[1])
        for phrase in _said(row[1]):
            honoured = [made.options for base in bases if (made := _honoured(f"{base}{phrase}"))]
            assert honoured, phrase
            reached |= {feature for options in honoured for feature in options.get("features", [])}
            reached |= {"roles"} & {str(options.get("access")) for options in honoured}
            reached |= {"ownerless" for options in honoured if options.get("access") == "none"}
    settled = {"fixed", "owner"}
    features = {feature for kind in TOKENS for feature in BLUEPRINTS[kind].features}
    assert features - reached - settled == set()


def _honoured(prompt: str) -> Generation | None:
    try:
        made = compose(prompt)
    except (NotHonouredError, GenerationUnsupportedError, ValidationFailedError):
        return None
    return None if made.not_honoured else made


def test_every_option_is_published_with_its_kinds() -> None:
    published = {row[0].strip("`"): row[1] for row in _table("option")}
    assert {*published} == {*Options.model_fields}
    for name, of in published.items():
        own = {kind for kind in KINDS if not _is_missing(kind, name)}
        named = {*KINDS} if of == "all" else {kind.strip("`") for kind in of.split(", ")}
        assert named == own, name


def _is_missing(kind: Kind, option: str) -> bool:
    known = BLUEPRINTS[kind]
    return option not in (known.features if option in SWITCHES else GENERAL | known.takes)
