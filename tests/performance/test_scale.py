"""More data makes nothing dearer: short forms of `bench.scale`, and what no code may ask of a table."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.scale import FLAT, GROWING, measure, units
from local.uv import python_of
from tests.support.template import ROOT

CODE = [*(ROOT / "layers" / "slipway").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]


def test_four_times_the_data_costs_the_same() -> None:
    if not python_of("ministack").exists():
        pytest.skip("needs the local engine: `make test` sets it up")
    found = measure([1, 4], base=100)
    grown = {
        name: (units(first), units(last))
        for name, (first, last) in found.items()
        if units(last) > units(first) * FLAT and name not in GROWING
    }
    assert grown == {}
    assert set(found) >= GROWING


def _calls(path: Path) -> Iterator[str]:
    """Names of the methods that a file calls."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_scans_a_table(path: Path) -> None:
    # A table's `count` without a key is a Scan as well, but PynamoDB's takes one always: see its own test.
    assert {"scan", "rate_limited_scan", "parallel_scan", "execute_statement"} & set(_calls(path)) == set()
    assert not re.search(r"dynamodb:(Scan|PartiQL)|SELECT \* FROM", path.read_text(encoding="utf-8"))


def test_no_state_machine_and_no_policy_scans_a_table() -> None:
    machines = [json.dumps(json.loads(path.read_text())) for path in (ROOT / "statemachines").glob("*.json")]
    for text in [*machines, (ROOT / "template.yaml").read_text()]:
        assert "dynamodb:scan" not in text.lower()
