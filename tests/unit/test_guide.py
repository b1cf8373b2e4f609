"""The guide: its contents name every document, and every command in a tutorial is run by a test."""

from __future__ import annotations

import re
from typing import Any

import yaml

from local.guide import documents, files
from local.paths import ROOT

# Commands that begin or deploy something; tests of these names run them, elsewhere than in a tutorial's order.
RUN_ELSEWHERE = {
    "make start": "tests/stack/conftest.py",
    "pip install ./clients/python": "tests/stack/clients/conftest.py",
    "cd clients/typescript && npm ci && npm run build": "tests/stack/clients/test_next_example.py",
    "cd ../../examples/next && npm ci": "tests/stack/clients/test_next_example.py",
    "npm run dev": "tests/stack/clients/test_next_example.py",
    "cp deploy/example.toml deploy/production.toml": "tests/functional/test_deploy.py",
    "make deploy ENV=production PLAN=yes": "tests/stack/test_two_installations.py",
    "make deploy ENV=production": "tests/stack/test_two_installations.py",
    "make smoke API=https://api.example.com": "tests/stack/test_two_installations.py",
    "make destroy ENV=production": "tests/functional/test_deploy.py",
}
TUTORIALS = [ROOT / "docs" / "tutorials.md", *sorted((ROOT / "docs" / "tutorials").glob("*.md"))]


def _named(entry: Any) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    return [name for part in (entry.values() if isinstance(entry, dict) else entry) for name in _named(part)]


def test_the_contents_name_every_document() -> None:
    named = _named(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    assert len(named) == len(set(named))
    there = {str(path.relative_to(ROOT)) for path in documents()}
    # Entries of the record, and what belongs to one folder, are reached from their indexes.
    apart = {name for name in there if re.match(r"docs/decisions/|clients/|web/", name)}
    assert there - apart == set(named)


def test_what_documents_link_to_comes_along() -> None:
    assert ROOT / "tests" / "stack" / "test_akash_deploy.py" in files()
    assert ROOT / "docs" / "images" / "dashboard.png" in files()


def test_every_command_of_a_tutorial_is_run() -> None:
    """Blocks of sh are run by tests/stack/clients/test_tutorials.py, and there are no others but of bash."""
    for tutorial in TUTORIALS:
        text = tutorial.read_text(encoding="utf-8")
        assert set(re.findall(r"^```(\w+)$", text, re.MULTILINE)) <= {"sh", "bash"}, tutorial
        for block in re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            for command in block.splitlines():
                assert (ROOT / RUN_ELSEWHERE[command]).exists(), command
