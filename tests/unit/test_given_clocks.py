"""Time is given: what decides by it, or waits, takes a ``Clock``, so that tests neither sleep nor patch it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.unit.test_layering import MODULES

# Modules that ask for the real time themselves.
REAL = {
    "slipway.times": "the clock itself",
    "slipway.observability": "when a metric was counted",
    "slipway.solidity.compiler": "how long a compiler's process may take",
    "slipway.builds.audit.compilation": "how long a compilation took",
    "slipway.builds.audit.auditor": "how long an audit took",
    "slipway.builds.audit.slither": "how long Slither's process may take",
    "slipway.builds.audit.__main__": "how long an audit took, run from a terminal",
}
_RAW = {
    *(f"time.{name}" for name in ("time", "time_ns", "monotonic", "monotonic_ns", "sleep")),
    *(f"datetime.{name}" for name in ("now", "utcnow", "today")),
}
# Those of ``slipway.times`` that take a clock, or the moment that ``now`` of a clock gives.
_OF_A_CLOCK = {"now", "now_text", "epoch_seconds", "epoch_milliseconds"}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    return (found for found in ast.walk(node) if isinstance(found, ast.Call))


def _arguments(function: _Function) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _clocks(node: ast.AST) -> list[ast.expr | None]:
    """Return the annotations of the clocks that a function, or an object of a class, is given."""
    if isinstance(node, _Function):
        return [argument.annotation for argument in _arguments(node) if argument.arg == "clock"]
    if isinstance(node, ast.ClassDef):
        fields = [
            entry.annotation
            for entry in node.body
            if isinstance(entry, ast.AnnAssign) and ast.unparse(entry.target) == "clock"
        ]
        begins = [entry for entry in node.body if isinstance(entry, _Function) and entry.name == "__init__"]
        return fields + [clock for begin in begins for clock in _clocks(begin)]
    return []


def test_few_modules_ask_for_the_real_time_and_each_has_a_reason() -> None:
    asking = {module for module in MODULES if any(ast.unparse(call.func) in _RAW for call in _calls(_tree(module)))}
    assert asking == set(REAL)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_what_is_given_a_clock_goes_by_it_alone(module: str) -> None:
    for node in ast.walk(_tree(module)):
        if not (given := _clocks(node)):
            continue
        # One kind of clock, everywhere.
        assert {ast.unparse(kind) for kind in given if kind} <= {"Clock", "Clock | None"}, ast.unparse(node)[:200]
        others = [ast.unparse(call) for call in _calls(node) if not (call.args or call.keywords)]
        assert [call for call in others if call.removesuffix("()") in _OF_A_CLOCK] == [], (module, node.lineno)  # type: ignore[attr-defined]
