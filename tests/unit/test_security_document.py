"""docs/security.md: every test that it names is there."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from tests.support.template import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/.]+\.py::\w+)`", TEXT)))


@pytest.mark.parametrize("named", NAMED)
def test_a_named_test_is_there(named: str) -> None:
    path, _, name = named.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_threat_names_its_test() -> None:
    threats = re.findall(r"^- (\*\*.+?(?=\n- |\n\n|\Z))", TEXT.split("## Dependencies")[0], re.MULTILINE | re.DOTALL)
    assert len(threats) > 40
    for threat in threats:
        found = re.fullmatch(r"\*\*[^*]+\.\*\* (.+)\n  `(\S+)`", threat, re.DOTALL)
        assert found, threat
        assert found[2] in NAMED, threat


@pytest.mark.parametrize(
    "path",
    [
        *sorted((ROOT / "docs" / "examples").glob("*.yaml")),
        ROOT / "web" / "src" / "deployments" / "templates.ts",
        ROOT / "layers" / "slipway" / "slipway" / "akash" / "models.py",
    ],
    ids=lambda path: path.name,
)
def test_images_of_examples_are_named_by_digest(path: Path) -> None:
    images = re.findall(r"^ +image: \"?([^\s\",]+)\"?,?$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert images
    assert [image for image in images if not re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", image)] == []


def test_the_dashboard_writes_no_markup_of_its_own() -> None:
    sources = [path for path in (ROOT / "web" / "src").rglob("*") if path.suffix in (".ts", ".tsx")]
    assert sources
    pattern = r"dangerouslySetInnerHTML|\.(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function\("
    assert [str(path) for path in sources if re.search(pattern, path.read_text(encoding="utf-8"))] == []


def test_the_dashboard_takes_scripts_from_itself_alone_and_stands_in_no_frame() -> None:
    rules = json.loads((ROOT / "web" / "vercel.json").read_text(encoding="utf-8"))["headers"]
    headers = {entry["key"]: entry["value"] for rule in rules if rule["source"] == "/(.*)" for entry in rule["headers"]}
    parts = [part.split() for part in headers["content-security-policy"].split(";")]
    policy = {name: sources for name, *sources in parts}
    assert policy["default-src"] == policy["script-src"] == ["'self'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert headers["x-content-type-options"] == "nosniff"
