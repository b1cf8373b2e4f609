"""docs/licences.md: every shipped package, with a licence that we may use."""

from __future__ import annotations

import re

import pytest

from local.licences import DOCUMENT, Package, packages, text

# Licences that ask for no more than to be named, and those of tools that are used unchanged.
FREE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC", "MIT", "MIT-0", "MPL-2.0",
    "PSF-2.0", "Unlicense",
}  # fmt: skip
UNCHANGED = {"slither-analyzer", "crytic-compile", "solc", "solc-select"}
COPYLEFT = {"AGPL-3.0-only", "GPL-3.0-only"}


def test_the_committed_list_is_fresh() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "run `make licences` and commit docs/licences.md"


@pytest.mark.parametrize("package", packages(), ids=lambda package: package.name)
def test_every_licence_is_one_that_we_may_use(package: Package) -> None:
    allowed = FREE | (COPYLEFT if package.name in UNCHANGED else set())
    assert set(re.split(r" AND | OR ", package.licence)) <= allowed
