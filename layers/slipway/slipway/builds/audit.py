"""Compiles, audits and mends generated contracts; fails closed.

A contract passes only by an audit that ran to its end and found nothing of High or Medium impact in our own code.

`python -m slipway.builds.audit FILE.sol…` prints the report as JSON; the exit status is 0 passed, 1 findings, 2 could
not audit. `--fix` mends what it can first, as a build does.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slipway.builds.compilation import compile_sources, new_compiler
from slipway.builds.findings import REFUSED, own_findings, passed
from slipway.builds.fixes import mend
from slipway.builds.models import AuditReport, Compilation, Round
from slipway.builds.slither import Slither
from slipway.errors import AuditUnavailableError, CompilationFailedError, CompileTimeoutError, SlipwayError
from slipway.solidity import Compiler
from slipway.solidity.toolchain import Toolchain, find_toolchain

MAX_ROUNDS = 3
"""How often a contract is mended and audited again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A report and the sources that it is about: those that were given, or those that the kept rounds made of them."""

    compilation: Compilation
    report: AuditReport


class Auditor:
    """Compiler and Slither, both kept warm. Use one for the life of a process, or in a `with` block."""

    def __init__(
        self, toolchain: Toolchain | None = None, *, compiler: Compiler | None = None, slither: Slither | None = None
    ) -> None:
        """Starts nothing.

        Raises:
            ToolchainMissingError: Compiler or library contracts are not installed.
        """
        self._toolchain = toolchain or find_toolchain()
        self._compiler = compiler or new_compiler(self._toolchain)
        self._slither = slither or Slither()

    def __enter__(self) -> Auditor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Frees the compiler and ends Slither's process."""
        self._slither.close()
        self._compiler.close()

    def compile(self, sources: Mapping[str, str]) -> Compilation:
        """Compiles; Slither starts meanwhile.

        Raises:
            CompilationFailedError: The sources have errors.
            CompileTimeoutError: The compiler was stopped by its limits.
        """
        self._slither.start()
        return compile_sources(self._compiler, self._toolchain, sources)

    def audit(self, compilation: Compilation) -> AuditReport:
        """Audits the compiler's own output.

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
                error=_told(error),
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

    def fix(self, compilation: Compilation, report: AuditReport) -> Outcome:
        """One round: mends what the fixers can answer, compiles and audits again.

        A round whose sources do not compile, can't be audited, or are no better than before is given up and noted with
        ``kept`` false; the findings stay. Nothing is changed, and no round noted, where no fixer has an answer.
        """
        if report.passed or report.error:
            return Outcome(compilation, report)
        sources, fixes = mend(compilation.sources, report.findings, compilation.compiler_version)
        if not fixes:
            return Outcome(compilation, report)
        began = time.monotonic()
        again: Outcome | None = None
        try:
            mended = self.compile(sources)
            new_report = self.audit(mended)
            if new_report.error is None and _refused(new_report) < _refused(report):
                again = Outcome(mended, new_report)
        except (CompilationFailedError, CompileTimeoutError):
            pass
        this = Round(
            number=len(report.rounds) + 1,
            findings=report.findings,
            fixes=fixes,
            diff=_diff(compilation.sources, sources),
            kept=again is not None,
        )
        latest = again or Outcome(compilation, report)
        changes = {
            "rounds": [*report.rounds, this],
            "duration": round(report.duration + time.monotonic() - began, 3),
        }
        return Outcome(latest.compilation, latest.report.model_copy(update=changes))

    def audit_and_fix(self, sources: Mapping[str, str]) -> Outcome:
        """Compiles, audits, and mends for at most `MAX_ROUNDS` rounds; what can't be mended stays failed.

        Raises:
            CompilationFailedError: The sources, as given, have errors.
            CompileTimeoutError: The compiler was stopped over them.
        """
        compilation = self.compile(sources)
        outcome = Outcome(compilation, self.audit(compilation))
        while can_mend(outcome.report):
            latest = self.fix(outcome.compilation, outcome.report)
            if len(latest.report.rounds) == len(outcome.report.rounds):
                break
            outcome = latest
        return outcome


def can_mend(report: AuditReport) -> bool:
    """Whether another round is due: it failed by findings, rounds are left, and the last one was worth it."""
    return (
        not report.passed
        and report.error is None
        and len(report.rounds) < MAX_ROUNDS
        and all(done.kept for done in report.rounds)
    )


def _refused(report: AuditReport) -> int:
    return sum(finding.impact in REFUSED for finding in report.findings)


def _seconds(compilation: Compilation, began: float) -> float:
    return round(compilation.seconds + time.monotonic() - began, 3)


def _told(error: SlipwayError) -> dict[str, object]:
    told: dict[str, object] = {"code": error.code, "message": error.message}
    return told | ({"details": error.details} if error.details else {})


def _diff(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    lines: list[str] = []
    for name, text in before.items():
        lines += difflib.unified_diff(
            text.splitlines(keepends=True), after[name].splitlines(keepends=True), f"a/{name}", f"b/{name}"
        )
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def read_sources(paths: Sequence[Path]) -> dict[str, str]:
    """Source text by unit name: the path from the folder that all files share.

    Raises:
        OSError, UnicodeError: A file can't be read as text.
    """
    files = [path.resolve() for path in paths]
    shared = Path(os.path.commonpath([file.parent for file in files]))
    return {file.relative_to(shared).as_posix(): file.read_text(encoding="utf-8") for file in files}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m slipway.builds.audit", description="Audit Solidity sources.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.sol")
    parser.add_argument("--fix", action="store_true", help="mend what can be mended, and audit again")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        with Auditor() as auditor:
            report = _report(auditor, read_sources(options.files), fix=options.fix)
    except Exception as error:
        # Whatever it was: there is no audit, and nothing passed.
        told = _told(error) if isinstance(error, SlipwayError) else {"code": "AUDIT_UNAVAILABLE", "message": str(error)}
        report = AuditReport(passed=False, duration=round(time.monotonic() - began, 3), error=told)
    sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    return 2 if report.error else 0 if report.passed else 1


def _report(auditor: Auditor, sources: Mapping[str, str], *, fix: bool) -> AuditReport:
    if fix:
        return auditor.audit_and_fix(sources).report
    return auditor.audit(auditor.compile(sources))


if __name__ == "__main__":
    sys.exit(main())
