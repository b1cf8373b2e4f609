"""Mends what a detector found, mechanically. Pure: text in, text out.

Each fixer takes the source and one finding, and gives the changed source, or None where it has no answer that is sure
to keep what the contract means. A fixer changes lines in place or adds lines at or below the finding's, never above, so
that findings are answered from the bottom up with their lines still right. The result is compiled and audited again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from slipway.builds.audit.models import Finding, Fix

type Fixer = Callable[[str, Finding], str | None]

_ADDRESS = r"[A-Za-z_$][\w$.]*(?:\[[^\]\n]*\])*|payable\([^()\n]*\)"
_OPERAND = r"[A-Za-z_$][\w$.]*(?:\[[^\]\n]*\])?|\d[\d_]*"


def mend(
    sources: Mapping[str, str], findings: Sequence[Finding], compiler_version: str
) -> tuple[dict[str, str], list[Fix]]:
    """Answer every finding that has a fixer with an answer.

    Args:
        sources: Our own code by source unit name.
        findings: Of that code.
        compiler_version: What a floating pragma is pinned to, such as `0.8.30+commit.73712a01`.

    Returns:
        The sources, changed or not, and what was answered.
    """
    mended = dict(sources)
    fixes: list[Fix] = []
    for finding in sorted(findings, key=lambda found: found.lines[:1], reverse=True):
        fixer = FIXERS.get(finding.detector)
        if fixer is None or finding.file not in mended or not finding.lines:
            continue
        changed = fixer(mended[finding.file], finding)
        if changed is None or changed == mended[finding.file]:
            continue
        mended[finding.file] = changed
        fixes.append(Fix.of(finding))
    if fixes:
        exact = compiler_version.partition("+")[0]
        mended = {name: add_imports(pin_pragma(text, exact)) for name, text in mended.items()}
    return mended, fixes


def pin_pragma(source: str, version: str) -> str:
    """Pin a floating pragma to the compiler that the audit used."""
    return re.sub(r"^(\s*pragma\s+solidity\s+)[\^~>][^;]*;", rf"\g<1>{version};", source, count=1, flags=re.MULTILINE)


_IMPORTS = {
    "SafeERC20": "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol",
    "IERC20": "@openzeppelin/contracts/token/ERC20/IERC20.sol",
    "ReentrancyGuard": "@openzeppelin/contracts/utils/ReentrancyGuard.sol",
}


def add_imports(source: str) -> str:
    """Import the library contracts that fixers use and the source does not know yet, below its pragma."""
    missing = [
        f'import {{{name}}} from "{path}";'
        for name, path in _IMPORTS.items()
        if re.search(rf"\b{name}\b", source) and not _knows(source, name)
    ]
    pragma = re.search(r"^\s*pragma\s+solidity[^;]*;", source, flags=re.MULTILINE)
    if not missing or pragma is None:
        return source
    return source[: pragma.end()] + "\n\n" + "\n".join(missing) + source[pragma.end() :]


def _knows(source: str, name: str) -> bool:
    """Return whether a name is declared here, or imported; an import without a list of names brings its file's."""
    declared = re.search(rf"\b(?:contract|interface|library)\s+{name}\b", source)
    named = re.search(rf"import\s*\{{[^}}]*\b{name}\b[^}}]*\}}", source)
    whole = re.search(rf'import\s+"[^"\n]*/{name}\.sol"', source)
    return bool(declared or named or whole)


def tx_origin(source: str, finding: Finding) -> str | None:
    """Ask who calls, not who started the transaction."""

    def change(line: str) -> str | None:
        if re.search(r"tx\.origin\s*[!=]=\s*msg\.sender|msg\.sender\s*[!=]=\s*tx\.origin", line):
            # That forbids contracts as callers; with msg.sender it would say nothing.
            return None
        return re.sub(r"\btx\.origin\b", "msg.sender", line)

    return _each_node(source, finding, change)


def unchecked_transfer(source: str, finding: Finding) -> str | None:
    """Transfer by SafeERC20, which reverts where a token returns false or nothing."""
    if re.search(r"\b(?:contract|interface|library)\s+(?:IERC20|SafeERC20)\b", source):
        return None
    names = {"transfer": "safeTransfer", "transferFrom": "safeTransferFrom"}
    return _each_node(source, finding, lambda line: _by_safe_erc20(line, names))


def unused_return(source: str, finding: Finding) -> str | None:
    """Approve by SafeERC20; other values that are not read have no mechanical answer."""
    if re.search(r"\b(?:contract|interface|library)\s+(?:IERC20|SafeERC20)\b", source):
        return None
    return _each_node(source, finding, lambda line: _by_safe_erc20(line, {"approve": "forceApprove"}))


def _by_safe_erc20(line: str, names: Mapping[str, str]) -> str | None:
    call = re.fullmatch(rf"(\s*)({_ADDRESS})\.({'|'.join(names)})\((.*)\);\s*", line)
    if call is None:
        return None
    indent, token, method, arguments = call.groups()
    return f"{indent}SafeERC20.{names[method]}(IERC20(address({token})), {arguments});"


