"""Every point at which a workflow can be cut, read from the state machines' definitions."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import pytest

from local.state_machines import state_machines

TOKEN_WORKFLOWS = ("token_deploy", "token_register")
WHENS = ("before", "after")


def workflows() -> list[str]:
    """Return the names of the workflows that there are."""
    return sorted(state_machines())


def _states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine["States"].items():
        yield name, state
        for branch in state.get("Branches", []):
            yield from _states(branch)
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"])


def _boundary(name: str, state: dict[str, Any]) -> str:
    payload = state["Arguments"].get("Payload", {})
    if "operation" in payload:
        return f"{payload['operation']}:{payload.get('purpose', 'nonce')}"
    return str(payload.get("state", name))


@cache
def boundaries(*names: str) -> frozenset[tuple[str, str]]:
    """(boundary, when) of each Task state of these workflows."""
    found = set()
    for workflow in names:
        for name, state in _states(state_machines()[workflow].definition):
            if state["Type"] == "Task":
                found |= {(_boundary(name, state), when) for when in WHENS}
    return frozenset(found)


def at_once_and_alone(faults: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Parameters: all of these faults in one run, and in the long form each in a run of its own."""
    alone = [pytest.param([fault], id="-".join(map(str, fault)), marks=pytest.mark.long) for fault in faults]
    return [pytest.param([*faults], id="all"), *alone]


def together_and_alone(*names: str) -> list[Any]:
    """Kills before and after each of these, as parameters: all in one run, and each in a run of its own."""
    return at_once_and_alone([(name, when) for name in names for when in WHENS])
