"""Checks the template with SAM's linter and every state machine with asl-validator."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from local.build import sam_environment
from local.engine.server import REGION
from local.paths import ROOT, TEMPLATE
from local.state_machines import state_machines
from local.uv import environment


def main() -> int:
    """Validate. Both tools print what they find; the status is 1 if either found something."""
    sam = [str(environment("sam") / "bin" / "sam"), "validate", "--lint", "--template-file", str(TEMPLATE)]
    variables = {**sam_environment(), "AWS_DEFAULT_REGION": REGION}
    good = subprocess.run([*sam, "--region", REGION], cwd=ROOT, env=variables, check=False).returncode == 0
    with TemporaryDirectory() as directory:
        # The option once for each: of several files after one option it checks the first and ignores the rest.
        options = []
        for name, machine in state_machines().items():
            path = Path(directory) / f"{name}.asl.json"
            path.write_text(machine.text, encoding="utf-8")
            options += ["--json-path", str(path)]
        command = ["npx", "--no-install", "asl-validator", *options]
        good = subprocess.run(command, cwd=ROOT, check=False).returncode == 0 and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
