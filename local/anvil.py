"""anvil, the development chain, from npm's `@foundry-rs/anvil`."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from local.engine.server import LOOPBACK
from local.paths import ROOT

_PACKAGES = {
    ("linux", "x86_64"): "anvil-linux-amd64",
    ("linux", "amd64"): "anvil-linux-amd64",
    ("linux", "aarch64"): "anvil-linux-arm64",
    ("linux", "arm64"): "anvil-linux-arm64",
    ("darwin", "x86_64"): "anvil-darwin-amd64",
    ("darwin", "arm64"): "anvil-darwin-arm64",
    ("win32", "amd64"): "anvil-win32-amd64",
}


class AnvilError(RuntimeError):
    """anvil is not installed, or did not start."""


def anvil_binary(root: Path = ROOT) -> Path:
    """Find anvil's executable for this platform.

    Args:
        root: The repository, whose `node_modules` is searched.

    Returns:
        The executable itself, not the Node script around it: it can be ended by its own process id.

    Raises:
        AnvilError: `npm ci` has not been run, or npm has no anvil for this platform.
    """
    scope = root / "node_modules" / "@foundry-rs"
    name = "anvil.exe" if sys.platform == "win32" else "anvil"
    package = _PACKAGES.get((sys.platform, platform.machine().lower()))
    if package is None:
        raise AnvilError(f"npm has no anvil for {sys.platform} on {platform.machine()}")
    # The second place is where the package's install script puts the executable if npm left the first out.
    for candidate in (scope / package / "bin" / name, scope / "anvil" / "dist" / name):
        if candidate.is_file():
            return candidate
    raise AnvilError(f"node_modules/@foundry-rs/{package} is missing: run `npm ci` first")


def anvil_command(port: int, chain_id: int, *arguments: str) -> list[str]:
    """Return the command that runs a chain on loopback.

    Its ten accounts are anvil's well-known ones, each with 10,000 ether. It mines each transaction at once.

    Args:
        port: Where it listens; 0 for any that is free, which it prints.
        chain_id: The chain's id.
        arguments: Further arguments of anvil.

    Raises:
        AnvilError: It is not installed.
    """
    return [str(anvil_binary()), "--host", LOOPBACK, "--port", str(port), "--chain-id", str(chain_id), *arguments]
