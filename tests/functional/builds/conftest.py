"""The contracts of the table of prompts, compiled, and a chain to try them on."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway.builds.audit.deployable import interface_of
from slipway.builds.composer.engine import Composer
from slipway.builds.models import Generation, GenerationRequest
from slipway.solidity.compiler import Compiler, build_input, node_modules_resolver
from tests.functional.contracts.conftest import Chain, running_chain
from tests.support.composed import Composed
from tests.support.kinds import CASES as RULED
from tests.support.prompts import CASES, Case

NODE_MODULES = Path(__file__).resolve().parents[3] / "node_modules"
HELPERS = {"governor": ["Token"]}
"""What a kind's contracts create, by the end of the name."""
BATCH = 11
"""How many sources are compiled at once: they share the work on OpenZeppelin's, and memory has a bound."""


@pytest.fixture(scope="package")
def chain() -> Iterator[Chain]:
    """Yield a chain of these tests' own: they turn its clock."""
    with running_chain() as running:
        yield running


@pytest.fixture(scope="package")
def generations(chain: Chain) -> dict[str, Generation]:
    """Return what the composer makes of each prompt, for the chain's first account."""
    return {case.prompt: _generate(case, chain.accounts[0]) for case in [*CASES, *RULED]}


def _generate(case: Case, owner: str) -> Generation:
    request = GenerationRequest(prompt=case.prompt, owner=owner, template=case.template, options=case.options)
    return Composer().generate(request)


@pytest.fixture(scope="package")
def compiled(generations: dict[str, Generation], pytestconfig: pytest.Config) -> dict[str, dict[str, Any]]:
    """ABI and bytecode by source. Kept in pytest's cache under the hash of the compiler's input, so that a run without
    a change of sources need not compile again."""
    sources = sorted({made.source for made in generations.values()})
    found: dict[str, dict[str, Any]] = {}
    with Compiler(NODE_MODULES / "solc" / "soljson.js", timeout_seconds=120) as compiler:
        large = [source for source in sources if "GovernorTimelockControl" in source or "UUPSUpgradeable" in source]
        found |= _compile(compiler, large, pytestconfig, optimizer_runs=200)
        sources = [source for source in sources if source not in large]
        for start in range(0, len(sources), BATCH):
            found |= _compile(compiler, sources[start : start + BATCH], pytestconfig)
    return found


def _compile(
    compiler: Compiler, sources: list[str], config: pytest.Config, *, optimizer_runs: int = 0
) -> dict[str, dict[str, Any]]:
    units = {f"source{number}.sol": source for number, source in enumerate(sources)}
    standard = build_input(units, node_modules_resolver(NODE_MODULES), optimizer_runs=optimizer_runs)
    standard["settings"]["outputSelection"] = {unit: {"*": ["abi", "evm.bytecode.object"]} for unit in units}
    key = "slipway/composed/" + hashlib.sha256(json.dumps(standard, sort_keys=True).encode()).hexdigest()
    assert config.cache is not None
    contracts = config.cache.get(key, None)
    if contracts is None:
        output = compiler.compile(standard)
        complaints = [entry for entry in output.get("errors", []) if str(entry["sourceLocation"]["file"]) in units]
        assert complaints == [], "the composer's own sources compile without a warning"
        contracts = {unit: output["contracts"][unit] for unit in units}
        config.cache.set(key, contracts)
    return {units[unit]: contract for unit, contract in contracts.items()}


@pytest.fixture
def deploy(
    chain: Chain, generations: dict[str, Generation], compiled: dict[str, dict[str, Any]]
) -> Callable[[Case], Composed]:
    """Deploys the contract of a case, by somebody who is not its owner."""

    def deployed(case: Case) -> Composed:
        made = generations[case.prompt]
        contracts = compiled[made.source]
        endings = ["Logic"] if "upgradeable" in case.features else HELPERS.get(case.kind, [])
        helpers = [made.contract_name + ending for ending in endings]
        assert sorted(contracts) == sorted([made.contract_name, *helpers]), "one file, one contract and what it creates"
        contract = contracts[made.contract_name]
        abi = interface_of(contracts, made.contract_name)
        return Composed.deploy(chain, case, made, abi, "0x" + contract["evm"]["bytecode"]["object"])

    return deployed


@pytest.fixture
def composed(request: pytest.FixtureRequest, deploy: Callable[[Case], Composed]) -> Composed:
    """Return the contract of the test's case."""
    return deploy(request.param)


@pytest.fixture
def now() -> int:
    """Seconds since 1970."""
    return int(time.time())
