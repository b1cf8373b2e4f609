"""Slipway's rules for SDLs against Akash's own judge, npm's ``@akashnetwork/chain-sdk``.

It is the newest version on npm, 1.0.0-alpha.25, made up to the source that the Console API runs, 1.0.0-alpha.38, where
the two differ (``local.console_api.chain_sdk``). ``test_how_the_pinned_version_differs`` lists in what.
"""

from __future__ import annotations

import re

import pytest

from local.console_api.chain_sdk import chain_sdk
from slipway.akash.sdl.manifest import manifest_of
from slipway.akash.sdl.normalise import deployable
from slipway.akash.sdl.parser import parse_sdl
from slipway.errors import InvalidSdlError
from tests.support.composed_sdls import composed_sdl
from tests.support.sdl_variants import CASES, variants

PINNED = "1.0.0-alpha.25"
# What the Console API throws at and Slipway writes otherwise before it is sent.
REWRITTEN = re.compile(r"Invalid size string: [0-9.]+$")
# What Slipway refuses although the Console API takes it; docs/akash.md has the reasons.
STATED = re.compile(
    r"is not a service$|is too large$|must be more than 0$|is not a field of an SDL here$|number of cores, or"
    r"|such as \"512Mi\"|number greater than 0|whole number, 0 or more|at least 1 (item|character)|at most 0 items"
    r"|is reachable|of any class but ram must be persistent|needs quotes|\.denom: |names no GPU|match pattern"
)
# Fields that npm's version does not know yet, and what it does not ask for.
NEWER = re.compile(r"tee|reclamation|proxy_buffer_size|permissions.read|expose = null|\.gpu|denom")
OLDER = re.compile(r"resources\.storage|gpu|denom|a price of")


def slipway(text: str) -> str | None:
    """Return why Slipway refuses an SDL, None if it takes it."""
    try:
        parse_sdl(text)
    except InvalidSdlError as error:
        return error.message
    return None


def console(text: str) -> str | None:
    """Return why the Console API refuses an SDL, None if it takes it."""
    return "; ".join(chain_sdk().validate(text).refusals) or None


def test_the_judge_is_the_pinned_version() -> None:
    assert chain_sdk().version == PINNED


@pytest.mark.parametrize("name", CASES)
def test_a_known_case_has_its_verdict(name: str) -> None:
    text, taken = CASES[name]
    refusal = console(text)
    assert (refusal is None) == taken or REWRITTEN.search(refusal or ""), refusal
    if taken:
        assert console(deployable(text)) is None


def test_rules_and_judge_agree_over_thousands_of_variants() -> None:
    """What the judge refuses is refused, or sent otherwise; what it takes is taken, but for reasons that are stated."""
    wrong, counted = [], {True: 0, False: 0}
    for name, text in variants():
        mine, theirs = slipway(text), console(text)
        counted[mine is None] += 1
        if mine is None and theirs and not REWRITTEN.search(theirs):
            wrong.append(f"takes {name}, which is refused: {theirs}")
        if mine is None and (refusal := console(deployable(text))):
            wrong.append(f"sends of {name} what is refused: {refusal}")
        if mine and theirs is None and not STATED.search(mine):
            wrong.append(f"refuses {name}, which is taken: {mine}")
    assert wrong == []
    assert min(counted.values()) > 200, counted


def test_rules_and_judge_agree_over_composed_sdls() -> None:
    """Parts that meet each other: what is sent is taken, its manifest is known, and what is refused has a reason."""
    wrong, taken = [], 0
    for seed in range(3000):
        text = composed_sdl(seed)
        mine, theirs = slipway(text), console(text)
        if mine and theirs is None and not STATED.search(mine):
            wrong.append(f"refuses {seed}, which is taken: {mine}")
        if mine is None:
            taken += 1
            sent = deployable(text)
            judged = chain_sdk().validate(sent)
            if judged.refusals:
                wrong.append(f"sends of {seed} what is refused: {judged.refusals}")
            elif (manifest := manifest_of(sent)) is not None and manifest != judged.manifest:
                wrong.append(f"makes of {seed} {manifest} instead of {judged.manifest}")
    assert wrong == []
    assert taken > 300


def test_how_the_pinned_version_differs() -> None:
    """Only in fields that are newer than it, or that it does not look at."""
    differs = []
    for name, text in variants():
        alone, today = chain_sdk().validate(text, as_pinned=True).refusals, console(text)
        if alone and today is None and not NEWER.search(name):
            differs.append(f"{name}: {alone}")
        if not alone and today and not OLDER.search(name):
            differs.append(f"{name}: {today}")
    assert differs == []


def test_a_manifest_is_the_judges_byte_for_byte_or_not_known() -> None:
    wrong, known, unknown = [], 0, 0
    for name, text in [*((name, text) for name, (text, taken) in CASES.items() if taken), *variants()]:
        if slipway(text) is not None:
            continue
        sent = deployable(text)
        mine, theirs = manifest_of(sent), chain_sdk().validate(sent).manifest
        known, unknown = known + (mine is not None), unknown + (mine is None)
        if mine is not None and mine != theirs:
            wrong.append(f"{name}: {mine} is not {theirs}")
    assert wrong == []
    assert known > 10 * unknown > 0
