"""Every shape of contract that the table of prompts leads to passes the audit as it is, without a fix.

Nothing else audits what the composer makes: all shapes of a kind together share the work on the library's contracts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from slipway.builds.audit.auditor import Auditor
from slipway.builds.audit.slither import Slither
from slipway.builds.composer.engine import KINDS, Composer
from slipway.builds.models import GenerationRequest, Kind
from slipway.solidity.compiler import Compiler
from slipway.solidity.toolchain import find_toolchain
from tests.support.kinds import CASES as RULED
from tests.support.prompts import CASES, Case

OWNER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
# Whose shapes the table, which is about behaviour, does not have.
MORE = [Case("An ERC-20 token called Plain with 1000 supply, owned by roles", "erc20", "Plain")]
PATIENCE = 240.0
"""Seconds for many contracts at once on a busy machine; a build has far less for its one."""


@pytest.fixture(scope="module")
def auditor() -> Iterator[Auditor]:
    toolchain = find_toolchain()
    compiler = Compiler(toolchain.soljson, timeout_seconds=PATIENCE)
    with Auditor(toolchain, compiler=compiler, slither=Slither(timeout_seconds=PATIENCE)) as warm:
        yield warm


def shapes(kind: Kind) -> dict[str, str]:
    """Return the sources of one kind that differ in more than numbers and literals, one for each shape."""
    found = {}
    for case in [*CASES, *RULED, *MORE]:
        if case.kind == kind:
            request = GenerationRequest(prompt=case.prompt, owner=OWNER, template=case.template, options=case.options)
            made = Composer().generate(request)
            shape = re.sub(rf'\b{made.contract_name}\b|"[^"\n]*"|\b\d[\d_]*\b', "", made.source)
            found[shape] = made.source
    return {f"contracts/Shape{number}.sol": source for number, source in enumerate(found.values())}


@pytest.mark.parametrize("kind", KINDS)
def test_a_composed_contract_passes_the_audit(auditor: Auditor, kind: Kind) -> None:
    sources = shapes(kind)
    report = auditor.audit(auditor.compile(sources))
    assert report.error is None
    assert [finding for finding in report.findings if finding.impact in ("High", "Medium")] == []
    assert report.passed
