"""Says in one sentence what is missing before anything starts. Python and uv are the Makefile's part."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys

from local.failures import LaunchError

NODE = (20, 19)
# Where every package that the local stack needs exists, each with the platform's name as uv spells it. Packages with
# Ethereum's cryptography have no wheels for Intel's Macs.
PLATFORMS = {
    ("linux", "x86_64"): "x86_64-manylinux_2_28",
    ("linux", "aarch64"): "aarch64-manylinux_2_28",
    ("darwin", "arm64"): "aarch64-apple-darwin",
}


def layer_platform() -> str:
    """Return the platform for which the layers are built that run on this machine, as uv spells it.

    Raises:
        LaunchError: Some package does not exist for this machine; names it.
    """
    host = (sys.platform, platform.machine())
    if host not in PLATFORMS:
        raise LaunchError(
            "The local stack's packages (cryptography, ckzg, cbor2, MiniRacer) do not exist for "
            f"{platform.system()} on {platform.machine()}: use Linux on x86_64 or arm64, a Mac with Apple's processor, "
            "a container, or WSL."
        )
    return PLATFORMS[host]


def check() -> None:
    """Refuse to start without what cannot be installed from here.

    Raises:
        LaunchError: Says what is missing and what to do.
    """
    layer_platform()
    wanted = ".".join(map(str, NODE))
    if (found := node_version()) is None or not shutil.which("npm"):
        raise LaunchError(f"Node.js with npm is missing: install Node {wanted} or newer from https://nodejs.org.")
    if found < NODE:
        version = ".".join(map(str, found))
        raise LaunchError(f"Node {version} is too old: install Node {wanted} or newer from https://nodejs.org.")


def node_version() -> tuple[int, int] | None:
    """Return the installed Node's major and minor version, or None."""
    node = shutil.which("node")
    if not node:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.(\d+)\.", answer.stdout)
    return (int(found[1]), int(found[2])) if found else None
