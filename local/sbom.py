"""The software bill of materials of a release: docs/sbom.cdx.json, as CycloneDX 1.6 has it.

Source: CycloneDX 1.6's JSON schema; package URLs by the purl specification. It is the list of docs/licences.md for
programs, written with it, so it names no time of its own: the same locks give the same file.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from local.paths import ROOT
from local.source_template import source_template

DOCUMENT = ROOT / "docs" / "sbom.cdx.json"


def package_url(name: str, version: str, shipped_in: str) -> str:
    """Return a package's URL: Python's are in the layers, npm's everywhere that has a package-lock.json."""
    is_npm = (ROOT / shipped_in / "package-lock.json").exists() and not _is_python(name, shipped_in)
    if is_npm:
        return f"pkg:npm/{quote(name, safe='/')}@{version}"
    # Names of PyPI are compared in lower case, with hyphens.
    return f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"


def _is_python(name: str, shipped_in: str) -> bool:
    requirements = ROOT / shipped_in / "requirements.txt"
    return requirements.exists() and f"\n{name}==" in f"\n{requirements.read_text(encoding='utf-8')}"


def bill(packages: list[Any]) -> str:
    """Return the bill of these packages (``local.licences.Package``), each once, with where it is shipped."""
    version = str(source_template()["Metadata"]["Slipway"]["Version"])
    components: dict[str, dict[str, Any]] = {}
    for package in packages:
        url = package_url(package.name, package.version, package.shipped_in)
        component = components.setdefault(
            url,
            {
                "type": "library", "bom-ref": url, "name": package.name, "version": package.version, "purl": url,
                "licenses": [{"expression": package.licence}], "properties": [],
            },
        )  # fmt: skip
        component["properties"].append({"name": "slipway:shipped_in", "value": package.shipped_in})
    own = {"type": "application", "bom-ref": "slipway", "name": "slipway", "version": version,
           "licenses": [{"expression": "Apache-2.0"}]}  # fmt: skip
    whole = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own},
        "components": [components[url] for url in sorted(components)],
    }
    return json.dumps(whole, indent=1) + "\n"
