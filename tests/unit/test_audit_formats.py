"""Audit reports as SARIF and Markdown."""

from __future__ import annotations

import json
import re

from slipway.builds.audit.formats import markdown, sarif
from slipway.builds.audit.models import AuditReport, Finding, Fix, Round

HOSTILE = "Token.pay(<script>alert(1)</script>)\n# Passed\n[x](javascript:1) | `code` ![i](x)"
FOUND = Finding(
    detector="reentrancy-eth",
    impact="High",
    confidence="Medium",
    description=HOSTILE,
    contract="Token",
    function="pay",
    file="contracts/Token.sol",
    lines=[7, 8, 9],
)
NOTE = FOUND.model_copy(update={"detector": "naming-convention", "impact": "Informational", "file": None, "lines": []})
FAILED = AuditReport(
    passed=False,
    findings=[FOUND, NOTE],
    detectors=["reentrancy-eth", "naming-convention"],
    compiler_version="0.8.30+commit.73712a01",
    slither_version="0.11.6",
    duration=0.5,
    rounds=[Round(number=1, findings=[FOUND], fixes=[Fix.of(FOUND)], diff="", kept=True)],
)
NONE = AuditReport(passed=False, duration=1, error={"code": "AUDIT_UNAVAILABLE", "message": "Slither ended"})


def test_sarif_has_a_result_for_each_finding_at_its_place() -> None:
    log = json.loads(json.dumps(sarif(FAILED)))
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["reentrancy-eth", "naming-convention"]
    worst, note = run["results"]
    assert (worst["level"], note["level"]) == ("error", "note")
    place = worst["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "contracts/Token.sol"},
        "region": {"startLine": 7, "endLine": 9},
    }
    assert note["locations"] == []
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert float(rules[0]["properties"]["security-severity"]) > 7
    assert run["invocations"] == [{"executionSuccessful": True}]


def test_no_audit_is_an_unsuccessful_run_and_says_so() -> None:
    (run,) = sarif(NONE)["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["results"] == []
    assert "There is no audit" in markdown(NONE, "Token")


def test_markdown_reports_the_verdict_and_every_finding() -> None:
    text = markdown(FAILED, "Harbour (HRB)")
    assert text.splitlines()[0] == "# Audit of Harbour \\(HRB\\)"
    assert "**Not passed**: 1 of High or Medium impact." in text
    assert re.search(r"^## High$", text, re.MULTILINE)
    assert "line 7" in text
    assert "**Passed**" in markdown(FAILED.model_copy(update={"passed": True, "findings": [NOTE]}), "x")


def test_what_a_source_says_stays_text() -> None:
    text = markdown(FAILED, HOSTILE)
    assert "<script" not in text
    assert re.findall(r"^# ", text, re.MULTILINE) == ["# "]
    assert not re.search(r"(?<!\\)\]\(", text)
    assert not re.search(r"(?<!\\)`", text)
