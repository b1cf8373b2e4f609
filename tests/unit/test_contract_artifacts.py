"""The committed artifacts are what the contracts compile to, and the loader gives them as they are."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import compile_contracts
from slipway.chain import contracts

NAMES = [
    "Escrow",
    "FirstSupply",
    "HokusaiToken",
    "ModelRegistry",
    "SignatureValidator",
    "TestUSDC",
    "TokenManager",
]


@pytest.fixture(scope="module")
def compiled() -> dict[str, str]:
    try:
        return compile_contracts.compile_contracts()
    except compile_contracts.MissingNodeModulesError as error:
        pytest.fail(f"These tests compile the contracts: {error}")


@pytest.fixture
def forgetful_loader() -> Iterator[None]:
    contracts.load.cache_clear()
    yield
    contracts.load.cache_clear()


def test_committed_artifacts_are_what_the_sources_compile_to(compiled: dict[str, str]) -> None:
    assert compile_contracts.differences(compiled) == []


def test_every_contract_has_an_artifact(compiled: dict[str, str]) -> None:
    assert {f"{name}.json" for name in NAMES} <= set(compiled)


def test_compiling_elsewhere_gives_the_same_bytes(compiled: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "contracts").symlink_to(compile_contracts.ROOT / "contracts")
    (tmp_path / "node_modules").symlink_to(compile_contracts.ROOT / "node_modules")
    assert compile_contracts.compile_contracts(tmp_path) == compiled


def test_differences_names_what_is_missing_outdated_and_superfluous(tmp_path: Path) -> None:
    (tmp_path / "Outdated.json").write_text("{}")
    (tmp_path / "Superfluous.json").write_text("{}")
    (tmp_path / "Same.json").write_text("same")
    found = compile_contracts.differences({"Missing.json": "x", "Outdated.json": "x", "Same.json": "same"}, tmp_path)
    assert found == [
        "Missing.json is missing",
        "Outdated.json is not what its source compiles to",
        "Superfluous.json belongs to no contract",
    ]


def test_without_the_npm_packages_the_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(compile_contracts.MissingNodeModulesError, match="npm ci"):
        compile_contracts.compile_contracts(tmp_path)


def test_check_fails_and_writes_nothing_when_an_artifact_is_outdated(
    compiled: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(compile_contracts, "compile_contracts", lambda: compiled)
    monkeypatch.setattr(compile_contracts, "differences", lambda _: ["X.json is missing"])
    monkeypatch.setattr(compile_contracts, "ARTIFACTS", tmp_path)
    assert compile_contracts.main(["--check"]) == 1
    assert "X.json is missing" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_writing_replaces_what_is_there(
    compiled: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Superfluous.json").write_text("{}")
    monkeypatch.setattr(compile_contracts, "compile_contracts", lambda: compiled)
    monkeypatch.setattr(compile_contracts, "ARTIFACTS", tmp_path)
    assert compile_contracts.main([]) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == compiled


@pytest.mark.parametrize("name", NAMES)
def test_loader_gives_the_artifact(name: str, compiled: dict[str, str], forgetful_loader: None) -> None:
    content = json.loads(compiled[f"{name}.json"])
    assert contracts.load(name) == contracts.ContractArtifact(
        name=name,
        compiler=content["compiler"],
        source_hash=content["sourceHash"],
        abi=content["abi"],
        bytecode=content["bytecode"],
        deployed_bytecode=content["deployedBytecode"],
    )


@pytest.mark.parametrize("name", NAMES)
def test_artifact_is_deployable(name: str) -> None:
    artifact = contracts.load(name)
    assert artifact.compiler.startswith("0.8.")
    assert "+commit." in artifact.compiler
    assert len(bytes.fromhex(artifact.source_hash)) == 32
    # Only linked code is pure hex. EIP-170 limits the runtime code, EIP-3860 the creation code.
    assert 0 < len(bytes.fromhex(artifact.deployed_bytecode[2:])) <= 24_576
    assert 0 < len(bytes.fromhex(artifact.bytecode[2:])) <= 49_152


def test_token_is_constructed_from_name_symbol_and_controller() -> None:
    (constructor,) = (entry for entry in contracts.load("HokusaiToken").abi if entry["type"] == "constructor")
    assert [entry["type"] for entry in constructor["inputs"]] == ["string", "string", "address"]


def test_artifact_is_read_once_and_cannot_be_changed(forgetful_loader: None) -> None:
    artifact = contracts.load("ModelRegistry")
    assert contracts.load("ModelRegistry") is artifact
    with pytest.raises(dataclasses.FrozenInstanceError):
        artifact.bytecode = "0x"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["Nothing", "", "../contracts", "artifacts/HokusaiToken", "HokusaiToken.json"])
def test_unknown_contract_is_refused(name: str) -> None:
    with pytest.raises(contracts.UnknownContractError):
        contracts.load(name)


def test_loader_imports_nothing_heavy() -> None:
    script = (
        "import sys, slipway.chain.contracts as c; c.load('HokusaiToken');"
        "print({'web3', 'pydantic', 'py_mini_racer', 'boto3', 'eth_utils'} & set(sys.modules))"
    )
    root = compile_contracts.ROOT
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(root / "layers" / "slipway")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert result.stdout.strip() == "set()"
