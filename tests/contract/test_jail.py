"""Every function does its work in a jail as strict as Lambda: see `local.engine.jail`.

The whole stack runs in it, and the operator's smoke check goes through it: sign-in, a heartbeat, a build with its
audit, streams, webhooks and a launch. What Lambda limits and a jail does not is measured: layers, environments, memory,
and the C library that binaries ask for.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.smoke import Smoke
from local import debian
from local.accounts import local_accounts
from local.deploy import STACK, aws_client
from local.engine.jail import is_possible
from local.engine.layers import current_layers
from local.paths import ROOT
from local.source_template import source_template
from local.temporary_stack import temporary_stack
from tests.support.waiting import eventually

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_LAYER_BYTES = 250 * 1024 * 1024
MAX_ENVIRONMENT_BYTES = 4096
# Amazon Linux 2023 has glibc 2.34.
NEWEST_GLIBC = (2, 34)
SECONDS = 120


@dataclass
class Jailed:
    """The stack whose functions are in jail."""

    described: dict[str, Any]
    log: Path

    def client(self, service: str) -> Any:
        return aws_client(service, int(self.described["aws_endpoint"].rpartition(":")[2]))


@pytest.fixture(scope="module")
def jailed() -> Iterator[Jailed]:
    if not is_possible():
        debian.install("Installing bubblewrap", "bubblewrap")
    if not is_possible():
        reason = "bubblewrap can't make a jail here: install it, and allow user namespaces"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    directory = ROOT / ".local" / "jail"
    with temporary_stack(directory, {"SLIPWAY_JAIL": "yes", "SFN_WAIT_SCALE": "0.2"}) as stack_file:
        yield Jailed(json.loads(stack_file.read_text(encoding="utf-8")), directory / "logs" / "functions.log")


@pytest.fixture(scope="module")
def worked(jailed: Jailed) -> list[str]:
    """Return the names of the checks, after all of them have passed and the schedules' state machines have run."""
    admin = next(account for account in local_accounts() if account.role == "admin")
    with httpx.Client(base_url=jailed.described["api"], timeout=60) as client:
        smoke = Smoke(jailed.described["api"], client, chain_id=31337)
        assert smoke.run(spend_as=admin.private_key), [outcome for outcome in smoke.outcomes if outcome.problem]
    states = jailed.client("stepfunctions")
    for name in ("ReconcileArn", "UptimeFlushArn"):
        arn = states.start_execution(stateMachineArn=jailed.described["outputs"][name])["executionArn"]
        found = eventually(
            lambda arn=arn: states.describe_execution(executionArn=arn),
            lambda found: found["status"] != "RUNNING",
            within=SECONDS,
            every=0.2,
            what=name,
        )
        assert found["status"] == "SUCCEEDED", found
    return [outcome.name for outcome in smoke.outcomes]


def _processes() -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Environment and status of each process of a function."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            pairs = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
            lines = (entry / "status").read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        environment = dict(pair.partition("=")[::2] for pair in pairs)
        if environment.get("LAMBDA_TASK_ROOT") == "/var/task":
            yield environment, dict(line.partition(":\t")[::2] for line in lines)


def test_everything_works_in_jail(worked: list[str]) -> None:
    assert {"heartbeat", "build with audit", "stream", "webhook", "launch"} <= set(worked)


def test_functions_stand_still_between_invocations(worked: list[str]) -> None:
    def running() -> list[tuple[str, str]]:
        return [
            (environment["AWS_LAMBDA_FUNCTION_NAME"], status["Name"])
            for environment, status in _processes()
            if status["State"] not in ("T (stopped)", "Z (zombie)")
        ]

    # A schedule may run just now.
    eventually(running, lambda found: not found, within=SECONDS, every=0.2)


def test_no_function_keeps_more_memory_than_it_has(jailed: Jailed, worked: list[str]) -> None:
    functions = jailed.client("lambda")
    sizes: dict[str, int] = {}
    seen = 0
    for environment, status in _processes():
        name = environment["AWS_LAMBDA_FUNCTION_NAME"]
        if name not in sizes:
            sizes[name] = functions.get_function_configuration(FunctionName=name)["MemorySize"]
        seen += 1
        assert int(status["VmHWM"].split()[0]) / 1024 < sizes[name], f"{name} took {status['VmHWM']}"
    assert seen >= 5


def test_environments_fit(jailed: Jailed) -> None:
    functions = jailed.client("lambda")
    pages = jailed.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
    names = [
        entry["PhysicalResourceId"]
        for page in pages
        for entry in page["StackResourceSummaries"]
        if entry["ResourceType"] == "AWS::Lambda::Function"
    ]
    assert len(names) > 20
    for name in names:
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        # On AWS, ARNs and addresses are longer than the engine's; a quarter is left for that.
        assert len(json.dumps(variables)) < MAX_ENVIRONMENT_BYTES * 3 / 4, name


def _bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def test_layers_fit() -> None:
    sizes = {name: _bytes(path) for name, path in current_layers().items()}
    shared = sum(sizes[entry["Ref"]] for entry in source_template()["Globals"]["Function"]["Layers"])
    for name, resource in source_template()["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            own = resource["Properties"].get("Layers", [])
            assert shared + sum(sizes[entry["Ref"]] for entry in own) < MAX_LAYER_BYTES, name


def test_binaries_ask_for_no_newer_c_library_than_lambda_has() -> None:
    newest = (0, 0)
    for layer in current_layers().values():
        for path in layer.rglob("*.so*"):
            for version in re.findall(rb"GLIBC_(\d+)\.(\d+)", path.read_bytes()):
                newest = max(newest, (int(version[0]), int(version[1])))
    assert (2, 0) < newest <= NEWEST_GLIBC
