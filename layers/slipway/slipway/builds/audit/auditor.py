"""Compiles, audits and mends generated contracts; fails closed.

A contract passes only by an audit that ran to its end and found nothing of High or Medium impact in our own code.

The command line is in ``__main__``.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from slipway.builds.audit.compilation import compile_sources, new_compiler
from slipway.builds.audit.deployable import keeps_interface
from slipway.builds.audit.findings import REFUSED, own_findings, passed
from slipway.builds.audit.fixes import mend
from slipway.builds.audit.library_trees import LibraryTrees
from slipway.builds.audit.models import AuditReport, Compilation, Finding, Fix, Round
from slipway.builds.audit.slither import Slither
from slipway.builds.models import ModelUsage
from slipway.errors import AuditUnavailableError, CompilationFailedError, CompileTimeoutError, SlipwayError
from slipway.solidity.compiler import Compiler
from slipway.solidity.toolchain import Toolchain, find_toolchain

MAX_ROUNDS = 3
"""How often a contract is mended and audited again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A report and the sources that it is about: those that were given, or those that the kept rounds made of them."""

    compilation: Compilation
    report: AuditReport


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a fixer made of sources with findings; see `Round`."""

    by: Literal["fixers", "model"]
    sources: Mapping[str, str]
    fixes: list[Fix]
    usage: ModelUsage | None = None
    error: str | None = None


class SourceFixer(Protocol):
    """Mends what the mechanical fixers have no answer for."""

    def fix(self, sources: Mapping[str, str], findings: Sequence[Finding]) -> tuple[dict[str, str], ModelUsage]:
        """Return changed sources, which are to be compiled and audited, and what they cost.

        Raises:
            SlipwayError: It has no answer either, or did not answer.
        """
        ...


class Auditor:
    """Compiler and Slither, both kept warm. Use one for the life of a process, or in a `with` block."""

    def __init__(
        self, toolchain: Toolchain | None = None, *, compiler: Compiler | None = None, slither: Slither | None = None
    ) -> None:
        """Start nothing.

        Raises:
            ToolchainMissingError: Compiler or library contracts are not installed.
        """
        self._toolchain = toolchain or find_toolchain()
        self._compiler = compiler or new_compiler(self._toolchain)
        self._slither = slither or Slither()
        self._trees = LibraryTrees()

    def __enter__(self) -> Auditor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the compiler and end Slither's process."""
        self._slither.close()
        self._compiler.close()

    def compile(self, sources: Mapping[str, str]) -> Compilation:
        """Compile; Slither starts meanwhile.

        Raises:
            CompilationFailedError: The sources have errors.
            CompileTimeoutError: The compiler was stopped by its limits.
        """
        self._slither.start()
        return compile_sources(self._compiler, self._toolchain, sources, self._trees)

    def audit(self, compilation: Compilation) -> AuditReport:
        """Audit the compiler's own output.

        Returns:
            The report; ``error`` is set, and ``passed`` is not, if there was no audit.
        """
        began = time.monotonic()
        try:
            answer = self._slither.analyse(compilation)
            try:
                findings, dependency_findings = own_findings(answer.results)
            except (KeyError, TypeError, ValueError) as error:
                raise AuditUnavailableError("Slither's findings can't be read") from error
        except AuditUnavailableError as error:
            return AuditReport(
                passed=False,
                compiler_version=compilation.compiler_version,
                duration=_seconds(compilation, began),
                error=details_of(error),
            )
        return AuditReport(
            passed=passed(findings),
            findings=findings,
            detectors=answer.detectors,
            dependency_findings=dependency_findings,
            compiler_version=compilation.compiler_version,
            slither_version=answer.slither_version,
            duration=_seconds(compilation, began),
        )

    def fix(self, compilation: Compilation, report: AuditReport, model: SourceFixer | None = None) -> Outcome:
        """Do one round: mend what the fixers can answer, compile and audit again.

        A round whose sources do not compile, can't be audited, or are no better than before is given up and noted with
        ``kept`` false; the findings stay. Nothing is changed, and no round noted, where no fixer has an answer.

        Args:
            compilation: Of the sources.
            report: Of their audit.
            model: Is asked where the mechanical fixers have no answer; what it changed has to keep the interface too.
        """
        if report.passed or report.error:
            return Outcome(compilation, report)
        began = time.monotonic()
        answer = _fixers_answer(compilation, report) or (model and _model_answer(compilation, report, model))
        if not answer:
            return Outcome(compilation, report)
        better = self._better(compilation, report, answer)
        this = Round(
            number=len(report.rounds) + 1,
            by=answer.by,
            findings=report.findings,
            fixes=answer.fixes,
            diff=_diff(compilation.sources, answer.sources),
            kept=better is not None,
            usage=answer.usage,
            error=answer.error,
        )
        latest = better or Outcome(compilation, report)
        changes = {
            "rounds": [*report.rounds, this],
            "duration": round(report.duration + time.monotonic() - began, 3),
        }
        return Outcome(latest.compilation, latest.report.model_copy(update=changes))

    def _better(self, compilation: Compilation, report: AuditReport, answer: _Answer) -> Outcome | None:
        """Return what an answer leads to, None if that is no better than before."""
        if answer.error:
            return None
        try:
            mended = self.compile(answer.sources)
        except (CompilationFailedError, CompileTimeoutError):
            return None
        if answer.by == "model" and not keeps_interface(compilation, mended, report.findings):
            return None
        new_report = self.audit(mended)
        is_better = new_report.error is None and _refused(new_report) < _refused(report)
        return Outcome(mended, new_report) if is_better else None

    def audit_and_fix(self, sources: Mapping[str, str], model: SourceFixer | None = None) -> Outcome:
        """Compile, audit, and mend for at most `MAX_ROUNDS` rounds; what can't be mended stays failed.

        Raises:
            CompilationFailedError: The sources, as given, have errors.
            CompileTimeoutError: The compiler was stopped over them.
        """
        compilation = self.compile(sources)
        outcome = Outcome(compilation, self.audit(compilation))
        while can_mend(outcome.report, with_model=model is not None):
            latest = self.fix(outcome.compilation, outcome.report, model)
            if len(latest.report.rounds) == len(outcome.report.rounds):
                break
            outcome = latest
        return outcome


