"""Says in one sentence what is missing before anything starts. Python and uv are the Makefile's part."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys

from local.failures import LaunchError

NODE_MAJOR = 20


def check() -> None:
    """Refuse to start without what cannot be installed from here.

    Raises:
        LaunchError: Says what is missing and what to do.
    """
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise LaunchError(
            "The local stack runs Lambda's own x86_64 Linux packages, and this is "
            f"{platform.system()} on {platform.machine()}: use an x86_64 Linux machine, container or WSL."
        )
    if (major := node_major()) is None or not shutil.which("npm"):
        raise LaunchError(f"Node.js with npm is missing: install Node {NODE_MAJOR} or newer from https://nodejs.org.")
    if major < NODE_MAJOR:
        raise LaunchError(f"Node {major} is too old: install Node {NODE_MAJOR} or newer from https://nodejs.org.")


def node_major() -> int | None:
    """Return the installed Node's major version, or None."""
    node = shutil.which("node")
    if not node:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.", answer.stdout)
    return int(found[1]) if found else None
