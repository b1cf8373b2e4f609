"""What a compiled contract must be, so that Slipway can deploy it for its owner. Pure.

Slipway's own signer creates the contracts of builds, so a constructor that hands something to its caller would
hand it to Slipway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slipway.builds.audit.findings import REFUSED
from slipway.builds.audit.models import Compilation, Finding, Problem
from slipway.builds.models import LOGIC, ConstructorArgument
from slipway.errors import CompilationFailedError

MAX_RUNTIME_BYTES = 24_576
"""Of deployed code (EIP-170)."""

MAX_CREATION_BYTES = 49_152
"""Of creation code with its arguments (EIP-3860)."""


def check_deployable(
    compilation: Compilation, contract_name: str, arguments: Sequence[ConstructorArgument]
) -> tuple[str, dict[str, Any]]:
    """Find the contract among those that were compiled.

    Returns:
        Its source unit and the compiler's output for it, with ``abi`` and ``evm``.

    Raises:
        CompilationFailedError: It isn't there once, has no code of its own, is too large for a chain, takes other
            arguments, or gives something to whoever creates it; ``details.problems`` has all of these.
    """
    contracts = compilation.standard_json_output.get("contracts", {})
    found = [
        (unit, contracts[unit][contract_name])
        for unit in compilation.sources
        if contract_name in contracts.get(unit, {})
    ]
    if len(found) != 1:
        raise _refused("", [f"There are {len(found)} contracts {contract_name}, where there has to be one"])
    unit, contract = found[0]
    wrong = _code_problems(contract) + _constructor_problems(contract, arguments)
    # What the contract creates, such as the code behind a proxy, has the same limit.
    wrong += [
        problem for name, other in contracts[unit].items() if name != contract_name for problem in _size_of(other)
    ]
    if _gives_to_the_creator(compilation.standard_json_output["sources"][unit]["ast"]):
        wrong.append("The construction reads who creates the contract, which is not its owner")
    if wrong:
        raise _refused(unit, wrong)
    return unit, contract


def interface_of(contracts: Mapping[str, Any], contract_name: str) -> list[dict[str, Any]]:
    """Return the ABI by which a contract of a source is called: behind a proxy, that of its code as well."""
    own = list(contracts[contract_name]["abi"])
    logic = contracts.get(contract_name + LOGIC, {"abi": []})["abi"]
    return own + [entry for entry in logic if entry["type"] != "constructor" and entry not in own]


def require_contract(compilation: Compilation) -> None:
    """Refuse sources in which there is nothing to deploy: an audit of them would pass without looking at anything.

    Raises:
        CompilationFailedError: There is no contract of our own but abstract ones, interfaces and libraries.
    """
    trees = (compilation.standard_json_output["sources"][unit]["ast"] for unit in compilation.sources)
    declared = (node for tree in trees for node in tree["nodes"] if node["nodeType"] == "ContractDefinition")
    if not any(node["contractKind"] == "contract" and not node["abstract"] for node in declared):
        raise _refused("", ["There is no contract that can be deployed"])


def _code_problems(contract: Mapping[str, Any]) -> list[str]:
    creation = str(contract["evm"]["bytecode"]["object"])
    if not creation:
        return ["The contract is abstract or an interface"]
    if "_" in creation:
        return ["The contract needs a library that is deployed apart from it"]
    wrong = _size_of(contract)
    if len(creation) // 2 > MAX_CREATION_BYTES:
        wrong.append(f"Its creation takes {len(creation) // 2} bytes, over the {MAX_CREATION_BYTES} of EIP-3860")
    return wrong


def _size_of(contract: Mapping[str, Any]) -> list[str]:
    size = len(str(contract["evm"]["deployedBytecode"]["object"])) // 2
    if size <= MAX_RUNTIME_BYTES:
        return []
    return [f"A contract has {size} bytes of code, over the {MAX_RUNTIME_BYTES} of EIP-170"]


def _constructor_problems(contract: Mapping[str, Any], arguments: Sequence[ConstructorArgument]) -> list[str]:
    inputs = _constructor(contract["abi"])
    if inputs != [argument.type for argument in arguments]:
        given = ", ".join(argument.type for argument in arguments) or "nothing"
        return [f"The constructor takes {', '.join(inputs) or 'nothing'}, and the arguments are {given}"]
    return []


def _constructor(abi: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(given["type"]) for entry in abi if entry["type"] == "constructor" for given in entry.get("inputs", [])]


def _gives_to_the_creator(tree: Mapping[str, Any]) -> bool:
    """Return whether anything of our own that runs while one of our contracts is created reads its creator."""
    functions = {node["id"]: node for node in _nodes(tree) if node.get("nodeType") == "FunctionDefinition"}
    created: list[Any] = []
    for contract in _nodes(tree):
        if contract.get("nodeType") == "ContractDefinition":
            created += [base.get("arguments") for base in contract.get("baseContracts", [])]
            created += [
                member.get("value") for member in contract["nodes"] if member["nodeType"] == "VariableDeclaration"
            ]
    created += [function for function in functions.values() if function.get("kind") == "constructor"]
    seen: set[int] = set()
    while created:
        for node in _nodes(created.pop()):
            if _reads_sender(node):
                return True
            called = int(node.get("referencedDeclaration") or 0)
            if called in functions and called not in seen:
                seen.add(called)
                created.append(functions[called])
    return False


def _reads_sender(node: Mapping[str, Any]) -> bool:
    if node.get("nodeType") == "Identifier":
        return node.get("name") in ("_msgSender", "_msgData")
    if node.get("nodeType") != "MemberAccess" or node.get("memberName") not in ("sender", "origin"):
        return False
    return node.get("expression", {}).get("name") in ("msg", "tx")


def _nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += node
        elif isinstance(node, dict):
            yield node
            pending += [child for child in node.values() if isinstance(child, list | dict)]


def keeps_interface(before: Compilation, after: Compilation, findings: Sequence[Finding]) -> bool:
    """Return whether a fix left what callers use: every contract with its constructor, and every function that none of
    the refused findings is about."""
    at_fault = {finding.function for finding in findings if finding.impact in REFUSED}
    later = after.standard_json_output["contracts"]
    for unit in before.sources:
        for name, contract in before.standard_json_output["contracts"].get(unit, {}).items():
            changed = later.get(unit, {}).get(name)
            if changed is None or _constructor(changed["abi"]) != _constructor(contract["abi"]):
                return False
            lost = _functions(contract["abi"]) - _functions(changed["abi"])
            if any(function.partition("(")[0] not in at_fault for function in lost):
                return False
    return True


def _functions(abi: Sequence[Mapping[str, Any]]) -> set[str]:
    return {
        f"{entry['name']}({','.join(given['type'] for given in entry.get('inputs', []))})"
        for entry in abi
        if entry["type"] == "function"
    }


def _refused(unit: str, messages: Sequence[str]) -> CompilationFailedError:
    problems = [
        Problem(file=unit, line=None, column=None, kind="DeploymentError", message=message) for message in messages
    ]
    return CompilationFailedError(messages[0], details={"problems": [problem.model_dump() for problem in problems]})
