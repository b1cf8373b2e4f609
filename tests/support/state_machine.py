"""Runs a state machine of ``statemachines/`` in this process, as far as those for Akash and stacks need it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.state_machines import state_machines

_COMPARISON = re.compile(r"{% (\$[\w.]+) (=|>) ('?)([^']*)\3 %}")
_MOST_STATES = 2000


@dataclass
class StateMachine:
    """A definition with the function that its tasks invoke.

    Attributes:
        name: The definition's name.
        invoke: Runs a task's payload; its errors are known by their class names.
        scale: Real seconds of a second of Wait states and of pauses between retries.
        visited: Names of the states that were entered.
        nested: Runs the input of a nested execution.
    """

    name: str
    invoke: Callable[[dict[str, Any]], Any]
    scale: float = 0.01
    visited: list[str] = field(default_factory=list)
    nested: Callable[[dict[str, Any]], Any] | None = None

    def run(self, given: dict[str, Any]) -> Any:
        """From the start to a final state, whose output is returned."""
        definition = state_machines()[self.name].definition
        states, current, value = definition["States"], definition["StartAt"], given
        variables: dict[str, Any] = {}
        for _ in range(_MOST_STATES):
            state = states[current]
            self.visited.append(current)
            scope = {
                "$states.input": value,
                "$states.context.Execution.Id": "execution",
                **{f"${name}": entry for name, entry in variables.items()},
            }
            match state["Type"]:
                case "Succeed":
                    return _filled(state.get("Output", value), scope)
                case "Choice":
                    chosen = (entry["Next"] for entry in state["Choices"] if _holds(entry["Condition"], scope))
                    current = next(chosen, state["Default"])
                    continue
                case "Wait":
                    time.sleep(_filled(state["Seconds"], scope) * self.scale)
                case "Task":
                    value, caught = self._task(state, scope)
                    if caught:
                        variables |= caught
                        current = state["Catch"][0]["Next"]
                        continue
            variables |= _filled(state.get("Assign", {}), {**scope, "$states.result.Payload": value})
            current = state["Next"]
        raise AssertionError(f"no end after {_MOST_STATES} states, the last of them {self.visited[-20:]}")

    def _task(self, state: dict[str, Any], scope: dict[str, Any]) -> tuple[Any, dict[str, str] | None]:
        if self.nested and state["Resource"].endswith("startExecution.sync:2"):
            self.nested(_filled(state["Arguments"]["Input"], scope))
            return scope["$states.input"], None
        payload = _filled(state["Arguments"]["Payload"], scope)
        tries: dict[int, int] = {}
        while True:
            try:
                return self.invoke(payload), None
            except Exception as error:
                name = type(error).__name__
                retry = _retry_of(state, name)
                if retry is not None and tries.get(id(retry), 0) < retry["MaxAttempts"]:
                    tries[id(retry)] = tries.get(id(retry), 0) + 1
                    time.sleep(retry["IntervalSeconds"] * self.scale)
                    continue
                if "Catch" not in state:
                    raise
                cause = json.dumps({"errorMessage": str(error), "errorType": name})
                return None, {"error": name, "cause": cause}


def _retry_of(state: dict[str, Any], error: str) -> dict[str, Any] | None:
    names = ({error, "States.ALL"} & set(retry["ErrorEquals"]) for retry in state["Retry"])
    return next((retry for retry, named in zip(state["Retry"], names, strict=True) if named), None)


def _holds(condition: str, scope: dict[str, Any]) -> bool:
    match = _COMPARISON.fullmatch(condition)
    assert match, condition
    left = _filled("{% " + match[1] + " %}", scope)
    return bool(left == match[4] if match[2] == "=" else left > float(match[4]))


def _filled(template: Any, scope: dict[str, Any]) -> Any:
    if isinstance(template, dict):
        return {key: _filled(entry, scope) for key, entry in template.items()}
    if not isinstance(template, str) or not template.startswith("{% "):
        return template
    path = template.removeprefix("{% ").removesuffix(" %}")
    known = max((name for name in scope if path == name or path.startswith(name + ".")), key=len)
    value = scope[known]
    for step in path.removeprefix(known).split(".")[1:]:
        value = value[step]
    return value
