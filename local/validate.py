"""Checks the template with SAM's linter and every state machine with asl-validator."""

from __future__ import annotations

import subprocess
import sys

from local.build import sam_environment
from local.engine.server import REGION
from local.paths import ROOT, TEMPLATE
from local.uv import environment


def main() -> int:
    """Both print what they find; the status is 1 if either found something."""
    sam = [str(environment("sam") / "bin" / "sam"), "validate", "--lint", "--template-file", str(TEMPLATE)]
    variables = {**sam_environment(), "AWS_DEFAULT_REGION": REGION}
    good = subprocess.run([*sam, "--region", REGION], cwd=ROOT, env=variables, check=False).returncode == 0
    # The option once for each: of several files after one option it checks the first and ignores the rest.
    machines = sorted((ROOT / "statemachines").glob("*.asl.json"))
    options = [part for path in machines for part in ("--json-path", str(path.relative_to(ROOT)))]
    command = ["npx", "--no-install", "asl-validator", *options]
    good = subprocess.run(command, cwd=ROOT, check=False).returncode == 0 and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
