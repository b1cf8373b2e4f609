"""What each function's policy grants against what the functional tests saw it use (tests/support/grants.json).

What is granted and was not seen stands in grants_not_seen.json with its reason; the list may only become shorter.
"""

from __future__ import annotations

import fnmatch
import json

import pytest

from tests.support.grants import recorded
from tests.support.template import ROOT, functions, named_resources, statements

NOT_SEEN: dict[str, list[str]] = json.loads((ROOT / "tests" / "support" / "grants_not_seen.json").read_text())
EXCUSED = {grant for grants in NOT_SEEN.values() for grant in grants}
FUNCTIONS = sorted(functions())


def _granted(function: str) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for statement in statements(function)
        for action in statement["Action"]
        for resource in named_resources(statement)
    }


def _used(function: str) -> set[tuple[str, str]]:
    return {(action, resource) for action, found in recorded().get(function, {}).items() for resource in found}


def _unused(function: str) -> set[str]:
    used = _used(function)
    return {
        f"{function} {action} {resource}"
        for action, resource in _granted(function)
        if not any(action == other and fnmatch.fnmatchcase(name, resource) for other, name in used)
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_granted_is_used(function: str) -> None:
    assert _unused(function) <= EXCUSED


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_used_is_granted(function: str) -> None:
    granted = _granted(function)
    for action, name in _used(function):
        held = [resource for other, resource in granted if action == other and fnmatch.fnmatchcase(name, resource)]
        assert held, (action, name)


def test_nothing_is_excused_that_is_seen_or_no_longer_granted() -> None:
    unused = {grant for function in FUNCTIONS for grant in _unused(function)}
    assert unused >= EXCUSED
    assert sum(map(len, NOT_SEEN.values())) == len(EXCUSED)


def test_the_record_is_of_functions_that_are_there() -> None:
    assert set(recorded()) <= set(FUNCTIONS)
