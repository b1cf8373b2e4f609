"""The folders that docs/architecture.md describes are the ones there are."""

from __future__ import annotations

import re

import pytest

from local.paths import ROOT

TEXT = (ROOT / "docs" / "architecture.md").read_text()
FOLDERS = re.findall(r"^\| `([a-z/_]+)/` \|", TEXT.split("## Folders")[1].split("## The library")[0], re.MULTILINE)
PACKAGES = re.findall(r"^\| `([a-z_]+)/` \|", TEXT.split("## The library")[1], re.MULTILINE)
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
