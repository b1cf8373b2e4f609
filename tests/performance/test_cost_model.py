"""docs/cost-model.md says what is counted: of every route, and of every job that costs something."""

from __future__ import annotations

import json
import re
import subprocess
from decimal import Decimal

import pytest

from bench import cost_model, job_states
from bench.cost_model import DOCUMENT, POLLED, declared, differences, month
from local.state_machines import state_machines
from local.uv import python_of
from tests.support.template import ROOT, functions, resources

# What is like its neighbours, or asks DynamoDB for nothing; the document says so.
NEIGHBOURS = {
    *("GET /openapi.json", "GET /docs", "GET /docs/{file}", "GET /api/deployments/{id}/logs"),
    "POST /api/v1/builds/{build_id}/deploy",
    *("POST /api/v1/builds/preview", "POST /api/v1/builds/{build_id}/retry"),
    *("POST /api/v1/builds/{build_id}/deployments/{chain_id}", "GET /api/v1/builds/{build_id}/abi"),
    *("POST /api/auth/link", "POST /api/webhooks/{id}/confirm", "PUT /api/deployments/{id}"),
    *("GET /api/tokens/{address}", "GET /api/tokens/{address}/abi", "GET /api/tokens/{address}/metadata"),
    *("POST /api/tokens/{address}/mint", "POST /api/deployments/{id}/deposit"),
    *("GET /api/deployments/{id}/bids", "POST /api/deployments/{id}/bids"),
}
JOBS = {
    *("token_launch", "akash_deploy", "stack_node", "stack_api", "build"),
    *("uptime_flush (nothing stale)", "reconcile (nothing due)"),
}


def routes() -> set[str]:
    return {
        f"{entry['Properties']['Method']} {entry['Properties']['Path']}"
        for function in functions().values()
        for entry in function.get("Events", {}).values()
        if entry["Type"] == "HttpApi" and "Path" in entry["Properties"]
    }


def test_every_route_and_job_is_declared() -> None:
    rows = declared(DOCUMENT.read_text())
    assert {re.sub(r" \((token|akash)\)$", "", name) for name in rows} == (routes() - NEIGHBOURS) | JOBS
    assert routes() >= NEIGHBOURS


def test_the_counts_are_the_declared_ones() -> None:
    if not python_of("ministack").exists():
        pytest.skip("needs the local engine: `make test` sets it up")
    # In a process of its own: it has clients of an engine that ends with it.
    command = [str(ROOT / "local" / "python"), "-W", "ignore", "-m", "bench.cost_model"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert [line for line in done.stdout.splitlines() if line.startswith("DIFFERS")] == []
    assert done.returncode == 0, done.stderr


def test_the_states_that_jobs_enter_are_the_definitions() -> None:
    def names(machine: dict[str, object]) -> set[str]:
        return set(re.findall(r'"(\w+)": \{\s*"(?:Comment|Type)"', json.dumps(machine)))

    def defined(*workflows: str) -> set[str]:
        return set[str]().union(*(names(state_machines()[name].definition) for name in workflows))

    assert set(job_states.TOKEN_STATES) <= defined("token_deploy")
    assert set(job_states.BUILD_STATES) <= defined("build")


def test_there_are_as_many_accounts_as_the_template_has() -> None:
    assert (
        len([name for name in resources("AWS::KMS::Key") if name.startswith("DeployerKey")])
        == job_states.DEPLOYER_ACCOUNTS
    )


def test_a_difference_is_reported_and_a_poll_more_is_none() -> None:
    rows = declared(DOCUMENT.read_text())
    for name, more in (("POST /heartbeat", 1), ("token_launch", 9)):
        changed = {**rows, name: cost_model.Row(**{**vars(rows[name]), "requests": rows[name].requests + more})}
        assert len(differences(rows, changed)) == 1
    (polled, *_) = POLLED
    changed = {**rows, polled: cost_model.Row(**{**vars(rows[polled]), "requests": rows[polled].requests + 1})}
    assert differences(rows, changed) == []
    assert differences(rows, {}) == [f"{name} is not counted" for name in rows]
    assert differences({}, rows) == [f"{name} is not declared" for name in rows]


def test_the_month_is_the_counts_times_the_prices() -> None:
    text = DOCUMENT.read_text()
    rows = declared(text)
    assert cost_model.month_table(month(rows)) == cost_model.between(text, "<!-- month -->", "<!-- end of month -->")
    none = sum((line.dollars for line in month(rows, workers=0, launches=0, builds=0)), Decimal(0))
    everything = sum((line.dollars for line in month(rows)), Decimal(0))
    assert 0 < none <= 8
    assert none < everything <= 30


def test_a_workload_takes_few_transitions_and_invocations() -> None:
    row = declared(DOCUMENT.read_text())["akash_deploy"]
    assert row.transitions <= 18
    assert row.invocations <= 8
