"""Locks the Python packages anew, and writes the layers' requirements from the lock."""

from __future__ import annotations

import subprocess
import sys

from local.layer_requirements import main as write_layer_requirements
from local.paths import ROOT
from local.uv import find_uv


def main() -> int:
    """Lock again. Only what pyproject.toml asks for changes; the rest stays at its locked version."""
    subprocess.run([find_uv(), "lock"], cwd=ROOT, check=True)
    return write_layer_requirements()


if __name__ == "__main__":
    sys.exit(main())
