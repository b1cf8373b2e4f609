"""Write docs/licences.md and docs/sbom.cdx.json: every third-party package that is shipped, its version and licence.

Python packages are those of the layers, read from their installed metadata; npm packages those of the functions, the
layers and the dashboard, read from their lock files. `--check` writes nothing and exits 1 if the list is stale.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata

from local import sbom
from local.layer_requirements import LAYERS
from local.paths import ROOT

DOCUMENT = ROOT / "docs" / "licences.md"
# Where npm packages that reach users or functions are locked, and which of them do; None for all but build tools.
NPM: dict[str, tuple[str, ...] | None] = {
    "layers/solidity": ("@openzeppelin/contracts", "@openzeppelin/contracts-upgradeable", "solc"),
    "functions/api/documents": ("swagger-ui-dist",),
    "web": None,
}
_CLASSIFIER = "License :: OSI Approved :: "
_UNKNOWN = "unknown"
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
Slipway is licensed under [Apache-2.0](../LICENSE). This list has every third-party package that is shipped with it.
`make licences` writes it from the locked versions and the packages' own metadata. Packages for building or testing are
left out. Most licences only require that their notice is kept. Two kinds require more; both are only in the solidity
layer. This is how the project reads them; it is not legal advice.

## What the AGPL of Slither means
Slither and its packages (`slither-analyzer`, `crytic-compile`, `solc-select`) are under the AGPL-3.0. They are in
the solidity layer, which one function uses (`ContractTasks`), and run in a separate process
(`slipway/builds/audit/slither_worker.py`). The rest of Slipway exchanges JSON with that process over pipes. We regard
the two as separate programs in one distribution (an "aggregate", section 5), so the AGPL covers the process and not the
rest. Audit reports are output, which the AGPL does not cover.

Slither's files are unchanged. But `slither_worker.py` imports Slither and derives classes from it, so regard the
whole process as a modified version. Section 13 then applies when others use it over a network, as callers of
`/api/v1/builds` do.

**If you run Slipway for yourself or your organisation**: nothing to do.

**If you offer it to others over a network**: offer those users, in a prominent place and at no charge, the source of
what runs in that process: `slither_worker.py` with what it imports from Slipway, and the three packages in the locked
versions. A link is enough, in your dashboard or documentation, to this repository at the commit that you deployed;
`uv.lock` names the versions. It must stay reachable as long as you offer the service.

**If you change `slither_worker.py` or the packages**: the same, with a link to your changed source under the AGPL-3.0.
Changes elsewhere in Slipway stay yours, under Apache-2.0 or any other terms.

**If you give others the built layer** (a copy, an image, a deployment into their account): also pass on the licence
texts and the source, or directions to it (sections 4 to 6). The layer holds the licence texts in the packages'
`dist-info` folders.

**If you don't want it**: remove `slither-analyzer` from the group `solidity` in `pyproject.toml` and run `make lock`.
Builds then fail with `AUDIT_UNAVAILABLE` before anything is deployed, and everything else works.

## What the GPL of the compiler means
The compiler (`soljson.js` of the npm package `solc`) is under the GPL-3.0, is unchanged, and runs in a separate V8
engine. Running it for others over a network requires nothing. If you give others the built layer, pass on its licence
and source like Slither's. Contracts that it compiles are output, which the GPL does not cover.

## Packages
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
    """Return every package, by name."""
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
    """Return the licence in an installed package's metadata, as an SPDX expression where it can be read as one."""
    if name in _READ:
        return _READ[name]
    try:
        found = metadata(name)
    except PackageNotFoundError:
        return _UNKNOWN
    classifiers = [
        entry.removeprefix(_CLASSIFIER) for entry in found.get_all("Classifier") or [] if _CLASSIFIER in entry
    ]
    # The old field may hold the licence's whole text.
    short = (found.get("License") or "").strip()
    short = short if "\n" not in short and len(short) < 60 else ""
    chosen = found.get("License-Expression") or short or " AND ".join(classifiers) or _UNKNOWN
    return " AND ".join(_SPELLED.get(part.lower(), part) for part in chosen.split(" AND "))


def _npm_packages() -> list[Package]:
    found = []
    for folder, shipped in NPM.items():
        lock = ROOT / folder / "package-lock.json"
        for path, entry in json.loads(lock.read_text(encoding="utf-8"))["packages"].items():
            # The lock names a package that stands in for another one.
            name = entry.get("name", path.rpartition("node_modules/")[2]) if path else ""
            is_shipped = name in shipped if shipped is not None else bool(name)
            if is_shipped and not entry.get("dev") and not entry.get("optional") and not entry.get("link"):
                licence = _READ.get(name) or str(entry.get("license", _UNKNOWN)).strip("()")
                found.append(Package(name, entry["version"], licence, folder))
    return found


def text() -> str:
    """Return the document."""
    rows = (f"| {entry.name} | {entry.version} | {entry.licence} | `{entry.shipped_in}` |\n" for entry in packages())
    return _HEAD + "".join(rows)


def main() -> int:
    """Write or check the document; return 1 when the committed list is stale."""
    parser = argparse.ArgumentParser(prog="python -m local.licences", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    documents = {DOCUMENT: text(), sbom.DOCUMENT: sbom.bill(packages())}
    if not parser.parse_args().check:
        for path, wanted in documents.items():
            path.write_text(wanted, encoding="utf-8")
        return 0
    stale = [path.name for path, wanted in documents.items() if path.read_text(encoding="utf-8") != wanted]
    for name in stale:
        print(f"docs/{name} is stale: run `make licences`.", file=sys.stderr)
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
