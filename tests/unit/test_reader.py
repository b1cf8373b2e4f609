"""The reader: plain prompts are honoured whole, and what a contract would lack is named in the prompt's own words."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.builds.composer.engine import Composer
from slipway.builds.composer.prompt import _lexicon, read_prompt
from slipway.builds.composer.tokens import nearest, tokenize
from slipway.builds.composer.words import FILLERS
from slipway.builds.models import Generation, GenerationRequest
from slipway.errors import GenerationUnsupportedError, NotHonouredError, ValidationFailedError
from tests.support.wishes import CLAUSES, HONOURED, PLAIN, REFUSED, A, B

READ = json.loads((Path(__file__).parents[1] / "support" / "read_prompts.json").read_text(encoding="utf-8"))


def compose(prompt: str, **options: Any) -> Generation:
    return Composer().generate(GenerationRequest(prompt=prompt, owner=A, options=options or None))


def what_is_dropped(prompt: str) -> tuple[str | None, list[str]]:
    """The kind of a prompt's contract, and the parts of the prompt that it would not honour."""
    try:
        made = compose(prompt)
    except NotHonouredError as error:
        details = error.details or {}
        return details["kind"], [entry["text"] for entry in details["not_honoured"]]
    return made.kind, [entry.text for entry in made.not_honoured]


def test_there_are_enough_prompts() -> None:
    assert len({case["prompt"] for case in READ} | {prompt for prompt, _ in REFUSED} | {*CLAUSES, *PLAIN}) >= 300


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


@pytest.mark.parametrize("number", range(len(PLAIN)))
def test_a_clause_that_is_inserted_into_an_honoured_prompt_is_named(number: int) -> None:
    prompt = PLAIN[number]
    assert compose(prompt).not_honoured == []
    for place, clause in enumerate(CLAUSES):
        form = _forms(prompt, clause)[(number + place) % 5]
        wanted = set(re.findall(r"\w+", clause.lower())) - FILLERS
        try:
            kind, texts = what_is_dropped(form)
        except (GenerationUnsupportedError, ValidationFailedError):
            continue
        named = {word for text in texts for word in re.findall(r"\w+", text.lower())}
        assert bool(wanted & named) == (kind not in HONOURED.get(clause, ())), form


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
    assert not FILLERS & set(meant.split())


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
                began = time.process_time()
                list(phrase.pattern.finditer(f"{word} " * 18 + "!"))
                assert time.process_time() - began < 0.05, (word, phrase.pattern.pattern)


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
