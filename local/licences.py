"""Writes docs/licences.md: every third-party package that is shipped, its locked version and its licence.

Python packages are those of the layers, as their installed metadata tells; npm packages those of the functions, the
layers and the dashboard, as their lock files tell. `--check` only tells whether the list is up to date (exit 1 if not).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata

from local.layer_requirements import LAYERS
from local.paths import ROOT

DOCUMENT = ROOT / "docs" / "licences.md"
# Where npm packages that reach users or functions are locked, and which of them do; None for all but build tools.
NPM: dict[str, tuple[str, ...] | None] = {
    "layers/solidity": ("@openzeppelin/contracts", "solc"),
    "functions/api/documents": ("swagger-ui-dist",),
    "web": None,
}
_CLASSIFIER = "License :: OSI Approved :: "
_UNTOLD = "not told"
# Of packages whose metadata says less than their licence files.
_READ = {
    "pycryptodome": "BSD-2-Clause AND Unlicense",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "solc": "MIT AND GPL-3.0-only",
}
# SPDX's names for what packages say in their own words.
_SPELLED: dict[str, str] = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache-2.0 license": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "agpl-3.0": "AGPL-3.0-only",
    "gnu affero general public license v3": "AGPL-3.0-only",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}
_HEAD = """\
# Licences
Written by `make licences` from the locked packages and what they say of themselves; packages that only build or test
are left out. The compiler (solc's soljson.js, GPL-3.0), Slither and its own packages (AGPL-3.0) are used unchanged; who
changes them owes others the changed source, and of Slither's its users over a network too.

| package | version | licence | shipped in |
|---|---|---|---|
"""


@dataclass(frozen=True, order=True)
class Package:
    """A package that is shipped, and where."""

    name: str
    version: str
    licence: str
    shipped_in: str


def packages() -> list[Package]:
    """Every package, by name."""
    return sorted({*_python_packages(), *_npm_packages()})


def _python_packages() -> list[Package]:
    found = []
    for layer in LAYERS:
        text = (ROOT / "layers" / layer / "requirements.txt").read_text(encoding="utf-8")
        for name, version, marker in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)(.*)$", text, flags=re.MULTILINE):
            # Layers are for Linux.
            if "win32" not in marker:
                found.append(Package(name, version, python_licence(name), f"layers/{layer}"))
    return found


def python_licence(name: str) -> str:
    """The licence that an installed package tells, as an SPDX expression where it can be read as one."""
    if name in _READ:
        return _READ[name]
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return _UNTOLD
    classifiers = [
        entry.removeprefix(_CLASSIFIER) for entry in told.get_all("Classifier") or [] if _CLASSIFIER in entry
    ]
    # The old field may hold the licence's whole text.
    short = (told.get("License") or "").strip()
    short = short if "\n" not in short and len(short) < 60 else ""
    chosen = told.get("License-Expression") or short or " AND ".join(classifiers) or _UNTOLD
    return " AND ".join(_SPELLED.get(part.lower(), part) for part in chosen.split(" AND "))


def _npm_packages() -> list[Package]:
    found = []
    for folder, shipped in NPM.items():
        lock = ROOT / folder / "package-lock.json"
        for path, entry in json.loads(lock.read_text(encoding="utf-8"))["packages"].items():
            name = path.rpartition("node_modules/")[2]
            is_shipped = name in shipped if shipped is not None else bool(name)
            if is_shipped and not entry.get("dev") and not entry.get("optional") and not entry.get("link"):
                licence = _READ.get(name) or str(entry.get("license", _UNTOLD))
                found.append(Package(name, entry["version"], licence, folder))
    return found


def text() -> str:
    """The document."""
    rows = (f"| {entry.name} | {entry.version} | {entry.licence} | `{entry.shipped_in}` |\n" for entry in packages())
    return _HEAD + "".join(rows)


def main() -> int:
    """The status is 1 when the committed list is stale."""
    parser = argparse.ArgumentParser(prog="python -m local.licences", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if not parser.parse_args().check:
        DOCUMENT.write_text(text(), encoding="utf-8")
        return 0
    if DOCUMENT.read_text(encoding="utf-8") == text():
        return 0
    print("docs/licences.md is stale: run `make licences`.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
