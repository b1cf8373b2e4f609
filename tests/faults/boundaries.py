"""Every point at which a workflow can be cut: its steps, as the library declares them, and its machine's own Tasks."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import pytest

from local.state_machines import state_machines
from slipway.jobs.steps import GIVE_UP
from tests.support.functions import function_app
from tests.support.hubs import HUBS

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


def steps(workflow: str) -> set[str]:
    """Return the boundaries of a hub's steps; none of a machine that is no hub."""
    if workflow not in HUBS:
        return set()
    return {f"{workflow}:{step}" for step in (*HUBS[workflow].workflow.steps, GIVE_UP)}


def _boundaries(workflow: str, name: str, state: dict[str, Any]) -> set[str]:
    payload = state["Arguments"].get("Payload", {})
    if workflow in HUBS and not isinstance(payload, dict):
        # A hub's Task: its steps are the boundaries.
        return set()
    if payload == "{% $states.input %}":
        # A step that was found: any state of the workflow's function.
        return set(function_app(f"tasks/{workflow}").STATES)
    if payload.get("operation") == "{% $states.input.step %}":
        # Whatever of the signer's operations is due.
        return {f"{step}:{payload['purpose']}" for step in HUBS[workflow].signed}
    if "operation" in payload:
        return {f"{payload['operation']}:{payload.get('purpose', 'nonce')}"}
    return {str(payload.get("state", name))}


@cache
def boundaries(*names: str) -> frozenset[tuple[str, str]]:
    """Return (boundary, when) of each step, each other Task state, and each state that a Task may be handed."""
    found = set[str]()
    for workflow in names:
        found |= steps(workflow)
        for name, state in _states(state_machines()[workflow].definition):
            if state["Type"] == "Task":
                found |= _boundaries(workflow, name, state)
    return frozenset((name, when) for name in found for when in WHENS)


def at_once_and_alone(faults: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Parameters: all of these faults in one run, and in the long form each in a run of its own."""
    alone = [pytest.param([fault], id="-".join(map(str, fault)), marks=pytest.mark.long) for fault in faults]
    return [pytest.param([*faults], id="all"), *alone]


def together_and_alone(*names: str) -> list[Any]:
    """Kills before and after each of these, as parameters: all in one run, and each in a run of its own."""
    return at_once_and_alone([(name, when) for name in names for when in WHENS])