def unchecked_call(source: str, finding: Finding) -> str | None:
    """Revert where a low-level call or a send failed."""

    def change(line: str) -> str | None:
        if sent := re.fullmatch(rf"(\s*)((?:{_ADDRESS})\.send\(.*\));\s*", line):
            return f'{sent[1]}require({sent[2]}, "Send failed");'
        if bare := re.fullmatch(rf"(\s*)((?:{_ADDRESS})\.call(?:\{{[^{{}}]*\}})?\(.*\));\s*", line):
            return (
                f"{bare[1]}{{\n{bare[1]}    (bool called, ) = {bare[2]};\n"
                f'{bare[1]}    require(called, "Call failed");\n{bare[1]}}}'
            )
        if named := re.fullmatch(r"(\s*)\(bool (\w+),[^)=]*\) = .+\.call(?:\{[^{}]*\})?\(.*\);\s*", line):
            return f'{line.rstrip()}\n{named[1]}require({named[2]}, "Call failed");'
        return None

    return _each_node(source, finding, change)


def divide_before_multiply(source: str, finding: Finding) -> str | None:
    """Multiply first, where both stand in one expression of plain operands."""

    pattern = (
        rf"(?<![\w.$])(?:\(\s*({_OPERAND})\s*/\s*({_OPERAND})\s*\)|({_OPERAND})\s*/\s*({_OPERAND}))"
        rf"\s*\*\s*({_OPERAND})(?![\w$])"
    )

    def swapped(match: re.Match[str]) -> str:
        # What stands beside it may bind as tightly.
        if re.search(r"[*/%)\]]\s*$", match.string[: match.start()]) or re.match(
            r"\s*[*/%(\[.]", match.string[match.end() :]
        ):
            return match[0]
        dividend, divisor = match[1] or match[3], match[2] or match[4]
        return f"({dividend} * {match[5]}) / {divisor}"

    return _each_node(source, finding, lambda line: re.sub(pattern, swapped, line))


def uninitialized_local(source: str, finding: Finding) -> str | None:
    """Write down the zero that a variable starts with."""
    zeros = {"bool": "false", "address": "address(0)"}

    def change(line: str) -> str | None:
        match = re.fullmatch(r"(\s*(bool|address|u?int\d*|bytes\d+)\s+\w+)\s*;\s*", line)
        return f"{match[1]} = {zeros.get(match[2], '0')};" if match else None

    return _each_line(source, finding.lines, change)


def locked_ether(source: str, finding: Finding) -> str | None:
    """Refuse ether that could never be withdrawn."""
    lines = source.split("\n")
    changed = False
    for element in finding.elements:
        if element.type != "function" or element.file != finding.file or not element.lines:
            continue
        first, last = element.lines[0] - 1, element.lines[-1]
        body = "\n".join(lines[first:last])
        if re.fullmatch(r"\s*(?:receive|fallback)\s*\(\s*\)\s*external\s+payable\s*\{\s*\}\s*", body):
            # Blank lines, so that those below keep their numbers.
            lines[first:last] = [""] * (last - first)
        elif re.search(r"\bmsg\.value\b", body) or body.count("payable ") + body.count("payable{") != 1:
            return None
        else:
            lines[first:last] = re.sub(r"\s*\bpayable\b(?!\s*\()", "", body, count=1).split("\n")
        changed = True
    return "\n".join(lines) if changed else None


def missing_zero_check(source: str, finding: Finding) -> str | None:
    """Refuse the zero address, on the line above the one that stores it."""
    variable = next((element.name for element in finding.elements if element.type == "variable"), "")
    node = next((element for element in finding.elements if element.type == "node" and element.lines), None)
    if not re.fullmatch(r"\w+", variable) or node is None or node.file != finding.file:
        return None

    def change(line: str) -> str | None:
        stored = re.fullmatch(rf"(\s*)[\w.]+\s*=\s*(?:payable\()?{variable}\)?;\s*", line)
        return f'{stored[1]}require({variable} != address(0), "Zero address");\n{line}' if stored else None

    return _each_line(source, node.lines[:1], change)


def reentrancy(source: str, finding: Finding) -> str | None:
    """Put effects before the interaction where that is plain; otherwise, guard the functions by `nonReentrant`."""
    return effects_first(source, finding) or guarded(source, finding)


_PLAIN_WRITE = re.compile(r"\s*([A-Za-z_$][\w$]*)((?:\[[^\]]*\])*)\s*[-+]?=\s*([^=].*);\s*")


