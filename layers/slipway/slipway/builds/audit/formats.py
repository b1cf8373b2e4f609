"""An audit report in the formats that people and tools read: Markdown, and SARIF 2.1.0 for code scanning. Pure.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; ``security-severity`` is GitHub's.
"""

from __future__ import annotations

import html
import re
from typing import Any

from slipway.builds.audit.findings import IMPACTS, REFUSED
from slipway.builds.audit.models import AuditReport, Finding

_LEVELS = {"High": "error", "Medium": "error", "Low": "warning", "Informational": "note", "Optimization": "note"}
_SEVERITIES = {"High": "8.0", "Medium": "5.5", "Low": "3.0", "Informational": "1.0", "Optimization": "0.0"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_DOCUMENTATION = "https://github.com/crytic/slither/wiki/Detector-Documentation"


def sarif(report: AuditReport) -> dict[str, Any]:
    """Return a report as a SARIF log of one run of Slither."""
    rules = {finding.detector: finding for finding in report.findings}
    invocation: dict[str, Any] = {"executionSuccessful": report.error is None}
    if report.error:
        message = {"text": str(report.error.get("message", "There is no audit"))}
        invocation["toolExecutionNotifications"] = [{"level": "error", "message": message}]
    driver = {
        "name": "Slither",
        "informationUri": "https://github.com/crytic/slither",
        **({"version": report.slither_version} if report.slither_version else {}),
        "rules": [_rule(finding) for finding in rules.values()],
    }
    results = [_result(finding, list(rules).index(finding.detector)) for finding in report.findings]
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "results": results,
        "properties": {"passed": report.passed, "compiler": report.compiler_version},
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.detector,
        "shortDescription": {"text": finding.detector},
        "helpUri": f"{_DOCUMENTATION}#{finding.detector}",
        "defaultConfiguration": {"level": _LEVELS[finding.impact]},
        "properties": {"security-severity": _SEVERITIES[finding.impact], "tags": ["security"]},
    }


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": finding.file}}
    if finding.lines:
        place["region"] = {"startLine": min(finding.lines), "endLine": max(finding.lines)}
    return {
        "ruleId": finding.detector,
        "ruleIndex": rule,
        "level": _LEVELS[finding.impact],
        "message": {"text": finding.description or finding.detector},
        "locations": [{"physicalLocation": place}] if finding.file else [],
        "properties": {"impact": finding.impact, "confidence": finding.confidence},
    }


def markdown(report: AuditReport, title: str) -> str:
    """Return a report as a Markdown document; what it quotes of the source is text, whatever it looks like."""
    if report.error:
        verdict = f"**There is no audit**: {_text(str(report.error.get('message', '')))}"
    elif report.passed:
        verdict = "**Passed**: every detector ran, and none found anything of High or Medium impact."
    else:
        count = sum(finding.impact in REFUSED for finding in report.findings)
        verdict = f"**Not passed**: {count} of High or Medium impact."
    lines = [f"# Audit of {_text(title)}", "", verdict, ""]
    if report.slither_version:
        ran = f"{len(report.detectors)} detectors of Slither {report.slither_version}"
        lines += [f"{ran}, solc {report.compiler_version}, {report.duration:g} s.", ""]
    for impact in IMPACTS:
        found = [finding for finding in report.findings if finding.impact == impact]
        lines += [f"## {impact}", ""] if found else []
        for finding in found:
            where = f", line {min(finding.lines)}" if finding.lines else ""
            place = f" ({_text(finding.file)}{where})" if finding.file else ""
            lines += [f"- **{_text(finding.detector)}**{place}: {_text(finding.description)}"]
        lines += [""] if found else []
    kept = [fix for done in report.rounds if done.kept for fix in done.fixes]
    if kept:
        lines += ["## Mended before", "", *(f"- {_text(fix.detector)} in {_text(fix.file)}" for fix in kept), ""]
    return "\n".join(lines)


def _text(text: str) -> str:
    """Return a text on one line, with every character that Markdown or HTML reads escaped."""
    return re.sub(r"([\\`*_{}\[\]()#+\-!|~])", r"\\\1", html.escape(" ".join(text.split()), quote=False))
