"""Every point at which a workflow can be cut, read from the state machines' definitions."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.paths import ROOT

TOKEN_WORKFLOWS = ("token_deploy", "token_register")
WHENS = ("before", "after")


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


def boundaries(*workflows: str, directory: Path = ROOT / "statemachines") -> set[tuple[str, str]]:
    """(boundary, when) of each Task state of these workflows."""
    found = set()
    for workflow in workflows:
        machine = json.loads((directory / f"{workflow}.asl.json").read_text(encoding="utf-8"))
        for name, state in _states(machine):
            if state["Type"] == "Task":
                found |= {(_boundary(name, state), when) for when in WHENS}
    return found
