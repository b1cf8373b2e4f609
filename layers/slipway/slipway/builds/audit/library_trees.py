"""Syntax trees of library contracts, kept between compilations: most of a compilation's time goes into writing them.

The compiler numbers nodes in the order in which it parses, and it parses sources in the order of their names. So as
long as our own sources come last, the library's trees depend on nothing but the library's sources and the settings.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

MAX_KEPT = 16
"""How many sets of library sources have their trees kept; a set takes about 300 KB."""

_FASTEST = 1


class LibraryTrees:
    """What was compiled before, by the hash of the library's part of the input."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def find(self, key: str) -> dict[str, Any] | None:
        """Return ``sources`` of a compiler's output, for the library's alone; None when they are not kept."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        trees: dict[str, Any] = json.loads(zlib.decompress(found))
        return trees

    def keep(self, key: str, output: Mapping[str, Any], own: Mapping[str, str]) -> None:
        """Keep the trees of a whole output, but for our own sources."""
        trees = {name: entry for name, entry in output["sources"].items() if name not in own}
        self._kept[key] = zlib.compress(json.dumps(trees).encode(), _FASTEST)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)


def key_of(standard_json_input: Mapping[str, Any], own: Mapping[str, str], version: str) -> str | None:
    """Return what the library's trees depend on, as a hash; None where they depend on our own sources as well."""
    library = {name: entry for name, entry in standard_json_input["sources"].items() if name not in own}
    if not library or min(own) < max(library):
        return None
    settings = {name: value for name, value in standard_json_input["settings"].items() if name != "outputSelection"}
    return hashlib.sha256(json.dumps([version, settings, library], sort_keys=True).encode()).hexdigest()


def with_trees(output: dict[str, Any], trees: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return an output without the library's trees together with them; None if they are not of this compilation."""
    sources = {
        name: {"ast": trees[name]["ast"], **entry} if name in trees else entry
        for name, entry in output["sources"].items()
    }
    same_units = all(entry["id"] == trees[name]["id"] for name, entry in output["sources"].items() if name in trees)
    known = {number for entry in trees.values() for number in _exported(entry)}
    own = {number for name, entry in output["sources"].items() if name not in trees for number in _exported(entry)}
    # Numbers of the library come first, so that what is no symbol of it comes after all of them.
    last = max((entry["ast"]["id"] for entry in trees.values()), default=0)
    same_nodes = all(number in known or number > last for number in own)
    return {**output, "sources": sources} if same_units and same_nodes else None


def _exported(entry: Mapping[str, Any]) -> set[int]:
    return {number for numbers in entry["ast"]["exportedSymbols"].values() for number in numbers}
