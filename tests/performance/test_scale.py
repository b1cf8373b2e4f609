"""More data makes nothing dearer: short forms of `bench.scale`, and what no code may ask of a table."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.uv import python_of
from tests.support.template import ROOT

CODE = [*(ROOT / "layers" / "slipway").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]


def test_four_times_the_data_costs_the_same() -> None:
    if not python_of("ministack").exists():
        pytest.skip("needs the local engine: `make test` sets it up")
    # In a process of its own: it has clients of an engine that ends with it.
    command = [str(ROOT / "local" / "python"), "-W", "ignore", "-m", "bench.scale", "--times", "1", "4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert [line for line in done.stdout.splitlines() if line.endswith("MISSED")] == []
    assert done.returncode == 0, done.stderr


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
    machines = [path.read_text() for path in (ROOT / "statemachines").glob("*.json")]
    for text in [*machines, (ROOT / "template.yaml").read_text()]:
        assert "dynamodb:scan" not in text.lower()