def _fixers_answer(compilation: Compilation, report: AuditReport) -> _Answer | None:
    """Ask the mechanical fixers; not where they failed before, because they would do the same."""
    if any(done.by == "fixers" and not done.kept for done in report.rounds):
        return None
    sources, fixes = mend(compilation.sources, report.findings, compilation.compiler_version)
    return _Answer("fixers", sources, fixes) if fixes else None


def _model_answer(compilation: Compilation, report: AuditReport, model: SourceFixer) -> _Answer:
    """Ask a language model. If it fails, the findings stay what they are, and so does the verdict."""
    try:
        sources, usage = model.fix(compilation.sources, report.findings)
    except SlipwayError as error:
        used = (error.details or {}).get("usage")
        usage_of_nothing = ModelUsage.model_validate(used) if used else None
        return _Answer("model", compilation.sources, [], usage_of_nothing, f"{error.code}: {error.message}")
    fixes = [Fix.of(finding) for finding in report.findings if finding.impact in REFUSED and finding.file]
    return _Answer("model", sources, fixes, usage)


def can_mend(report: AuditReport, *, with_model: bool = False) -> bool:
    """Return whether another round is due: findings remain, rounds are left, and a fixer has not failed at it yet."""
    failed = {done.by for done in report.rounds if not done.kept}
    return (
        not report.passed
        and report.error is None
        and len(report.rounds) < MAX_ROUNDS
        and (not failed or (with_model and failed == {"fixers"}))
    )


def _refused(report: AuditReport) -> int:
    return sum(finding.impact in REFUSED for finding in report.findings)


def _seconds(compilation: Compilation, began: float) -> float:
    return round(compilation.seconds + time.monotonic() - began, 3)


def details_of(error: SlipwayError) -> dict[str, object]:
    details: dict[str, object] = {"code": error.code, "message": error.message}
    return details | ({"details": error.details} if error.details else {})


def _diff(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    lines: list[str] = []
    for name, text in before.items():
        lines += difflib.unified_diff(
            text.splitlines(keepends=True), after[name].splitlines(keepends=True), f"a/{name}", f"b/{name}"
        )
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)