def effects_first(source: str, finding: Finding) -> str | None:
    """Move plain writes of state from behind an external call to before it.

    Only within one run of one-line statements, only `state = …;` that calls nothing and reads nothing which the call or
    the lines in between declare, and only if none of the lines that it passes reads what it writes.
    """
    nodes = [element for element in finding.elements if element.type == "node" and len(element.lines) == 1]
    if not nodes or len({node.file for node in nodes}) != 1:
        return None
    lines = source.split("\n")
    first = min(node.lines[0] for node in nodes)
    last = max(node.lines[0] for node in nodes)
    block = lines[first - 1 : last]
    if any(re.search(r"[{}]\s*$|^\s*(?:return|if|for|while|do|else|assembly|unchecked)\b", line) for line in block):
        return None
    moved: list[str] = []
    kept: list[str] = [block[0]]
    for line in block[1:]:
        write = _PLAIN_WRITE.fullmatch(line)
        if write and _may_pass(write, kept):
            moved.append(line)
        else:
            kept.append(line)
    if not moved:
        return None
    return "\n".join([*lines[: first - 1], *moved, *kept, *lines[last:]])


# Calls that read no state of ours; every other call of a plain name may.
_HARMLESS_CALLS = re.compile(r"require|assert|revert|address|payable|keccak256|u?int\d*|bytes\d*|bool|[A-Z]\w*")


def _may_pass(write: re.Match[str], passed: list[str]) -> bool:
    state, index, value = write[1], write[2], write[3]
    above = "\n".join(passed)
    if "(" in index + value or re.search(rf"\b{re.escape(state)}\b|\+\+|--|\bdelete\b|\bthis\.\w+\(", above):
        return False
    if not all(_HARMLESS_CALLS.fullmatch(name) for name in re.findall(r"(?<![\w.$])([A-Za-z_$][\w$]*)\s*\(", above)):
        return False
    # Everything left of an equals sign counts as written, which is more than is.
    written = {name for line in passed if "=" in line for name in _identifiers(line.partition("=")[0])}
    return not _identifiers(index + value) & written


def _identifiers(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_$][\w$]*", text))


def guarded(source: str, finding: Finding) -> str | None:
    """Add OpenZeppelin's `nonReentrant` to the function, and ReentrancyGuard to its contract."""
    names = {finding.function} | {
        element.name
        for element in finding.elements
        if element.type == "function" and element.contract in (None, finding.contract)
    }
    contract = finding.contract
    if not contract or re.search(r"\b(?:contract|library|interface)\s+ReentrancyGuard\b", source):
        return None
    lines = source.split("\n")
    changed = False
    for name in names - {None}:
        pattern = rf"(\bfunction\s+{re.escape(str(name))}\s*\([^)]*\)\s*[^{{;]*?\b(?:external|public)\b)([^{{;]*)\{{"
        for match in re.finditer(pattern, source):
            if re.search(r"\b(?:view|pure|nonReentrant)\b", match[0]):
                continue
            row = source.count("\n", 0, match.end(1))
            column = match.end(1) - (source.rfind("\n", 0, match.end(1)) + 1)
            lines[row] = f"{lines[row][:column]} nonReentrant{lines[row][column:]}"
            changed = True
    return _inheriting("\n".join(lines), contract, "ReentrancyGuard") if changed else None


def _inheriting(source: str, contract: str, base: str) -> str | None:
    head = re.search(rf"\bcontract\s+{re.escape(contract)}\b([^{{]*)\{{", source)
    if head is None:
        return None
    if re.search(rf"\b{base}\b", head[1]):
        return source
    joined = f", {base}" if re.search(r"\bis\b", head[1]) else f" is {base}"
    place = head.start(1) + len(head[1].rstrip())
    return source[:place] + joined + source[place:]


def _each_node(source: str, finding: Finding, change: Callable[[str], str | None]) -> str | None:
    """Change the one-line statements that a finding names."""
    numbers = [
        element.lines[0]
        for element in finding.elements
        if element.type == "node" and element.file == finding.file and len(element.lines) == 1
    ]
    return _each_line(source, numbers, change)


def _each_line(source: str, numbers: Sequence[int], change: Callable[[str], str | None]) -> str | None:
    """Change lines by number; None if one of them has no answer, or none changed."""
    lines = source.split("\n")
    changed = False
    for number in sorted(set(numbers), reverse=True):
        answer = change(lines[number - 1])
        if answer is None:
            return None
        changed = changed or answer != lines[number - 1]
        lines[number - 1] = answer
    return "\n".join(lines) if changed else None


FIXERS: dict[str, Fixer] = {
    "divide-before-multiply": divide_before_multiply,
    "locked-ether": locked_ether,
    "missing-zero-check": missing_zero_check,
    "reentrancy-benign": reentrancy,
    "reentrancy-eth": reentrancy,
    "reentrancy-no-eth": reentrancy,
    "tx-origin": tx_origin,
    "unchecked-lowlevel": unchecked_call,
    "unchecked-send": unchecked_call,
    "unchecked-transfer": unchecked_transfer,
    "uninitialized-local": uninitialized_local,
    "unused-return": unused_return,
}
