"""Compilations with the library's trees from before give what whole ones give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway.builds.audit.compilation import compile_sources, new_compiler
from slipway.builds.audit.library_trees import MAX_KEPT, LibraryTrees, key_of, with_trees
from slipway.solidity.compiler import Compiler
from slipway.solidity.toolchain import find_toolchain

CLEAN = Path(__file__).parent / "solidity" / "clean"
HEAD = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.27;\n"
TOKEN = 'import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";\n'


@pytest.fixture(scope="module")
def compiler() -> Iterator[Compiler]:
    with new_compiler(find_toolchain(), timeout_seconds=120) as made:
        yield made


class Counting:
    """A compiler that notes how often the library's trees are asked for."""

    def __init__(self, compiler: Compiler) -> None:
        self.compiler, self.whole = compiler, 0
        self.version = compiler.version

    def compile(self, given: dict[str, Any]) -> dict[str, Any]:
        self.whole += "" in given["settings"]["outputSelection"]["*"]
        return self.compiler.compile(given)


@pytest.mark.parametrize("name", ["Token", "RolesToken", "Vesting", "Collectible"])
def test_a_compilation_is_the_same_to_the_letter(compiler: Compiler, name: str) -> None:
    counting: Any = Counting(compiler)
    text, trees = (CLEAN / f"{name}.sol").read_text(encoding="utf-8"), LibraryTrees()
    other = text + "\ncontract Other { uint256 public x = 1; }\n"
    compile_sources(counting, find_toolchain(), {f"contracts/{name}.sol": other}, trees)
    assert counting.whole == 1
    sources = {f"contracts/{name}.sol": text}
    found = compile_sources(counting, find_toolchain(), sources, trees)
    assert counting.whole == 1, "the library's trees were kept"
    whole = compile_sources(counting, find_toolchain(), sources)
    assert found.standard_json_output == whole.standard_json_output
    assert list(found.standard_json_output["sources"]) == list(whole.standard_json_output["sources"])
    assert found.standard_json_input == whole.standard_json_input
    same = {"seconds": 0.0}
    assert found.model_copy(update=same).model_dump_json() == whole.model_copy(update=same).model_dump_json()


def test_trees_are_of_the_same_library_settings_and_compiler() -> None:
    own = {"contracts/A.sol": "x"}
    sources = {"@openzeppelin/a.sol": {"content": "1"}, "contracts/A.sol": {"content": "x"}}
    given: dict[str, Any] = {"sources": sources, "settings": {"evmVersion": "cancun", "outputSelection": {}}}
    key = key_of(given, own, "0.8.30")
    assert key_of({**given, "settings": {**given["settings"], "outputSelection": {"*": {}}}}, own, "0.8.30") == key
    other_library = {**sources, "@openzeppelin/a.sol": {"content": "2"}}
    assert key_of({**given, "sources": other_library}, own, "0.8.30") != key
    assert key_of({**given, "settings": {"evmVersion": "paris"}}, own, "0.8.30") != key
    assert key_of(given, own, "0.8.31") != key
    # Parsed before the library, our own would move its numbers.
    early = {"0/A.sol": "x"}
    assert key_of({**given, "sources": {"0/A.sol": {"content": "x"}, **other_library}}, early, "0.8.30") is None
    assert key_of({**given, "sources": {"contracts/A.sol": {"content": "x"}}}, own, "0.8.30") is None


def test_trees_of_another_compilation_are_not_believed(compiler: Compiler) -> None:
    trees, counting = LibraryTrees(), Counting(compiler)
    source = HEAD + TOKEN + 'contract A is ERC20 { constructor() ERC20("A", "A") {} }'
    first = compile_sources(counting, find_toolchain(), {"contracts/A.sol": source}, trees)  # type: ignore[arg-type]
    output = first.standard_json_output
    library = {name: entry for name, entry in output["sources"].items() if name.startswith("@")}
    assert with_trees(output, library)
    moved = {name: {**entry, "id": entry["id"] + 1} for name, entry in library.items()}
    assert with_trees(output, moved) is None
    shifted = {
        name: {**entry, "ast": {**entry["ast"], "exportedSymbols": {}, "id": 10**6}} for name, entry in library.items()
    }
    assert with_trees(output, shifted) is None


def test_only_so_many_are_kept() -> None:
    trees = LibraryTrees()
    for number in range(MAX_KEPT + 1):
        trees.keep(str(number), {"sources": {"@a.sol": {"id": number, "ast": {}}}}, {})
    assert trees.find("0") is None
    assert trees.find("1") == {"@a.sol": {"id": 1, "ast": {}}}
