"""What people read: links lead somewhere, lines are short, words are plain, every decision is in the index."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

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


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "images" / "concepts").glob("*.svg")), ids=_name)
def test_a_picture_says_what_it_shows_and_stands_alone(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)  # noqa: S314 - our own file
    space = "{http://www.w3.org/2000/svg}"
    named = [root.findtext(f"{space}{part}") or "" for part in ("title", "desc")]
    assert all(len(words) > 20 for words in named)
    assert root.get("role") == "img"
    assert "prefers-color-scheme: dark" in text
    assert not list(root.iter(f"{space}script"))
    assert re.findall(r"(?:https?:|data:|@import)[^\s\"']*", text) == ["http://www.w3.org/2000/svg"]
    width = float(root.get("width", "0"))
    for box in root.iter(f"{space}rect"):
        assert float(box.get("x", 0)) + float(box.get("width", 0)) <= width
    assert f"](images/concepts/{picture.name})" in (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")


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


CELL = re.compile(r"^\| [^|]+ \| ([^|]+) \| [^|]+ \| \[`.*$", re.MULTILINE)
SOURCE = re.compile(r"\[[^\]]+\]\(https://github\.com/[\w.-]+/[\w.-]+/blob/([0-9a-f]{40})/[\w./-]+\)")


def test_every_cell_of_the_others_has_its_source_or_says_that_it_has_none() -> None:
    whole = (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")
    _, *sections = re.split(r"^## ", whole, flags=re.MULTILINE)
    assert len(sections) == 5
    for section in sections:
        read = re.search(rf"\bat\s+{SOURCE.pattern}\s+of\s+20\d\d-\d\d-\d\d\b", section)
        assert read, section[:40]
        for cell in CELL.findall(section):
            cited = SOURCE.fullmatch(cell)
            assert cell == "not verified" or (cited and cited[1] == read[1]), cell


# A quantity with its unit, in a sentence that says how something did.
QUANTITY = re.compile(
    r"\b\d[\d,.]*\s*(?:ms|s|seconds|minutes|min|KB|MB|GB|KiB|MiB|GiB|US dollars|dollars|cents?)(?!\w)|USD \d|\d %"
)
CLAIM = re.compile(
    r"\b(measured|p50|p95|median|took|takes?|costs?|lasts?|lasted|used|uses|faster|slower|instead of|in all)\b"
)
COMMAND = re.compile(r"`(?:[A-Z_]+=\S+ )*(?:make|local/python|python -m) [^`]+`")
RESULTS = ROOT / "docs" / "results.md"
# Sentences that say what is allowed, waited for or promised, by whom: nothing was measured.
LIMITS = {
    "CHANGELOG.md": ["makes an API request wait for 2.5 seconds in all"],
    "docs/akash.md": ["a block takes 6.1 s"],
    "docs/builds.md": ["may take 15 seconds of the processor"],
    "docs/operations.md": [
        "that no block took within 15 minutes",
        "that no block took 15 minutes after its request",
        "after 30 seconds, then each time after twice as long",
        "a session whose last beat is older than 30 minutes",
        "budget used, at 80 % and at 100 %",
    ],
    "docs/workers.md": ["every 300 s, give or take 30"],
    "docs/security.md": ["API Gateway takes 10 MB"],
    "docs/decisions/akash.md": ["a block takes 6.1 s", "that takes a manifest, and a request has two", "takes 4 KB"],
    "docs/decisions/identity-and-limits.md": ["saw in the last 45 seconds"],
    "docs/decisions/stacks.md": ["are promised in all"],
    "docs/decisions/streams.md": ["A lease expires after 15 s"],
    # A price list's.
    "docs/decisions/workers.md": ["costs 40 cents a month", "at most 30 minutes newer than the last one"],
}
# Of options that were rejected: measured once, and nothing of them is in the repository.
REJECTED = {
    "docs/decisions/packaging.md": ["in pure Python, and 0.04 ms"],
    "docs/decisions/akash.md": ["It asks Akash itself, for 1.4 s"],
}


def _claims(document: Path) -> Iterator[str]:
    """Yield the sentences that give a figure without a command in their paragraph."""
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    for paragraph in re.split(r"\n\n|\n(?=[-|#*]|\d+\. )", text):
        for sentence in re.split(r"(?<=[.;:])\s+", " ".join(paragraph.split())):
            if QUANTITY.search(sentence) and CLAIM.search(sentence) and not COMMAND.search(paragraph):
                yield sentence


@pytest.mark.parametrize("document", [one for one in DOCUMENTS if one != RESULTS], ids=_name)
def test_every_measured_figure_has_its_command(document: Path) -> None:
    known = {*LIMITS.get(_name(document), ()), *REJECTED.get(_name(document), ())}
    claims = list(_claims(document))
    listed = RESULTS.read_text(encoding="utf-8").partition("## Figures that other documents name")[2]
    figures = re.compile(r"\d[\d,.]*\d|\d+")

    def is_listed(claim: str) -> bool:
        rows = [row for row in listed.splitlines() if document.name in row and COMMAND.search(row)]
        return any(set(figures.findall(row.split("|")[1])) & set(figures.findall(claim)) for row in rows)

    assert [one for one in claims if not any(text in one for text in known) and not is_listed(one)] == []
    assert [text for text in known if not any(text in one for one in claims)] == [], "nothing says that any more"


def test_every_section_of_the_results_names_what_measures_it() -> None:
    _, *sections = re.split(r"^## ", RESULTS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(sections) > 15
    assert [one.partition("\n")[0] for one in sections if not COMMAND.search(one)] == []


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
