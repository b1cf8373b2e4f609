"""Writes what each layer installs: `requirements.txt` from `uv.lock`, npm packages from `package-lock.json`; exact
versions with hashes.

`python -m local.layer_requirements` writes them, `--check` only checks whether they are up to date (exit 1 if not).
A heavier layer leaves out whatever a lighter one that it is always used with holds already: Lambda joins the layers in
one place, and together they may not weigh more than 250 MB.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

from local.paths import ROOT
from local.uv import find_uv

# Each layer, with the lighter layers under it. Dependency groups have the same names.
LAYERS: dict[str, tuple[str, ...]] = {
    "dependencies": (),
    "chain": ("dependencies",),
    "solidity": ("dependencies", "chain"),
}

# What the solidity layer takes from npm: everything that package.json names beside its development dependencies.
NPM_LAYER = ROOT / "layers" / "solidity"

HEADER = "# Written by `make lock` from uv.lock; do not edit.\n"


def export(group: str, without: list[str]) -> str:
    """Return the pinned requirements of a dependency group."""
    omissions = chain.from_iterable(("--no-emit-package", package) for package in without)
    command = [find_uv(), "export", "--frozen", "--only-group", group, "--no-emit-project", "--no-header",
               "--no-annotate", "--quiet", *omissions]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def package_names(requirements: str) -> list[str]:
    """Return the names of the packages that a requirements text pins."""
    return re.findall(r"^([A-Za-z0-9._-]+)==", requirements, flags=re.MULTILINE)


def layer_requirements() -> dict[Path, str]:
    """Return the text of every layer's requirements by path."""
    texts: dict[Path, str] = {}
    held: dict[str, list[str]] = {}
    for layer, lighter in LAYERS.items():
        without = sorted(set(chain.from_iterable(held[name] for name in lighter)))
        requirements = export(layer, without)
        held[layer] = [*without, *package_names(requirements)]
        texts[ROOT / "layers" / layer / "requirements.txt"] = HEADER + requirements
    return texts


def npm_files() -> dict[Path, str]:
    """Return the texts of the solidity layer's `package.json` and `package-lock.json` by path, from the repository's
    own."""
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    package = {"name": "slipway-solidity-layer", "version": "0.1.0", "private": True, "dependencies": wanted}
    head = {key: package[key] for key in ("name", "version")}
    packages = {"": package, **_closure(lock["packages"], list(wanted))}
    locked = {**head, "lockfileVersion": lock["lockfileVersion"], "requires": True, "packages": packages}
    texts = {"package.json": package, "package-lock.json": locked}
    return {NPM_LAYER / name: json.dumps(content, indent=2) + "\n" for name, content in texts.items()}


def _closure(packages: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Return the locked packages with these names and all that they need."""
    found: dict[str, Any] = {}
    pending = [(name, "") for name in names]
    while pending:
        name, needed_by = pending.pop()
        # A package nested in the one that needs it goes before a common one.
        path = next(p for p in (f"{needed_by}/node_modules/{name}", f"node_modules/{name}") if p in packages)
        if path not in found:
            found[path] = packages[path]
            pending += [(further, path) for further in packages[path].get("dependencies", {})]
    return dict(sorted(found.items()))


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is out of date")
    check = parser.parse_args().check
    stale = 0
    for path, text in {**layer_requirements(), **npm_files()}.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if check:
            print(f"{path.relative_to(ROOT)} does not match the locks: run `make lock`", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
