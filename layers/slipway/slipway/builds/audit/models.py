"""Shapes of what compiling and auditing report. Lines count from 1, durations are seconds."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from slipway.builds.models import ModelUsage

Impact = Literal["High", "Medium", "Low", "Informational", "Optimization"]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(_Shape):
    """One error of the compiler. ``line`` and ``column`` are None where it names no place."""

    file: str
    line: int | None
    column: int | None
    kind: str
    message: str


class Compilation(_Shape):
    """Sources that compile.

    ``standard_json_input`` is complete in itself, imports included: what explorers take to verify a contract.
    ``standard_json_output`` is the compiler's, syntax trees included. ``sources`` is our own code alone.
    """

    sources: dict[str, str]
    compiler_version: str
    standard_json_input: dict[str, Any]
    standard_json_output: dict[str, Any]
    seconds: float


class Element(_Shape):
    """A part of the code that a finding is about, such as a ``function``, ``variable`` or ``node`` (a statement)."""

    type: str
    name: str
    contract: str | None = None
    file: str | None = None
    lines: list[int] = []


class Finding(_Shape):
    """One finding of the audit in our own code. The place is that of its first element."""

    detector: str
    impact: Impact
    confidence: str
    description: str
    contract: str | None = None
    function: str | None = None
    file: str | None = None
    lines: list[int] = []
    elements: list[Element] = []


class Fix(_Shape):
    """A finding that was answered by changing the source; whether the answer was right, the next audit shows."""

    detector: str
    contract: str | None
    function: str | None
    file: str
    lines: list[int]

    @classmethod
    def of(cls, finding: Finding) -> "Fix":
        """Make the fix of a finding."""
        return cls(**{name: getattr(finding, name) for name in cls.model_fields})


class Round(_Shape):
    """One round of fixing: what was found before it, what was changed, and the unified diff.

    ``kept`` is false when the changed source did not compile, could not be audited, was no better, or lost functions,
    and was given up. ``by`` is who changed it: our own mechanical fixers or a language model, whose use is ``usage``;
    ``error`` is why the model changed nothing.
    """

    number: int
    by: Literal["fixers", "model"] = "fixers"
    findings: list[Finding]
    fixes: list[Fix]
    diff: str
    kept: bool
    usage: ModelUsage | None = None
    error: str | None = None


class AuditReport(_Shape):
    """The truth about one audit.

    ``passed`` says that every detector ran to its end and found nothing of High or Medium impact in our own code.
    ``findings`` are in order of impact. ``detectors`` are the names of those that ran, ``rounds`` the fixing that led
    to this. ``duration`` is the time of all audits and compilations. ``error`` is why there is no audit; then
    nothing passed. ``dependency_findings`` counts what lies in the library contracts alone.
    """

    passed: bool
    findings: list[Finding] = []
    detectors: list[str] = []
    rounds: list[Round] = []
    dependency_findings: int = 0
    compiler_version: str | None = None
    slither_version: str | None = None
    duration: float
    error: dict[str, Any] | None = None
