"""Checks types: the library and the local tools together, and each function alone.

Lambda puts a function's directory on the path, so every function has modules called `app` and `workflow`. Each is
therefore checked as it runs, with its own directory first.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from local.paths import ROOT

_TOGETHER = ("layers/slipway/slipway", "local")


def main() -> int:
    """The status is 1 if anything has errors."""
    good = _check([*_TOGETHER], None)
    for entry in sorted((ROOT / "functions").rglob("app.py")):
        good = _check([str(entry.parent.relative_to(ROOT))], entry.parent) and good
    return 0 if good else 1


def _check(paths: list[str], function: Path | None) -> bool:
    # The launcher's PYTHONPATH is not mypy's business; pyproject.toml names the library.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if function:
        variables["MYPYPATH"] = str(function)
    command = [sys.executable, "-m", "mypy", *paths]
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
