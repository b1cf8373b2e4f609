"""Where the compiler and the library contracts lie.

Both come from npm: `solc/soljson.js` and `@openzeppelin/contracts`, in a `node_modules` folder. In a Lambda function
that folder is the solidity layer's; in a checkout it is the one that `npm ci` makes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LIBRARY = "@openzeppelin/"
"""What generated sources may import from."""


class ToolchainMissingError(RuntimeError):
    """No `node_modules` folder with the compiler and the library contracts was found: a mistake of installation."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """One `node_modules` folder."""

    node_modules: Path

    @property
    def soljson(self) -> Path:
        """The compiler."""
        return self.node_modules / "solc" / "soljson.js"

    @property
    def complete(self) -> bool:
        """Whether compiler and library contracts are there."""
        return self.soljson.is_file() and (self.node_modules / LIBRARY / "contracts").is_dir()


def find_toolchain() -> Toolchain:
    """Look beside each folder of Python packages (a layer has both), then above this file, as Node does.

    Raises:
        ToolchainMissingError: There is none.
    """
    for folder in _candidates():
        toolchain = Toolchain(folder / "node_modules")
        if toolchain.complete:
            return toolchain
    raise ToolchainMissingError("solc and @openzeppelin/contracts are not installed: run `npm ci`")


def _candidates() -> Iterator[Path]:
    for entry in sys.path:
        if Path(entry).name == "python":
            yield Path(entry).parent
    yield from Path(__file__).resolve().parents
