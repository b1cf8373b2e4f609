"""Slipway's own contracts, compiled.

The artifacts are committed beside this module and made by `python -m local.compile_contracts`, so that
nothing is compiled when a token is launched. This module imports the standard library only.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


class UnknownContractError(LookupError):
    """There is no artifact of that name."""


@dataclass(frozen=True, slots=True)
class ContractArtifact:
    """One compiled contract. Shared by all callers: its ABI is to be read, not changed.

    Attributes:
        name: The contract's name, such as `HokusaiToken`.
        compiler: The compiler's version, such as `0.8.30+commit.73712a01`.
        source_hash: SHA-256 in hex over the contract's source and everything it imports.
        abi: The contract's ABI as the compiler gives it.
        bytecode: Creation code without constructor arguments, hex with 0x.
        deployed_bytecode: Runtime code, hex with 0x. Immutable values are zero in it.
    """

    name: str
    compiler: str
    source_hash: str
    abi: list[dict[str, Any]]
    bytecode: str
    deployed_bytecode: str


@cache
def load(name: str) -> ContractArtifact:
    """Read a contract's artifact; the second time it comes from memory.

    Args:
        name: The contract's name, such as `HokusaiToken`.

    Returns:
        The artifact.

    Raises:
        UnknownContractError: There is no such contract.
    """
    if not _NAME.fullmatch(name):
        raise UnknownContractError(f"{name!r} is not a contract name")
    content = json.loads(_read(f"{name}.json"))
    return ContractArtifact(
        name=content["contractName"],
        compiler=content["compiler"],
        source_hash=content["sourceHash"],
        abi=content["abi"],
        bytecode=content["bytecode"],
        deployed_bytecode=content["deployedBytecode"],
    )


def load_input(name: str) -> bytes:
    """Return the compiler's standard-JSON input of a contract that Slipway launches, as JSON.

    Raises:
        UnknownContractError: There is no such contract, or it is none that is launched.
    """
    return _read(f"{load(name).name}.input.json")


def _read(name: str) -> bytes:
    try:
        return files("slipway.chain").joinpath("artifacts", name).read_bytes()
    except FileNotFoundError:
        raise UnknownContractError(f"There is no compiled contract {name.partition('.')[0]}") from None
