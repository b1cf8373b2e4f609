"""`make audit`: what was found, what could not be asked, and that the two are not taken for each other."""

from __future__ import annotations

import json

import pytest

from local.audit import FOUND, NOT_ASKED, NotAskedError, audit, commands, findings
from local.layer_requirements import LAYERS
from local.licences import NPM

CLEAN = json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": []}], "fixes": []})
BAD = json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}]})
SKIPPED = json.dumps({"dependencies": [{"name": "a", "skip_reason": "not on PyPI"}]})
NPM_CLEAN = json.dumps({"auditReportVersion": 2, "vulnerabilities": {}})
NPM_BAD = json.dumps({"auditReportVersion": 2, "vulnerabilities": {"b": {"severity": "high"}}})
NPM_REFUSED = json.dumps({"message": "request to https://x failed", "error": {"summary": "", "detail": ""}})
REFUSED = [SKIPPED, NPM_REFUSED, "", "Traceback", "[]", "null", "{}"]


@pytest.mark.parametrize(
    ("output", "found"),
    [
        (CLEAN, []),
        (BAD, ["a 1: PYSEC-1, mended in 2"]),
        (NPM_CLEAN, []),
        (NPM_BAD, ["b: high"]),
    ],
)
def test_an_answer_has_findings(output: str, found: list[str]) -> None:
    assert findings(output) == found


@pytest.mark.parametrize("output", REFUSED)
def test_what_is_no_whole_answer_is_none(output: str) -> None:
    with pytest.raises(NotAskedError, match=r"."):
        findings(output)


@pytest.mark.parametrize(
    ("outputs", "strict", "status"),
    [
        ([CLEAN, NPM_CLEAN], True, 0),
        ([CLEAN, NPM_REFUSED], False, 0),
        ([CLEAN, NPM_REFUSED], True, NOT_ASKED),
        ([NPM_REFUSED, BAD], False, FOUND),
        ([BAD, NPM_REFUSED], True, FOUND),
    ],
)
def test_what_could_not_be_asked_is_named_and_fails_only_strictly(
    outputs: list[str], strict: bool, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(outputs)
    asked = {f"lock {number}": ["tool"] for number in range(len(outputs))}
    assert audit(asked, lambda _: (next(answers), "no route to host"), strict=strict) == status
    printed = capsys.readouterr().out
    for number, output in enumerate(outputs):
        assert (f"lock {number}: NOT ASKED" in printed) == (output in REFUSED)


def test_every_lock_that_is_shipped_is_asked_about() -> None:
    assert len(commands()) == len(LAYERS) + len(NPM)
