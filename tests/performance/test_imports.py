"""Import budgets: CPU of a cold start as a ratio to a function that only makes a DynamoDB client, in the same run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.performance.cold_start import (
    LOGGER_FLOOR,
    Start,
    cpu_seconds,
    floor_start,
    function_start,
    imported_modules,
    under_runtime_client,
)
from tests.support.functions import event
from tests.support.template import functions

FUNCTIONS = sorted(functions())
# So often is each started at least, and so often at most where it is over its budget.
ROUNDS, MAX_ROUNDS = 2, 8
# Ratios to the floor. The first is promised; the others keep a function from growing unseen.
BUDGETS = {
    "DeploymentsFunction": 3.0,
    "AdminFunction": 3.0,
    "TokensFunction": 3.0,
    "ProjectsFunction": 3.0,
    "WorkersFunction": 3.0,
    "EscrowFunction": 3.0,
    "WebhooksFunction": 3.0,
    "NotificationsFunction": 3.0,
    "IdentityFunction": 3.0,
    "StacksFunction": 3.0,
    "BuildsFunction": 3.0,
    "ProvidersFunction": 3.0,
    "LogsFunction": 3.0,
    "RefreshFunction": 2.0,
    "StreamConnectionsFunction": 2.0,
    "BuildStreamFunction": 1.8,
    "BuildReplayFunction": 1.8,
    "DocumentsFunction": 1.0,
    "HealthFunction": 0.3,
}
# With a first answer: a refusal, which makes the DynamoDB client and writes to the audit trail.
FIRST = "DeploymentsFunction, answered"
FIRST_BUDGET = 4.0
# Over a DynamoDB client and a Logger.
HEARTBEAT, HEARTBEAT_FLOOR, HEARTBEAT_BUDGET = "HeartbeatFunction", "floor with a logger", 1.3
ETHEREUM = {"web3", "eth_account", "eth_keys", "eth_utils", "eth_abi", "siwe", "rlp"}
# By sign-in with Ethereum; the signer has what it needs of its own.
SIGNING = {"IdentityFunction"}


@pytest.fixture(scope="module")
def ratios(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, float]]:
    """Yield the least of several runs of each, in turn, so that all of them share the machine's good and bad moments.

    What is over its budget may have had bad moments only, so it runs again, and the floors with it.
    """
    starts: dict[str, tuple[Start, Any]] = {"floor": (floor_start(tmp_path_factory.mktemp("floor")), None)}
    starts[HEARTBEAT_FLOOR] = (floor_start(tmp_path_factory.mktemp("logger"), LOGGER_FLOOR), None)
    starts |= {name: (function_start(name), None) for name in FUNCTIONS}
    if under_runtime_client():
        refused = event("api_deployments_list")
        del refused["headers"]["authorization"]
        starts[FIRST] = (function_start("DeploymentsFunction"), refused)
    least = dict.fromkeys(starts, float("inf"))
    floors = {"floor", HEARTBEAT_FLOOR}
    for number in range(MAX_ROUNDS):
        due = set(starts) if number < ROUNDS else _over_budget(least)
        for name in (name for name in starts if due and name in due | floors):
            least[name] = min(least[name], cpu_seconds(*starts[name]))
    yield {name: seconds / least["floor"] for name, seconds in least.items()}
    lines = [f"{name:32}{least[name]:8.2f} s{least[name] / least['floor']:8.2f}" for name in least]
    plugins: Any = request.config.pluginmanager
    with plugins.get_plugin("capturemanager").global_and_fixture_disabled():
        for line in ["", f"{'cold start':32}{'CPU':>10}{'ratio':>8}", *lines]:
            plugins.get_plugin("terminalreporter").write_line(line)


def _over_budget(least: dict[str, float]) -> set[str]:
    """Return the starts that took more CPU time than they may."""
    most = {name: least["floor"] * budget for name, budget in (BUDGETS | {FIRST: FIRST_BUDGET}).items()}
    most[HEARTBEAT] = least[HEARTBEAT_FLOOR] * HEARTBEAT_BUDGET
    return {name for name, seconds in most.items() if least.get(name, 0) > seconds}


@pytest.mark.parametrize("name", BUDGETS)
def test_a_cold_start_stays_within_its_budget(ratios: dict[str, float], name: str) -> None:
    assert ratios[name] <= BUDGETS[name]


def test_a_cold_heartbeat_is_hardly_more_than_a_client_and_a_logger(ratios: dict[str, float]) -> None:
    assert ratios[HEARTBEAT] <= HEARTBEAT_BUDGET * ratios[HEARTBEAT_FLOOR]


def test_a_first_answer_stays_within_its_budget(ratios: dict[str, float]) -> None:
    if FIRST not in ratios:
        pytest.skip("needs the runtime client's environment and built layers: `make test` sets them up")
    assert ratios[FIRST] <= FIRST_BUDGET


@cache
def _imported(name: str) -> frozenset[str]:
    return frozenset(imported_modules(function_start(name)))


def _packages(name: str) -> set[str]:
    return {module.partition(".")[0] for module in _imported(name)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_x_ray_sdk_is_imported_nowhere(name: str) -> None:
    # Powertools' own names come with the package; what makes the tracer dear is the X-Ray SDK beneath it.
    assert "aws_xray_sdk" not in _packages(name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_only_what_signs_imports_ethereum_packages(name: str) -> None:
    if name not in SIGNING:
        assert _packages(name) & ETHEREUM == set()


def test_the_deployments_api_has_one_http_stack_and_no_chain_library() -> None:
    packages = _packages("DeploymentsFunction")
    assert "httpx" in packages
    assert packages & {"web3", "eth_account", "requests", "aiohttp", "aws_xray_sdk", "boto3"} == set()


def test_heartbeats_import_no_framework_and_no_cryptography() -> None:
    unwanted = {"fastapi", "starlette", "mangum", "pydantic", "web3", "cryptography", "jwt", "httpx", "boto3", "Crypto"}
    assert _packages(HEARTBEAT) & unwanted == set()


@pytest.mark.parametrize("name", ["BuildStreamFunction", "BuildReplayFunction"])
def test_who_publishes_a_build_imports_no_framework_and_no_cryptography(name: str) -> None:
    unwanted = {"fastapi", "starlette", "mangum", "cryptography", "jwt", "httpx", "boto3", "Crypto"}
    assert _packages(name) & unwanted == set()


def test_health_imports_nothing_that_is_not_pythons() -> None:
    assert _packages("HealthFunction") - set(sys.stdlib_module_names) == {"app"}


def test_the_floor_is_a_dynamodb_client(tmp_path: Path) -> None:
    packages = {module.partition(".")[0] for module in imported_modules(floor_start(tmp_path))}
    assert {"boto3", "botocore"} <= packages
