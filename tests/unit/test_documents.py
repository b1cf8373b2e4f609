"""What people read: links lead somewhere, lines are short, words are plain, every decision is in the index."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from local.paths import ROOT
from local.source_template import source_template

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    *DECISIONS,
    *ROOT.glob("docs/tutorials/*.md"),
    *ROOT.glob("web/*.md"),
    *ROOT.glob("clients/*/*.md"),
    *(path for path in ROOT.glob("examples/**/*.md") if "node_modules" not in path.parts),
]
WIDTH = 160
# Words that hide who does what, and phrases that have to be read twice.
BANNED = re.compile(
    r"\b(told|tell|tells|telling|whoever|untold|unheard|heard of|nobody we can believe|which is why one|by whom)\b",
    re.I,
)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", LINK.sub("", heading).lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        path = document.parent / file if file else document
        assert path.exists(), target
        assert not anchor or anchor in _anchors(path), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_lines_are_short(document: Path) -> None:
    """A link's target can't be broken, so it does not count; neither does a line without a blank."""
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        shown = LINK.sub("]", line)
        assert len(shown) <= WIDTH or " " not in shown.strip(), f"line {number} has {len(shown)} characters"


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_words_are_plain(document: Path) -> None:
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", document.read_text(encoding="utf-8")))
    assert BANNED.findall(prose) == []


def test_descriptions_of_the_api_and_the_template_are_plain() -> None:
    api = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    described = [json.dumps(document, ensure_ascii=False) for document in (api, source_template())]
    found = [
        text for whole in described for text in re.findall(r'"(?:[a-zA-Z]*[dD]escription|summary)": "([^"]*)"', whole)
    ]
    assert len(found) > 300
    assert [text for text in found if BANNED.search(text)] == []


COMPARED = re.compile(r"^\| .+ \| .+ \| .+ \| \[`([^`]+)`\]\(\.\./(tests/[\w/]+\.py)\) \|$", re.MULTILINE)


def test_every_comparison_names_a_test_that_is_there() -> None:
    text = (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")
    rows = COMPARED.findall(text)
    assert len(rows) == len(re.findall(r"^\| \w.*\|$", text, re.MULTILINE)) > 50
    for name, file in rows:
        function = f"def test_{name.replace(' ', '_')}("
        assert function in (ROOT / file).read_text(encoding="utf-8"), name


# Documents that name files of the repository, which have to be there.
MAPS = [ROOT / "CONTRIBUTING.md", ROOT / "docs" / "architecture.md"]
FILE = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|md|json|yaml|sh|ts|tsx|sol|toml))`")
PLACES = [ROOT, ROOT / "layers" / "slipway", ROOT / "layers" / "slipway" / "slipway"]
# What each package of the library may have.
KINDS = {"models.py", "rules.py", "service.py", "workflow.py", "store.py", "reconcile.py", "app.py"}


@pytest.mark.parametrize("document", MAPS, ids=_name)
def test_files_that_are_named_are_there(document: Path) -> None:
    named = set(FILE.findall(document.read_text(encoding="utf-8"))) - KINDS
    assert named
    assert [name for name in named if not any((place / name).exists() for place in PLACES)] == []


def test_the_models_steps_are_functions() -> None:
    text = (ROOT / "docs" / "exactly-once.md").read_text(encoding="utf-8")
    mapped = re.findall(r"`(\w+/\w+\.py)` `([\w.]+)`", text)
    assert len(mapped) >= 10
    for file, name in mapped:
        source = (PLACES[2] / file).read_text(encoding="utf-8")
        assert [part for part in name.split(".") if not re.search(rf"(def|class) {part}\b", source)] == [], file


def test_every_decision_is_in_the_index_and_has_its_date() -> None:
    entries = []
    for document in DECISIONS:
        text = document.read_text(encoding="utf-8")
        found = re.findall(r"^## (.*)\n(.*)", text, re.MULTILINE)
        assert [title for title, first in found if not re.match(r"\d{4}-\d{2}-\d{2}\. ", first)] == []
        entries += [(title, document.name) for title, _ in found]
    index = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    listed = re.findall(r"^- \[(.*)\]\(decisions/([\w-]+\.md)#", index, re.MULTILINE)
    assert sorted(listed) == sorted(entries)


def test_hooks_need_nothing_from_elsewhere() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {repository["repo"] for repository in hooks["repos"]} == {"local"}
    for hook in hooks["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith("local/python -m ")
