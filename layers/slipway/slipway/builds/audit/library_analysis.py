"""Slither's analysis of the library contracts, done once for all contracts that stand on the same of them.

Most of an audit's time goes into library contracts, which are always the same. Slither analyses sources in their order,
and a contract needs what was found in those that it inherits from, never the reverse. So the library's are parsed and
converted once, and our own sources are added in a fork. What depends on who calls whom follows there, for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, ValuesView
from contextlib import contextmanager
from typing import Any

from crytic_compile.platform.solc_standard_json import parse_standard_json_output
from slither import Slither
from slither.analyses.data_dependency.data_dependency import compute_dependency
from slither.slither import _update_file_scopes

_ADDED = frozenset({"PragmaDirective", "ImportDirective", "ContractDefinition"})
_RESERVED = "SlitherInternalTopLevelContract"
# Parsers of what lies outside of contracts. They have run, and our own sources have none.
_OUTSIDE = (
    "_structures_top_level_parser",
    "_custom_error_parser",
    "_variables_top_level_parser",
    "_functions_top_level_parser",
    "_using_for_top_level_parser",
    "_events_top_level_parser",
)


class NotAddedError(Exception):
    """Such sources can't be added: all have to be analysed at once."""


def begin(slither: Slither) -> None:
    """Convert what was parsed, as far as it does not depend on sources that are added later."""
    (parser,) = slither._parsers
    _convert(parser.compilation_unit.contracts, parser.compilation_unit.functions_top_level)


def add_sources(slither: Slither, output: dict[str, Any], directory: str) -> None:
    """Add sources, and analyse all, as if they had been there when ``slither`` was made.

    Args:
        slither: Has begun with all that the sources import. It is of no use any more after an error.
        output: The compiler's standard-JSON output for the sources alone, which it parsed after the others.
        directory: Where all sources lie.

    Raises:
        NotAddedError: They have definitions outside of contracts.
        Exception: Whatever Slither raises.
    """
    nodes = (node for entry in output["sources"].values() for node in entry["ast"]["nodes"])
    if any(node["nodeType"] not in _ADDED or str(node.get("name")).startswith(_RESERVED) for node in nodes):
        raise NotAddedError
    (parser,) = slither._parsers
    unit, parsers = parser.compilation_unit, parser.underlying_contract_to_parser
    library = list(parsers)
    _parse_top_level(slither, parser, output, directory)
    own = list(parsers)[len(library) :]
    for contract in own:
        parser.contracts_by_id[contract.id] = contract
        unit.contracts.append(contract)
    _update_file_scopes(parser)
    for contract in library:
        parsers[contract].set_is_analyzed(True)
    parser._underlying_contract_to_parser = _Narrowed(parsers, (parsers[contract] for contract in own))
    for name in _OUTSIDE:
        setattr(parser, name, [])
    parser._parsed = False
    with _without_initializers(library):
        parser.parse_contracts()
    _convert(own, [])
    unit._all_state_variables = unit._derived_contracts_map = None
    unit.propagate_function_calls()
    for contract in unit.contracts:
        contract.fix_phi()
        contract.update_read_write_using_ssa()
    compute_dependency(unit)
    unit.compute_storage_layout()


def _parse_top_level(slither: Slither, parser: Any, output: dict[str, Any], directory: str) -> None:
    sources = parser.compilation_unit.crytic_compile_compilation_unit
    known = set(sources.source_units)
    parse_standard_json_output(output, sources, solc_working_dir=directory)
    # What was remembered of all sources, and is read again.
    sources._filenames_lookup = None
    slither.crytic_compile.src_content = {}
    for name, source in sources.source_units.items():
        if name not in known:
            parser.parse_top_level_items(source.ast, name.absolute)
            slither.add_source_code(name.absolute)


@contextmanager
def _without_initializers(contracts: list[Any]) -> Iterator[None]:
    """Hide the functions that Slither makes of initial values, after it has parsed: nobody inherits them."""
    functions = [contract._functions for contract in contracts]
    for contract in contracts:
        contract._functions = {
            name: function for name, function in contract._functions.items() if not function.is_constructor_variables
        }
    yield
    for contract, all_functions in zip(contracts, functions, strict=True):
        contract._functions = all_functions


class _Narrowed(dict[Any, Any]):
    """All parsers by contract, of which only some are to be worked through."""

    def __init__(self, parsers: dict[Any, Any], some: Iterable[Any]) -> None:
        super().__init__(parsers)
        self._some = dict(enumerate(some))

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        return self._some.values()


def _convert(contracts: Iterable[Any], functions: Iterable[Any]) -> None:
    """Make Slither's intermediate representation of contracts, and of functions outside of contracts."""
    for contract in contracts:
        contract.add_constructor_variables()
        for function in contract.functions + contract.modifiers:
            function.generate_slithir_and_analyze()
        contract.convert_expression_to_slithir_ssa()
    for function in functions:
        function.generate_slithir_and_analyze()
        function.generate_slithir_ssa({})
