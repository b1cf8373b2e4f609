"""Finds uv, and makes the environments that the local tools live in.

Each tool pins packages that contradict the others' (MiniStack wants another botocore than SAM), and Lambda's runtime
client must see nothing of them, so each has an environment of its own, all from the one lock file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from local.paths import ENVIRONMENTS, ROOT, TOOLS


@cache
def find_uv() -> str:
    """Return the path of uv: the one the Makefile chose, the one on PATH, or the one it installed.

    Raises:
        FileNotFoundError: There is none; `make` installs one.
    """
    found = os.environ.get("SLIPWAY_UV") or shutil.which("uv") or shutil.which(TOOLS / "uv" / "bin" / "uv")
    if not found:
        raise FileNotFoundError("uv is missing: start with `make`, which installs it in .local/tools")
    return found


def environment(group: str) -> Path:
    """Return the directory of a dependency group's environment."""
    return ENVIRONMENTS / group


def python_of(group: str) -> Path:
    """Return the interpreter of a group's environment."""
    return environment(group) / "bin" / "python"


def sync(group: str) -> None:
    """Make or update the environment of a dependency group; does nothing when it is up to date."""
    variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    command = [find_uv(), "sync", "--frozen", "--quiet", "--only-group", group]
    target = str(environment(group))
    subprocess.run(command, cwd=ROOT, check=True, env={**variables, "UV_PROJECT_ENVIRONMENT": target})
