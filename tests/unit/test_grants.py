"""What each function's policy grants against what the tests saw it use (tests/support/grants.json).

What is granted and was not seen stands in grants_not_seen.json with its reason; the list may only become shorter.
"""

from __future__ import annotations

import json

import pytest

from tests.support.grants import allowed, covers, granted, recorded
from tests.support.template import ROOT, functions

NOT_SEEN: dict[str, list[str]] = json.loads((ROOT / "tests" / "support" / "grants_not_seen.json").read_text())
EXCUSED = {grant for grants in NOT_SEEN.values() for grant in grants}
FUNCTIONS = sorted(functions())


def _used(function: str) -> set[tuple[str, str]]:
    return {(action, resource) for action, found in recorded().get(function, {}).items() for resource in found}


def _unused(function: str) -> set[str]:
    used = _used(function)
    return {
        f"{function} {action} {resource}"
        for action, resource in granted(function)
        if not any(covers((action, resource), *use) for use in used)
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_granted_is_used(function: str) -> None:
    assert _unused(function) <= EXCUSED


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_used_is_granted(function: str) -> None:
    assert [use for use in _used(function) if not allowed(function, *use)] == []


def test_nothing_is_excused_that_is_seen_or_no_longer_granted() -> None:
    unused = {grant for function in FUNCTIONS for grant in _unused(function)}
    assert unused >= EXCUSED
    assert sum(map(len, NOT_SEEN.values())) == len(EXCUSED)


def test_the_record_is_of_functions_that_are_there() -> None:
    assert set(recorded()) <= set(FUNCTIONS)
