"""The README names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from local.paths import ROOT
from tests.support.template import template

README = ROOT / "README.md"
DOCUMENTS = [README, *sorted((ROOT / "docs").glob("*.md")), ROOT / "web" / "README.md"]


def test_every_parameter_is_explained() -> None:
    explained = set(re.findall(r"`([A-Z][A-Za-z0-9]+)`", README.read_text().split("## On AWS")[1]))
    assert set(template()["Parameters"]) <= explained


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    local = [target for target in targets if not target.startswith(("http:", "https:", "mailto:"))]
    assert [target for target in local if not (document.parent / target).exists()] == []
