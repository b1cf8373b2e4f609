"""The examples for CI: a script that shellcheck is content with, and workflows that call it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.template import ROOT

EXAMPLES = ROOT / "examples" / "ci"
SCRIPT = EXAMPLES / "deploy-stack.sh"
WORKFLOWS = {"banano-node.yml": "node", "api-service.yml": "api"}


def test_shellcheck_is_content() -> None:
    shellcheck = Path(sys.executable).parent / "shellcheck"
    done = subprocess.run([shellcheck, SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert os.access(SCRIPT, os.X_OK)


@pytest.mark.parametrize(
    "arguments",
    [[], ["production"], ["production", "database"], ["production", "node", "a", "b"], ["production", "node"]],
)
def test_the_script_says_what_it_needs(arguments: list[str]) -> None:
    done = subprocess.run(
        [SCRIPT, *arguments], capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]}
    )
    assert done.returncode == 1
    assert done.stderr


@pytest.mark.parametrize(("name", "kind"), WORKFLOWS.items())
def test_each_workflow_deploys_its_stack_alone(name: str, kind: str) -> None:
    workflow: dict[Any, Any] = yaml.safe_load((EXAMPLES / name).read_text())
    (job,) = workflow["jobs"].values()
    (deploy,) = [step for step in job["steps"] if "run" in step]
    assert deploy["run"].split()[2] == kind
    assert "needs" not in job
    assert job["timeout-minutes"] * 60 > 3600
    # Secrets come in by the environment, never in the command.
    assert "secrets." not in deploy["run"]
