"""Each fixer alone: what it answers, and what it leaves because it can't be sure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.builds.audit import fixes
from slipway.builds.audit.models import Element, Finding

FILE = "contracts/A.sol"


def finding(detector: str, *lines: int, function: str | None = "f", elements: list[Element] | None = None) -> Finding:
    nodes = [Element(type="node", name="", contract="A", file=FILE, lines=[line]) for line in lines]
    return Finding(
        detector=detector,
        impact="Medium",
        confidence="High",
        description="",
        contract="A",
        function=function,
        file=FILE,
        lines=list(lines) or [1],
        elements=elements or nodes,
    )


@pytest.mark.parametrize(
    ("detector", "before", "after"),
    [
        ("tx-origin", "if (tx.origin != owner) revert();", "if (msg.sender != owner) revert();"),
        ("unchecked-transfer", "t.transfer(to, 1);", "SafeERC20.safeTransfer(IERC20(address(t)), to, 1);"),
        ("unchecked-transfer", "t.transferFrom(a, b, 1);", "SafeERC20.safeTransferFrom(IERC20(address(t)), a, b, 1);"),
        ("unused-return", "t.approve(a, f(1));", "SafeERC20.forceApprove(IERC20(address(t)), a, f(1));"),
        ("unchecked-send", "to.send(1);", 'require(to.send(1), "Send failed");'),
        (
            "unchecked-lowlevel",
            '(bool ok, ) = to.call{value: 1}("");',
            '(bool ok, ) = to.call{value: 1}("");\nrequire(ok, "Call failed");',
        ),
        ("divide-before-multiply", "return (a / 3) * b;", "return (a * b) / 3;"),
        ("divide-before-multiply", "x = a / b * c;", "x = (a * c) / b;"),
        ("uninitialized-local", "uint256 x;", "uint256 x = 0;"),
        ("uninitialized-local", "address x;", "address x = address(0);"),
        ("uninitialized-local", "bool x;", "bool x = false;"),
    ],
)
def test_a_statement_is_mended(detector: str, before: str, after: str) -> None:
    assert fixes.FIXERS[detector](before, finding(detector, 1)) == after


@pytest.mark.parametrize(
    ("detector", "source"),
    [
        # Forbids contracts as callers; with msg.sender it would say nothing.
        ("tx-origin", "require(tx.origin == msg.sender);"),
        # The source's own interface may be something else.
        ("unchecked-transfer", "t.transfer(to, 1);\ninterface IERC20 {}"),
        ("unchecked-transfer", "ok = t.transfer(to, 1);"),
        ("unused-return", "set.add(1);"),
        ("unchecked-lowlevel", "return to.call(data);"),
        # Its neighbours bind as tightly, or its operands are more than names.
        ("divide-before-multiply", "x = a * b / c * d;"),
        ("divide-before-multiply", "x = a / b * c ** 2;"),
        ("divide-before-multiply", "x = a / f(b) * c;"),
        ("uninitialized-local", "uint256[] memory x;"),
        ("locked-ether", "function f() external payable { x = msg.value; }"),
    ],
)
def test_what_is_not_sure_is_left(detector: str, source: str) -> None:
    elements = [Element(type="function", name="f", contract="A", file=FILE, lines=[1])]
    of_function = finding(detector, 1, elements=elements if detector == "locked-ether" else None)
    assert fixes.FIXERS[detector](source, of_function) is None


def test_effects_go_before_the_interaction() -> None:
    source = 'x = 1;\nto.transfer(amount);\nrequire(amount > 0, "");\nbalances[a] -= amount;\nlast = amount;\ny();'
    moved = fixes.effects_first(source, finding("reentrancy-eth", 2, 4, 5))
    assert moved is not None
    lines = moved.split("\n")
    assert lines[1:5] == [
        "balances[a] -= amount;",
        "last = amount;",
        "to.transfer(amount);",
        'require(amount > 0, "");',
    ]
    assert (lines[0], lines[5]) == ("x = 1;", "y();")


@pytest.mark.parametrize(
    "block",
    [
        # The interaction reads what would be written.
        "to.transfer(balances[a]);\nbalances[a] = 0;",
        # It may read it by a function.
        "to.transfer(owed(a));\nbalances[a] = 0;",
        "to.transfer(this.owed(a));\nbalances[a] = 0;",
        # The write reads what the interaction answers.
        "uint256 got = pool.take();\nbalances[a] = got;",
        # Or what a line between writes.
        "pool.take();\ncount = pool.size();\nbalances[count] = 0;",
        "pool.take();\ncount++;\nbalances[count] = 0;",
        # It calls something itself.
        "pool.take();\nbalances[a] = pool.left();",
        # It is in another block.
        "if (pool.take()) {\nbalances[a] = 0;",
        "bool ok = pool.take();\nif (ok) balances[a] = 0;",
    ],
)
def test_an_effect_that_may_not_go_first_stays(block: str) -> None:
    numbers = range(1, block.count("\n") + 2)
    moved = fixes.effects_first(block, finding("reentrancy-eth", *numbers))
    assert moved is None or moved.index("take") < moved.index("balances")


def test_a_function_is_guarded_and_its_contract_inherits_the_guard() -> None:
    source = "contract A is B {\n    function f(uint256 x)\n        external\n        returns (bool)\n    {\n    }\n}"
    guarded = fixes.guarded(source, finding("reentrancy-eth", 5))
    assert guarded is not None
    assert "contract A is B, ReentrancyGuard {" in guarded
    assert "external nonReentrant\n" in guarded
    assert guarded.count("\n") == source.count("\n")
    # Twice is once.
    assert fixes.guarded(guarded, finding("reentrancy-eth", 5)) is None


def test_views_are_not_guarded() -> None:
    source = "contract A {\n    function f() external view returns (bool) {\n    }\n}"
    assert fixes.guarded(source, finding("reentrancy-eth", 2)) is None


def test_zero_addresses_are_refused_above_the_line_that_stores_them() -> None:
    source = "constructor(address owner_) {\n    owner = owner_;\n}"
    elements = [
        Element(type="variable", name="owner_", contract="A", file=FILE, lines=[1]),
        Element(type="node", name="", contract="A", file=FILE, lines=[2]),
    ]
    assert fixes.missing_zero_check(source, finding("missing-zero-check", 1, elements=elements)) == (
        'constructor(address owner_) {\n    require(owner_ != address(0), "Zero address");\n    owner = owner_;\n}'
    )


def test_a_receiver_of_locked_ether_goes_and_lines_below_keep_their_numbers() -> None:
    source = "a\nreceive() external payable {\n}\nb"
    elements = [Element(type="function", name="receive", contract="A", file=FILE, lines=[2, 3])]
    assert fixes.locked_ether(source, finding("locked-ether", 1, elements=elements)) == "a\n\n\nb"


def test_findings_are_answered_from_the_bottom_and_imports_come_last() -> None:
    source = "pragma solidity ^0.8.0;\nt.transfer(a, 1);\nto.call(data);\nt.transfer(b, 2);"
    found = [
        finding("unchecked-transfer", 2),
        finding("unchecked-lowlevel", 3),
        finding("unchecked-transfer", 4),
        finding("weak-prng", 4),
    ]
    mended, done = fixes.mend({FILE: source}, found, "0.8.30+commit.73712a01")
    assert [(fix.detector, fix.lines) for fix in done] == [
        ("unchecked-transfer", [4]),
        ("unchecked-lowlevel", [3]),
        ("unchecked-transfer", [2]),
    ]
    lines = mended[FILE].split("\n")
    assert lines[0] == "pragma solidity 0.8.30;"
    assert [line for line in lines if line.startswith("import")] == [
        'import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";',
        'import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";',
    ]
    assert "SafeERC20.safeTransfer(IERC20(address(t)), b, 2);" in lines


def test_nothing_is_touched_without_an_answer() -> None:
    sources = {FILE: "pragma solidity ^0.8.0;\nx"}
    assert fixes.mend(sources, [finding("weak-prng", 2)], "0.8.30+commit.73712a01") == (sources, [])
    elsewhere = finding("tx-origin", 2).model_copy(update={"file": "@openzeppelin/contracts/A.sol"})
    assert fixes.mend(sources, [elsewhere], "0.8.30+commit.73712a01") == (sources, [])


@given(
    st.text(alphabet="abxyz()[]{}.=;,+-*/ \n\"'0123", max_size=200), st.sampled_from(sorted(fixes.FIXERS)), st.data()
)
def test_no_text_breaks_a_fixer(source: str, detector: str, data: st.DataObject) -> None:
    last = source.count("\n") + 1
    lines = data.draw(st.lists(st.integers(1, last), min_size=1, max_size=3))
    result = fixes.FIXERS[detector](source, finding(detector, *lines))
    assert result is None or result != source
