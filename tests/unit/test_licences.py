"""docs/licences.md: every shipped package, with a licence that we may use."""

from __future__ import annotations

import json
import re

import pytest

from local import sbom
from local.licences import DOCUMENT, Package, packages, text
from local.source_template import source_template

# Licences that ask for no more than to be named, and those of tools that are used unchanged.
FREE = {
    "0BSD", "Apache-2.0", "BlueOak-1.0.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC", "MIT",
    "MIT-0", "MPL-2.0", "PSF-2.0", "Unlicense",
}  # fmt: skip
UNCHANGED = {"slither-analyzer", "crytic-compile", "solc", "solc-select"}
COPYLEFT = {"AGPL-3.0-only", "GPL-3.0-only"}


def test_the_committed_list_is_fresh() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "run `make licences` and commit docs/licences.md"


def test_the_bill_of_materials_is_fresh_and_has_every_package() -> None:
    written = sbom.DOCUMENT.read_text(encoding="utf-8")
    assert written == sbom.bill(packages()), "run `make licences` and commit docs/sbom.cdx.json"
    bill = json.loads(written)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["version"] == source_template()["Metadata"]["Slipway"]["Version"]
    listed = {(entry["name"], entry["version"]) for entry in bill["components"]}
    assert listed == {(package.name, package.version) for package in packages()}
    references = [entry["bom-ref"] for entry in bill["components"]]
    assert len(references) == len(set(references))
    urls = {entry["name"]: entry["purl"] for entry in bill["components"]}
    assert urls["pydantic"].startswith("pkg:pypi/pydantic@")
    assert urls["@openzeppelin/contracts"].startswith("pkg:npm/%40openzeppelin/contracts@")
    assert urls["slither-analyzer"].startswith("pkg:pypi/")
    assert urls["solc"].startswith("pkg:npm/")


@pytest.mark.parametrize("package", packages(), ids=lambda package: package.name)
def test_every_licence_is_one_that_we_may_use(package: Package) -> None:
    allowed = FREE | (COPYLEFT if package.name in UNCHANGED else set())
    assert set(re.split(r" AND | OR ", package.licence)) <= allowed
