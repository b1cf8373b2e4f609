"""Compiles `contracts/*.sol` into the artifacts that are committed with the library.

`python -m local.compile_contracts` writes them, `--check` only checks whether they are up to date (exit 1 if
not). Needs `npm ci` to have been run. Equal sources give equal files, on every machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from slipway.solidity.compiler import (
    CompilationError,
    Compiler,
    build_input,
    node_modules_resolver,
    source_closure,
)

ROOT = Path(__file__).resolve().parent.parent
# What Slipway creates again and again, so that its source has to be at hand: for explorers and verifiers.
LAUNCHED = ("HokusaiToken",)
_COMPILE_SECONDS = 300
ARTIFACTS = ROOT / "layers" / "slipway" / "slipway" / "chain" / "artifacts"


class MissingNodeModulesError(RuntimeError):
    """The npm packages are not installed."""


def compile_contracts(root: Path = ROOT) -> dict[str, str]:
    """Compile every contract in `contracts/`.

    Each file holds one contract that is named like the file.

    Returns:
        The text of each artifact by file name (`HokusaiToken.json`), sorted.

    Raises:
        MissingNodeModulesError: `npm ci` has not been run.
        CompilationError: A contract does not compile.
    """
    node_modules = root / "node_modules"
    soljson = node_modules / "solc" / "soljson.js"
    for needed in (soljson, node_modules / "@openzeppelin" / "contracts"):
        if not needed.exists():
            raise MissingNodeModulesError(f"{needed.relative_to(root)} is missing: run `npm ci` first")
    sources = {
        f"contracts/{path.name}": path.read_text(encoding="utf-8")
        for path in sorted((root / "contracts").glob("*.sol"))
    }
    resolve = node_modules_resolver(node_modules)
    # Our own sources: a busy machine is no reason to give up.
    with Compiler(soljson, timeout_seconds=_COMPILE_SECONDS) as compiler:
        version = compiler.version
        output = compiler.compile(build_input(sources, resolve))
    artifacts = {}
    for source in sources:
        name = Path(source).stem
        contract = output["contracts"].get(source, {}).get(name)
        if contract is None:
            raise ValueError(f"{source} declares no contract {name}")
        closure = source_closure({source: sources[source]}, lambda name: sources.get(name) or resolve(name))
        artifacts[f"{name}.json"] = _artifact(name, version, _hash_of(closure), contract)
        if name in LAUNCHED:
            # Alone, it compiles to the same bytecode.
            artifacts[f"{name}.input.json"] = _text(build_input(closure, resolve))
    return artifacts


def _hash_of(closure: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(closure, sort_keys=True).encode()).hexdigest()


def _artifact(name: str, compiler: str, source_hash: str, contract: dict[str, Any]) -> str:
    content = {
        "contractName": name,
        "compiler": compiler,
        "sourceHash": source_hash,
        "abi": contract["abi"],
        "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + contract["evm"]["deployedBytecode"]["object"],
    }
    return _text(content)


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def differences(artifacts: dict[str, str], folder: Path = ARTIFACTS) -> list[str]:
    """Compare artifacts with those in a folder.

    Returns:
        One sentence for each that is missing, outdated or without a contract; none if all is well.
    """
    found = []
    for name, text in artifacts.items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif path.read_text(encoding="utf-8") != text:
            found.append(f"{name} is not what its source compiles to")
    found += [
        f"{path.name} belongs to no contract" for path in sorted(folder.glob("*.json")) if path.name not in artifacts
    ]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.compile_contracts", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if an artifact is not up to date")
    options = parser.parse_args(arguments)
    try:
        artifacts = compile_contracts()
    except (CompilationError, MissingNodeModulesError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    found = differences(artifacts)
    if options.check:
        for sentence in found:
            print(f"{sentence}: run `python -m local.compile_contracts`", file=sys.stderr)
        return 1 if found else 0
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    for path in ARTIFACTS.glob("*.json"):
        if path.name not in artifacts:
            path.unlink()
    for name, text in artifacts.items():
        # Written beside and renamed: a reader never sees half a file.
        temporary = ARTIFACTS / f"{name}.new"
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(ARTIFACTS / name)
        print(f"{name}: {len(text):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
