"""Runs a state machine of ``statemachines/`` in this process, as far as those for Akash and stacks need it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.state_machines import state_machines

_EQUALS = re.compile(r"(\$[\w.]+) = '(\w+)'")
_MAX_STATES = 2000


@dataclass
class StateMachine:
    """A definition with the function that its tasks invoke.

    Attributes:
        name: The definition's name.
        invoke: Runs a task's payload; its errors are known by their class names.
        wait: Lets the seconds of Wait states and of pauses between retries pass.
        visited: Names of the states that were entered.
        nested: Runs the input of a nested execution.
    """

    name: str
    invoke: Callable[[dict[str, Any]], Any]
    wait: Callable[[float], None]
    visited: list[str] = field(default_factory=list)
    nested: Callable[[dict[str, Any]], Any] | None = None

    def run(self, given: dict[str, Any]) -> Any:
        """From the start to a final state, whose output is returned."""
        definition = state_machines()[self.name].definition
        states, current, value = definition["States"], definition["StartAt"], given
        variables: dict[str, Any] = {}
        for _ in range(_MAX_STATES):
            state = states[current]
            self.visited.append(current)
            scope = {
                "$states.input": value,
                "$states.context.Execution.Id": "execution",
                **{f"${name}": entry for name, entry in variables.items()},
            }
            match state["Type"]:
                case "Succeed":
                    return value
                case "Choice":
                    chosen = (entry["Next"] for entry in state["Choices"] if _holds(entry["Condition"], scope))
                    current = next(chosen, state["Default"])
                    continue
                case "Wait":
                    self.wait(_filled(state["Seconds"], scope))
                case "Task":
                    state, scope = self._task(state, scope)
                    value = _filled(state.get("Output", value), scope)
            variables |= _filled(state.get("Assign", {}), scope)
            current = state["Next"]
        raise AssertionError(f"no end after {_MAX_STATES} states, the last of them {self.visited[-20:]}")

    def _task(self, state: dict[str, Any], scope: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what goes on after a task, the state itself or its Catch, and what is known there."""
        tries: dict[int, int] = {}
        while True:
            try:
                return state, {**scope, "$states.result.Payload": self._call(state, scope)}
            except Exception as error:
                name = type(error).__name__
                retry = _retry_of(state, name)
                count = tries.get(id(retry), 0)
                if retry is not None and count < retry["MaxAttempts"]:
                    tries[id(retry)] = count + 1
                    pause = retry["IntervalSeconds"] * retry["BackoffRate"] ** count
                    self.wait(min(pause, retry["MaxDelaySeconds"]) / 2)
                    continue
                if "Catch" not in state:
                    raise
                (catch,) = state["Catch"]
                cause = json.dumps({"errorMessage": str(error), "errorType": name})
                return catch, {**scope, "$states.errorOutput.Error": name, "$states.errorOutput.Cause": cause}

    def _call(self, state: dict[str, Any], scope: dict[str, Any]) -> Any:
        arguments = _filled(state["Arguments"], scope)
        if state["Resource"].endswith("startExecution.sync:2"):
            assert self.nested
            return self.nested(arguments["Input"])
        return self.invoke(arguments["Payload"])


def _retry_of(state: dict[str, Any], error: str) -> dict[str, Any] | None:
    names = ({error, "States.ALL"} & set(retry["ErrorEquals"]) for retry in state["Retry"])
    return next((retry for retry, named in zip(state["Retry"], names, strict=True) if named), None)


def _holds(condition: str, scope: dict[str, Any]) -> bool:
    alternatives = condition.removeprefix("{% ").removesuffix(" %}").split(" or ")
    matches = [_EQUALS.fullmatch(alternative) for alternative in alternatives]
    if not any(matches):
        return bool(_filled(condition, scope))
    assert all(matches), condition
    return any(match and _value(match[1], scope) == match[2] for match in matches)


def _filled(template: Any, scope: dict[str, Any]) -> Any:
    if isinstance(template, dict):
        return {key: _filled(entry, scope) for key, entry in template.items()}
    if not isinstance(template, str) or not template.startswith("{% "):
        return template
    return _value(template.removeprefix("{% ").removesuffix(" %}"), scope)


def _value(expression: str, scope: dict[str, Any]) -> Any:
    if expression.startswith("$string("):
        return str(_value(expression.removeprefix("$string(").removesuffix(")"), scope))
    expression, _, added = expression.partition(" + ")
    known = max((name for name in scope if expression == name or expression.startswith(name + ".")), key=len)
    value = scope[known]
    for step in expression.removeprefix(known).split(".")[1:]:
        value = value[step]
    return value + int(added) if added else value
