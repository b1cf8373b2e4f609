"""Checks the template with SAM and with cfn-lint for every region that the documents name, and every state machine with
asl-validator."""

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

# As docs/operations.md names them; a test holds the two together.
REGIONS = (
    "us-east-1", "us-east-2", "us-west-2", "ca-central-1", "eu-west-1", "eu-central-1", "eu-north-1", "ap-southeast-1",
    "ap-southeast-2", "ap-northeast-1", "ap-south-1", "sa-east-1",
)  # fmt: skip


def main() -> int:
    """Validate. The tools print what they find; the status is 1 if one of them found something."""
    tools = environment("sam") / "bin"
    sam = [str(tools / "sam"), "validate", "--template-file", str(TEMPLATE), "--region", REGION]
    variables = {**sam_environment(), "AWS_DEFAULT_REGION": REGION}
    good = subprocess.run(sam, cwd=ROOT, env=variables, check=False).returncode == 0
    # W1100: YAML's merge keys go when SAM packages the template, as it always does here.
    lint = [str(tools / "cfn-lint"), str(TEMPLATE), "--ignore-checks", "W1100", "--regions", *REGIONS]
    good = subprocess.run(lint, cwd=ROOT, check=False).returncode == 0 and good
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
