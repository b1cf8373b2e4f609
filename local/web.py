"""Builds the dashboard that the local stack serves, and only when it has changed."""

from __future__ import annotations

import os
import sys

from local.digests import digest, read_stamp
from local.paths import DASHBOARD, LOGS, ROOT, STAMPS
from local.processes import run
from local.progress import step

WEB = ROOT / "web"
_PACKAGES = ("package.json", "package-lock.json")
_SOURCES = ("src", "public", "index.html", "vite.config.ts", "tsconfig.json", *_PACKAGES)


def build_dashboard() -> None:
    """Install the dashboard's packages and make its local build; hold `build.one_at_a_time`."""
    _install()
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
    _install()
    command = ["npm", "run", "--silent", "client"]
    run(command, LOGS / "client.log", cwd=WEB, environment=_environment(), doing="openapi-typescript")


def _install() -> None:
    stamp = STAMPS / "web-npm"
    wanted = digest([WEB / name for name in _PACKAGES])
    if (WEB / "node_modules" / ".package-lock.json").exists() and read_stamp(stamp) == wanted:
        return
    with step("Installing the dashboard's npm packages"):
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        run(command, LOGS / "web-npm.log", cwd=WEB, environment=_environment(), doing="npm ci in web/")
    stamp.write_text(wanted, encoding="utf-8")


def _environment() -> dict[str, str]:
    # What a developer sets for a production build must not get into this one.
    return {name: value for name, value in os.environ.items() if not name.startswith("VITE_")}


def main() -> int:
    """Write the client along with the document that it is made from, for `make openapi`."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    generate_client()
    return 0


if __name__ == "__main__":
    sys.exit(main())
