"""An audit over the library's kept analysis finds what an audit of all at once finds."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway.builds.audit import slither_worker
from slipway.builds.audit.auditor import Auditor
from slipway.builds.audit.findings import own_findings
from slipway.builds.audit.library_analysis import NotAddedError, add_sources
from slipway.builds.audit.models import AuditReport, Compilation
from slipway.builds.audit.slither import Slither, _request

CONTRACTS = Path(__file__).parent / "solidity"
HEAD = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.27;\n"
OVERRIDING = (
    HEAD
    + """
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
library Sums {
    function sum(uint256[] memory parts) internal pure returns (uint256 total) {
        for (uint256 i = 0; i < parts.length; ++i) total += parts[i];
    }
}
contract Taxed is ERC20, ERC20Permit {
    using Sums for uint256[];
    struct Part { address to; uint256 amount; }
    error TooMuch();
    event Paid(address indexed to);
    uint256 private taken = 7;
    address payable public boss;
    constructor() ERC20("Taxed", "TAX") ERC20Permit("Taxed") {}
    function setBoss(address payable to) external { boss = to; }
    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        taken += value / 10 * 3;
    }
    function pay(Part[] calldata parts) external {
        for (uint256 i = 0; i < parts.length; ++i) {
            (bool sent, ) = parts[i].to.call{value: parts[i].amount}("");
            if (!sent) revert TooMuch();
            taken -= parts[i].amount;
            emit Paid(parts[i].to);
        }
        transferFrom(boss, msg.sender, 1);
    }
    function total(uint256[] calldata parts) external pure returns (uint256) { return parts.sum(); }
    receive() external payable {}
}
"""
)
OUTSIDE = OVERRIDING.replace(
    "library Sums", "function half(uint256 n) pure returns (uint256) { return n / 2; }\nlibrary Sums"
)
REPORTED = {"divide-before-multiply", "reentrancy-eth", "calls-loop"}


def clean(name: str) -> str:
    return (CONTRACTS / "clean" / f"{name}.sol").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def auditor() -> Iterator[Auditor]:
    with Auditor() as shared:
        yield shared


def at_once(compilation: Compilation, directory: Path) -> Any:
    """Return what an analysis of everything finds, in this process."""
    here = Path.cwd()
    try:
        answer = slither_worker.analyse(json.loads(json.dumps(_request(compilation, str(directory)))))
    finally:
        os.chdir(here)
    return own_findings(answer["results"])


def found(report: AuditReport) -> Any:
    assert report.error is None
    return report.findings, report.dependency_findings


@pytest.mark.parametrize("text", [OVERRIDING, OUTSIDE, clean("FullToken"), clean("Collectible")])
def test_the_findings_are_the_same(auditor: Auditor, tmp_path: Path, text: str) -> None:
    compilation = auditor.compile({"contracts/A.sol": text})
    first = found(auditor.audit(compilation))
    assert first == found(auditor.audit(compilation))
    assert first == at_once(compilation, tmp_path)
    if text in (OVERRIDING, OUTSIDE):
        assert {finding.detector for finding in first[0]} >= REPORTED


def test_nothing_of_one_contract_is_left_for_the_next(auditor: Auditor) -> None:
    faulty = auditor.compile({"contracts/A.sol": OVERRIDING, "contracts/B.sol": HEAD + "contract B {}"})
    sound = auditor.compile({"contracts/A.sol": OVERRIDING.split("    function pay")[0] + "}"})
    before = found(auditor.audit(sound))
    assert not auditor.audit(faulty).passed
    assert found(auditor.audit(sound)) == before


def _processes(adapter: Slither) -> list[str]:
    return Path(f"/proc/{adapter.process_id}/task/{adapter.process_id}/children").read_text(encoding="ascii").split()


def test_a_library_is_analysed_once_and_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with Slither() as adapter, Auditor(slither=adapter) as own:
        plain = own.compile({"contracts/A.sol": clean("Token")})
        kept = []
        for _ in range(2):
            assert own.audit(plain).passed
            kept.append(_processes(adapter))
        assert kept[0] == kept[1]
        assert len(kept[0]) == 1
        for name in ("RolesToken", "Vesting", "TokenEscrow"):
            assert own.audit(own.compile({"contracts/A.sol": clean(name)})).passed
        assert len(_processes(adapter)) == slither_worker.MAX_LIBRARIES
        assert kept[0][0] not in _processes(adapter)
        assert own.audit(plain).passed


def test_sources_that_come_before_the_library_are_analysed_with_it(auditor: Auditor, tmp_path: Path) -> None:
    compilation = auditor.compile({"1/A.sol": OVERRIDING})
    assert _request(compilation, str(tmp_path))["library"] is None
    assert found(auditor.audit(compilation)) == at_once(compilation, tmp_path)


def test_a_definition_outside_of_contracts_is_not_added() -> None:
    tree = {"nodes": [{"nodeType": "FunctionDefinition", "name": "half"}]}
    with pytest.raises(NotAddedError):
        add_sources(None, {"sources": {"contracts/A.sol": {"ast": tree}}}, "/")
