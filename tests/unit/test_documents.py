"""What people read: links lead somewhere, lines are short, words are plain, every decision is in the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from local.paths import ROOT

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    *DECISIONS,
    *ROOT.glob("web/*.md"),
    *ROOT.glob("examples/**/*.md"),
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
