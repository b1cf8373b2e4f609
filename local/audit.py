"""`python -m local.audit` asks pip-audit and `npm audit` about everything that is shipped.

Both need the internet. What could not be asked is named and is no failure, unless `--strict` is given: an installation
behind a registry that has no advisories can still be checked for the rest.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from local.layer_requirements import LAYERS
from local.licences import NPM
from local.paths import ROOT
from local.uv import find_uv

FOUND, NOT_ASKED = 1, 2
type Run = Callable[[list[str]], tuple[str, str]]


def commands() -> dict[str, list[str]]:
    """Return what is asked, by what it is asked about."""
    asked = {
        f"layers/{layer}/requirements.txt": [
            find_uv(), "tool", "run", "pip-audit", "--no-deps", "--disable-pip", "--require-hashes", "--format", "json",
            "--progress-spinner", "off", "--requirement", f"layers/{layer}/requirements.txt",
        ]
        for layer in LAYERS
    }  # fmt: skip
    for folder in NPM:
        asked[f"{folder}/package-lock.json"] = ["npm", "--prefix", folder, "audit", "--omit=dev", "--json"]
    return asked


class NotAskedError(Exception):
    """A tool could not ask, so nothing is known; the message says why."""


def findings(output: str, errors: str = "") -> list[str]:
    """Return the vulnerabilities in a tool's answer.

    Both tools exit with 1 for findings and for failures alike, and pip-audit with 0 when no package is known to the
    registry, so only their answers say which.

    Raises:
        NotAskedError: There is no answer in it, or one that does not cover every package.
    """
    try:
        answer = json.loads(output)
    except ValueError as error:
        raise NotAskedError(_last_line(errors or output)) from error
    match answer:
        case {"error": _}:
            raise NotAskedError(str(answer.get("message") or answer["error"]))
        case {"dependencies": dependencies}:
            return _of_pip_audit(dependencies)
        case {"vulnerabilities": found}:
            return [f"{name}: {entry['severity']}" for name, entry in sorted(found.items())]
    raise NotAskedError(_last_line(errors or output))


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no answer")


def _of_pip_audit(dependencies: list[dict[str, Any]]) -> list[str]:
    skipped = [entry["skip_reason"] for entry in dependencies if "skip_reason" in entry]
    if skipped:
        raise NotAskedError(f"{len(skipped)} of {len(dependencies)} packages were skipped: {skipped[0]}")
    return [
        f"{entry['name']} {entry['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'none'}"
        for entry in dependencies
        for found in entry["vulns"]
    ]


def audit(asked: dict[str, list[str]], run: Run, *, strict: bool) -> int:
    """Ask, print what was found, and return the status: 1 for findings; if strict, 2 for what could not be asked."""
    status = 0
    for about, command in asked.items():
        output, errors = run(command)
        try:
            found = findings(output, errors)
        except NotAskedError as error:
            print(f"{about}: NOT ASKED, so nothing is known: {str(error)[:200]}")
            status = status or (NOT_ASKED if strict else 0)
            continue
        print(f"{about}: {len(found)} known vulnerabilities")
        for line in found:
            print(f"  {line}")
        status = FOUND if found else status
    return status


def _run(command: list[str]) -> tuple[str, str]:
    try:
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)
    return done.stdout, done.stderr


def main() -> int:
    """Audit; see ``audit``."""
    parser = argparse.ArgumentParser(prog="python -m local.audit", description=__doc__)
    parser.add_argument("--strict", action="store_true", help="fail where a database could not be asked")
    return audit(commands(), _run, strict=parser.parse_args().strict)


if __name__ == "__main__":
    sys.exit(main())
