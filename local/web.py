"""Builds the dashboard that the local stack serves, and only when it has changed."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from local.digests import digest, read_stamp
from local.paths import DASHBOARD, LOGS, ROOT, STAMPS
from local.processes import run
from local.progress import step

WEB = ROOT / "web"
_PACKAGES = ("package.json", "package-lock.json")
_SOURCES = ("src", "public", "index.html", "vite.config.ts", "tsconfig.json", *_PACKAGES)


def build_dashboard() -> None:
    """Install the dashboard's packages and make its local build; hold `build.one_at_a_time`."""
    install_packages(WEB)
    stamp = STAMPS / "dashboard"
    wanted = digest([WEB / name for name in _SOURCES])
    if (DASHBOARD / "index.html").exists() and read_stamp(stamp) == wanted:
        return
    stamp.unlink(missing_ok=True)
    with step("Building the dashboard"):
        # Without a type check, which is for `make test`.
        build = ["build", "--mode", "stack", "--outDir", str(DASHBOARD), "--emptyOutDir"]
        command = [str(WEB / "node_modules" / ".bin" / "vite"), *build]
        run(command, LOGS / "dashboard.log", cwd=WEB, environment=_environment(), doing="vite build")
    stamp.write_text(wanted, encoding="utf-8")


def generate_client() -> None:
    """Write the types of the dashboard's client, from the OpenAPI document."""
    install_packages(WEB)
    command = ["npm", "run", "--silent", "client"]
    run(command, LOGS / "client.log", cwd=WEB, environment=_environment(), doing="openapi-typescript")


def install_packages(folder: Path) -> None:
    """Install the npm packages that a folder has locked, unless they are there."""
    name = folder.relative_to(ROOT).as_posix()
    stamp = STAMPS / f"{name.replace('/', '-')}-npm"
    wanted = digest([folder / package for package in _PACKAGES])
    if (folder / "node_modules" / ".package-lock.json").exists() and read_stamp(stamp) == wanted:
        return
    with step(f"Installing the npm packages of {name}"):
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        run(command, LOGS / f"{stamp.name}.log", cwd=folder, environment=_environment(), doing=f"npm ci in {name}/")
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted, encoding="utf-8")


def _environment() -> dict[str, str]:
    # What a developer sets for a production build must not get into this one.
    return {name: value for name, value in os.environ.items() if not name.startswith("VITE_")}


def main() -> int:
    """Write the client along with the document that it is made from; with --install, only install packages."""
    parser = argparse.ArgumentParser(prog="python -m local.web", description=main.__doc__)
    parser.add_argument("--install", metavar="FOLDER", help="of the repository, with a package-lock.json")
    folder = parser.parse_args().install
    STAMPS.mkdir(parents=True, exist_ok=True)
    if folder:
        install_packages(ROOT / folder)
    else:
        generate_client()
    return 0


if __name__ == "__main__":
    sys.exit(main())
