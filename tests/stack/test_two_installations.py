"""Two installations live side by side in one account: the second one is deployed by the code that deploys to AWS, and
passes the operator's smoke check."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.smoke import Smoke
from local.ports import free_ports
from local.processes import end_with_parent
from tests.stack.second_installation import IDS, STAGE
from tests.support.waiting import eventually

ADMIN_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


@dataclass
class Second:
    """The second installation."""

    api: str
    told: dict[str, Any]


def _answers(api: str) -> bool:
    try:
        return httpx.get(f"{api}/health", timeout=30).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def second(stack: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Second]:
    """Deployed once, in a process of its own, behind a front door of its own."""
    directory = tmp_path_factory.mktemp("second")
    stack_file = directory / "stack.json"
    stack_file.write_text(json.dumps(stack.described), encoding="utf-8")
    (port,) = free_ports(1)
    api = f"http://localhost:{port}"
    command = [sys.executable, "-m", "tests.stack.second_installation", str(stack_file), str(directory), api]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    door = subprocess.Popen(
        [sys.executable, "-m", "local.front_door", "--port", str(port), "--engine", stack.aws_endpoint,
         "--http-api", IDS["HttpApi"], "--websocket-api", IDS["WebSocketApi"]],
        stdout=(Path(directory) / "door.log").open("wb"), stderr=subprocess.STDOUT, preexec_fn=end_with_parent(),
    )  # fmt: skip
    try:
        eventually(lambda: _answers(api), what="the second installation answers")
        yield Second(api, json.loads(done.stdout.splitlines()[-1]))
    finally:
        door.terminate()
        door.wait(20)


def test_the_plan_names_every_table_and_changes_nothing(second: Second) -> None:
    assert second.told["planned"] is True
    for name in ("JobsTable", "ControlTable", "WorkersTable", "ProjectsTable", "IdentityKey"):
        assert any(line.startswith("Stack    Add") and f" {name} " in line for line in second.told["plan"])


def test_the_second_pass_is_made_once(second: Second) -> None:
    assert sum("Second pass" in line for line in second.told["said"]) == 1
    assert not any("Second pass" in line for line in second.told["said_again"])
    assert any(line.startswith("Contracts: registry 0x") for line in second.told["said"])


def test_a_deployment_that_is_repeated_replaces_nothing(second: Second) -> None:
    assert not any("replaced" in line for line in second.told["said_again"])
    again = [line for line in second.told["said_again"] if line.startswith("Contracts")]
    assert again == [line for line in second.told["said"] if line.startswith("Contracts")], "no contracts anew"


def test_they_share_no_resource(second: Second, stack: Any) -> None:
    summaries = stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName="slipway")
    first = {entry["PhysicalResourceId"] for page in summaries for entry in page["StackResourceSummaries"]}
    shared = first & {physical for physical in second.told["resources"].values() if physical}
    # Stages are named within their APIs.
    assert {name for name in shared if name not in ("$default", "v1")} == set()


def test_it_passes_the_smoke_check_and_launches(second: Second) -> None:
    with httpx.Client(base_url=second.api, timeout=60) as client:
        smoke = Smoke(second.api, client, chain_id=31337)
        assert smoke.run(spend_as=ADMIN_KEY), [outcome for outcome in smoke.outcomes if outcome.problem]
    assert [outcome.name for outcome in smoke.outcomes][-1] == "launch"


def test_the_first_one_is_unharmed(second: Second, stack: Any) -> None:
    with httpx.Client(base_url=stack.api, timeout=60) as client:
        smoke = Smoke(stack.api, client, chain_id=31337)
        assert smoke.run(), [outcome for outcome in smoke.outcomes if outcome.problem]


def test_metrics_name_the_installation(second: Second, stack: Any) -> None:
    functions = stack.client("lambda")
    environment = functions.get_function_configuration(FunctionName=second.told["resources"]["AdminFunction"])
    variables = environment["Environment"]["Variables"]
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == f"Slipway/{STAGE}"
    assert variables["TOKEN_ISSUER"] == second.api
