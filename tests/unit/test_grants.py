"""What each function's policy grants against what the tests saw it use (tests/support/grants.json).

What is granted and was not seen stands in grants_not_seen.json with its reason; the list may only become shorter.
"""

from __future__ import annotations

import fnmatch
import json

import pytest

from tests.support.grants import Grant, allowed, grants, recorded
from tests.support.template import ROOT, functions, named_resources, statements

NOT_SEEN: dict[str, list[str]] = json.loads((ROOT / "tests" / "support" / "grants_not_seen.json").read_text())
EXCUSED = {grant for grants in NOT_SEEN.values() for grant in grants}
FUNCTIONS = sorted(functions())
WRITES = {f"dynamodb:{name}Item" for name in ("Put", "Update", "Delete", "BatchWrite")}
# What one role may hold in inline policies, without spaces.
MAX_CHARACTERS = 10_240


def _used(function: str) -> set[tuple[str, str]]:
    return {(action, resource) for action, found in recorded().get(function, {}).items() for resource in found}


def _users(function: str, grant: Grant) -> list[str]:
    """Those whose use counts for a grant."""
    if grant.name is None:
        return [function]
    return [other for other in FUNCTIONS if any(found.name == grant.name for found in grants(other))]


def _unused(function: str) -> set[str]:
    """Return what a function may do and was not seen doing.

    Of shared tables, each action of a statement is used on some kind of item that it names, and each kind by some
    action; elsewhere each action is used on each resource.
    """
    found = set()
    for grant in grants(function):
        uses = [use for user in _users(function, grant) for use in _used(user) if grant.covers(*use)]
        pairs = {
            (action, pattern)
            for action, resource in uses
            for pattern in grant.resources
            if fnmatch.fnmatchcase(resource, pattern)
        }
        if not grant.is_of_keys:
            wanted = {(action, pattern) for action in grant.actions for pattern in grant.resources}
            found |= {f"{function} {action} {pattern}" for action, pattern in wanted - pairs}
            continue
        tables = "+".join(sorted({pattern.partition(" ")[0] for pattern in grant.resources}))
        actions, patterns = {action for action, _ in pairs}, {pattern for _, pattern in pairs}
        found |= {f"{function} {action} {tables}" for action in grant.actions - actions}
        verb = "writes" if any(action in WRITES for action in grant.actions) else "reads"
        found |= {f"{function} {verb} {pattern}" for pattern in grant.resources - patterns}
    return found


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


@pytest.mark.parametrize("function", FUNCTIONS)
def test_statements_on_shared_tables_name_kinds_of_items_and_do_not_read_and_write_at_once(function: str) -> None:
    for statement, grant in zip(statements(function), grants(function), strict=True):
        if not grant.is_of_keys:
            continue
        kinds = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        assert all(len(kind.rstrip("*")) >= 4 and kind.index("*") == len(kind) - 1 for kind in kinds if "*" in kind)
        # One that may write what another may read would be too wide where the two have different keys.
        assert len({action in WRITES for action in grant.actions}) == 1, statement["Action"]
        assert all(
            resource.partition("/")[0] in ("JobsTable", "ControlTable") for resource in named_resources(statement)
        )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_policy_fits_into_a_role(function: str) -> None:
    assert len(json.dumps(statements(function), separators=(",", ":"))) < MAX_CHARACTERS * 0.9


@pytest.mark.parametrize(
    ("function", "action", "resource"),
    [
        # Contracts' addresses, budgets, and another capability's jobs.
        ("WorkersFunction", "dynamodb:UpdateItem", "ControlTable CHAIN#id"),
        ("HeartbeatFunction", "dynamodb:PutItem", "JobsTable DEPLOYMENT#id"),
        ("BuildTasks", "dynamodb:UpdateItem", "JobsTable DEPLOYMENT#id"),
        ("StackApiTasks", "dynamodb:UpdateItem", "JobsTable BUILD#id"),
        ("AkashDeployTasks", "dynamodb:UpdateItem", "JobsTable BUILD#id"),
        ("AkashDeployTasks", "dynamodb:UpdateItem", "ControlTable BUDGET#bedrock"),
        ("ContractTasks", "dynamodb:UpdateItem", "ControlTable BUDGET#akash"),
        ("TokenDeployTasks", "dynamodb:PutItem", "JobsTable STACK#id"),
        ("ProvidersFunction", "dynamodb:PutItem", "ControlTable API_KEYS#id"),
        ("LogsFunction", "dynamodb:PutItem", "ControlTable STANDING#id"),
        ("WebhooksFunction", "dynamodb:UpdateItem", "ControlTable SERVICE#tokens"),
    ],
)
def test_a_broken_function_can_not_rewrite_what_is_anothers(function: str, action: str, resource: str) -> None:
    assert not allowed(function, action, resource)


def test_only_administrators_change_who_is_blocked_and_what_contracts_there_are() -> None:
    def writers(kind: str) -> set[str]:
        return {name for name in FUNCTIONS for action in WRITES if allowed(name, action, f"ControlTable {kind}")}

    assert writers("STANDING#id") == {"AdminFunction", "IdentityFunction"}
    # Operators' commands write contracts' addresses; functions, beside them, what tip a node wants.
    for name in writers("CHAIN#id"):
        (found,) = [entry for entry in statements(name) if entry.get("Sid") == "NoteLeastTip"]
        attributes = found["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
        assert set(attributes) == {"pk", "sk", "least_tip", "least_tip_at"}
        assert not any(
            grant.covers("dynamodb:UpdateItem", "ControlTable CHAIN#id") for grant in grants(name) if grant.name is None
        )
    assert writers("LIMITS") == {"AdminFunction"}
    assert writers("CATALOGUE#id") == {"AdminFunction"}
