"""`python -m local.audit` asks pip-audit and `npm audit` about everything that is shipped; both need the internet."""

from __future__ import annotations

import subprocess
import sys

from local.layer_requirements import LAYERS
from local.licences import NPM
from local.paths import ROOT
from local.uv import find_uv


def main() -> int:
    """Audit. The status is 1 if any tool found something, or could not ask."""
    commands = [
        [find_uv(), "tool", "run", "pip-audit", "--no-deps", "--disable-pip", "--require-hashes",
         "--requirement", f"layers/{layer}/requirements.txt"]
        for layer in LAYERS
    ]  # fmt: skip
    commands += [["npm", "--prefix", folder, "audit", "--omit=dev"] for folder in NPM]
    worst = 0
    for command in commands:
        print("── " + " ".join(command[1:] if command[0] == find_uv() else command), flush=True)
        worst |= subprocess.run(command, cwd=ROOT, check=False).returncode != 0
    return int(worst)


if __name__ == "__main__":
    sys.exit(main())
