"""The folders that docs/architecture.md describes are the ones there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from local.paths import ROOT

TEXT = (ROOT / "docs" / "architecture.md").read_text()
FOLDERS = re.findall(r"^\| `([a-z/_]+)/` \|", TEXT.split("## Folders")[1].split("## The library")[0], re.MULTILINE)
PACKAGES = re.findall(r"^\| `([a-z_]+)/` \|", TEXT.split("## The library")[1], re.MULTILINE)
ROOMS = re.findall(r"^\| `([a-z_]+/[a-z_]+)/` \|", TEXT.split("## The library")[1], re.MULTILINE)
LIBRARY = ROOT / "layers" / "slipway" / "slipway"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_described_folder_is_there(folder: str) -> None:
    assert (ROOT / folder).is_dir()


@pytest.mark.parametrize("parent", ["functions", "layers"])
def test_every_folder_of_code_is_described(parent: str) -> None:
    there = {f"{parent}/{path.parent.name}" for path in (ROOT / parent).glob("*/*") if path.is_file()}
    there |= {f"{parent}/{path.name}" for path in (ROOT / parent).iterdir() if any(path.glob("*/app.py"))}
    assert there <= set(FOLDERS)


def test_every_package_of_the_library_is_described() -> None:
    assert {path.parent.name for path in LIBRARY.glob("*/__init__.py")} == set(PACKAGES)


def test_every_room_is_described() -> None:
    rooms = {str(path.parent.relative_to(LIBRARY)) for path in LIBRARY.glob("*/*/__init__.py")}
    assert rooms == set(ROOMS)


def test_every_workflow_is_on_a_way() -> None:
    ways = TEXT.split("## The life of a job")[1].split("## Folders")[0]
    machines = {path.name.removesuffix(".asl.json") for path in (ROOT / "statemachines").glob("*.asl.json")}
    assert {name for name in machines if name not in ways} == set()


# Declarations of routes take lines, so what a function does is counted in statements.
MAX_STATEMENTS, MAX_IN_ONE_FUNCTION = 20, 8


def _statements(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    has_docstring = ast.get_docstring(function) is not None
    return sum(isinstance(node, ast.stmt) for part in function.body for node in ast.walk(part)) - has_docstring


@pytest.mark.parametrize("path", sorted((ROOT / "functions").rglob("*.py")), ids=lambda path: str(path.parent.name))
def test_functions_are_thin(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [_statements(node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert sum(found) <= MAX_STATEMENTS
    assert max(found, default=0) <= MAX_IN_ONE_FUNCTION


def _files() -> list[str]:
    skipped = {"node_modules", "__pycache__"}
    return [
        path.relative_to(ROOT).as_posix()
        for part in ROOT.iterdir()
        if not part.name.startswith(".") and part.name not in skipped
        for path in ([part] if part.is_file() else part.rglob("*.*"))
        if not skipped & {*path.parts}
    ]


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_file_that_is_named_is_there(document: str) -> None:
    """A path may be from the root, from the library, or from the folder that the text is about."""
    text = (ROOT / document).read_text(encoding="utf-8")
    named = {name.removeprefix("../") for name in re.findall(r"[\w./-]*\w\.(?:py|yaml|json)\b", text)}
    assert len(named) > 20
    there = _files()
    assert {name for name in named if not any(f"/{path}".endswith(f"/{name}") for path in there)} == set()
