"""Reads Slither's findings, and decides what they mean. Pure.

Slither's JSON: https://github.com/crytic/slither/wiki/JSON-output
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from slipway.builds.audit.models import Element, Finding, Impact

IMPACTS: tuple[str, ...] = get_args(Impact)
"""From the worst."""

REFUSED = frozenset({"High", "Medium"})
"""Impacts that a contract does not pass with."""


def passed(findings: Iterable[Finding]) -> bool:
    """Return whether a contract with these findings may be deployed. No exit status decides it."""
    return not any(finding.impact in REFUSED for finding in findings)


def own_findings(results: Iterable[Mapping[str, Any]]) -> tuple[list[Finding], int]:
    """Divide Slither's results.

    Returns:
        The findings that touch our own code, the worst first, and how many lie in library contracts alone. A finding
        without a place counts as ours.

    Raises:
        KeyError, TypeError, ValueError: A result is not what Slither documents; pydantic's errors are ValueErrors.
    """
    findings = []
    dependencies = 0
    for result in results:
        elements = result["elements"]
        if elements and all(element["source_mapping"]["is_dependency"] is True for element in elements):
            dependencies += 1
        else:
            findings.append(_finding(result))
    findings.sort(
        key=lambda finding: (IMPACTS.index(finding.impact), finding.file or "", finding.lines, finding.detector)
    )
    return findings, dependencies


def _finding(result: Mapping[str, Any]) -> Finding:
    elements = [_element(element) for element in result["elements"]]
    own = [
        element
        for element, raw in zip(elements, result["elements"], strict=True)
        if not raw["source_mapping"]["is_dependency"]
    ]
    place = own[0] if own else None
    chains = [list(_chain(raw)) for raw in result["elements"] if not raw["source_mapping"]["is_dependency"]]
    return Finding(
        detector=result["check"],
        impact=result["impact"],
        confidence=result["confidence"],
        description=result["description"].strip(),
        contract=_first_named(chains, "contract"),
        function=_first_named(chains, "function"),
        file=place.file if place else None,
        lines=place.lines if place else [],
        elements=elements,
    )


def _element(raw: Mapping[str, Any]) -> Element:
    place = raw["source_mapping"]
    return Element(
        type=raw["type"],
        name=raw["name"],
        contract=_first_named([list(_chain(raw))], "contract"),
        file=place.get("filename_relative"),
        lines=place.get("lines", []),
    )


def _chain(element: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    """Yield an element, what it lies in, what that lies in."""
    while element:
        yield element
        element = (element.get("type_specific_fields") or {}).get("parent")


def _first_named(chains: list[list[Mapping[str, Any]]], kind: str) -> str | None:
    return next((str(link["name"]) for chain in chains for link in chain if link["type"] == kind), None)
