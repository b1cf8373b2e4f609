"""The heavy tasks of the state machine ``build``: compiling, auditing, fixing. What does not pass is not deployed."""

from __future__ import annotations

from typing import Any

from slipway.builds.audit import Auditor, can_mend
from slipway.builds.files import BuildFiles
from slipway.builds.findings import REFUSED
from slipway.builds.models import AuditReport
from slipway.builds.runs import begin_stage, due, fail, next_stage, seconds_of_stage
from slipway.builds.states import Progress, Stage, Status, Step
from slipway.builds.store import BuildItem
from slipway.errors import (
    AuditFailedError,
    AuditUnavailableError,
    CompilationFailedError,
    CompileTimeoutError,
    UpstreamUnavailableError,
)

_MOST_TOLD = 20


class ContractWorkflow:
    """The states of builds that need the compiler or Slither.

    Args:
        auditor: Both, kept warm.
        files: Where large parts are kept.
    """

    def __init__(self, auditor: Auditor, files: BuildFiles) -> None:
        self._auditor = auditor
        self._files = files

    def compile(self, build_id: str, job_id: str) -> Stage:
        """Compile the source, and keep what that gave."""
        build, is_due = due(build_id, job_id, Stage.COMPILE)
        if not is_due:
            return next_stage(build, job_id)
        source = self._files.source(build)
        if source is None:
            raise UpstreamUnavailableError("The build's source is not there")
        try:
            compilation = self._auditor.compile({unit_name(build): source})
        except (CompilationFailedError, CompileTimeoutError) as error:
            return fail(build, job_id, error, [BuildItem.audit_time.set(seconds_of_stage(build))])
        try:
            self._files.put_compilation(build_id, int(build.revision or 0), compilation, str(build.contract_name))
        except KeyError:
            missing = CompilationFailedError(f"The source declares no contract {build.contract_name}")
            return fail(build, job_id, missing, [BuildItem.audit_time.set(seconds_of_stage(build))])
        message = f"Compiled with solc {compilation.compiler_version.partition('+')[0]}; auditing with Slither"
        told = Progress(Status.AUDITING, 50, Step.SECURITY_AUDIT, message)
        begin_stage(build, job_id, Stage.COMPILE, Stage.AUDIT, told)
        return next_stage(build, job_id)

    def audit(self, build_id: str, job_id: str) -> Stage:
        """Audit what was compiled, and keep the report."""
        build, is_due = due(build_id, job_id, Stage.AUDIT)
        if not is_due:
            return next_stage(build, job_id)
        report = self._auditor.audit(self._files.compilation(build))
        return self._judge(build, job_id, Stage.AUDIT, report, int(build.revision or 0))

    def fix(self, build_id: str, job_id: str) -> Stage:
        """One round: mend what can be mended, compile and audit again. A round that made nothing better is given up."""
        build, is_due = due(build_id, job_id, Stage.FIX)
        if not is_due:
            return next_stage(build, job_id)
        stored = self._files.report(build)
        if stored is None:
            raise UpstreamUnavailableError("The build's audit report is not there")
        report = AuditReport.model_validate_json(stored)
        outcome = self._auditor.fix(self._files.compilation(build), report)
        revision = int(build.revision or 0)
        if len(outcome.report.rounds) == len(report.rounds):
            return self._refuse(build, job_id, report)
        if outcome.report.rounds[-1].kept:
            revision += 1
            (source,) = outcome.compilation.sources.values()
            self._files.put_source(build_id, revision, source)
            self._files.put_compilation(build_id, revision, outcome.compilation, str(build.contract_name))
        return self._judge(build, job_id, Stage.FIX, outcome.report, revision)

    def _judge(self, build: BuildItem, job_id: str, at: Stage, report: AuditReport, revision: int) -> Stage:
        """Keep a report and decide by it; only one that passed lets the build go on to its deployment."""
        self._files.put_report(build.build_id, report)
        actions = [
            BuildItem.audited.set(True),
            BuildItem.rounds.set(len(report.rounds)),
            BuildItem.revision.set(revision),
        ]
        if report.passed:
            actions += [
                BuildItem.deployable.set(True),
                BuildItem.audit_time.set(seconds_of_stage(build)),
            ]
            told = Progress(Status.AUDITING, 65, Step.SECURITY_AUDIT, _passed(report))
            begin_stage(build, job_id, at, Stage.PREPARE, told, actions)
        elif can_mend(report):
            told = Progress(Status.AUDITING, 55 + 2 * len(report.rounds), Step.FIXING, _fixing(report))
            begin_stage(build, job_id, at, Stage.FIX, told, actions)
        else:
            return self._refuse(build, job_id, report, actions)
        return next_stage(build, job_id)

    @staticmethod
    def _refuse(build: BuildItem, job_id: str, report: AuditReport, actions: list[Any] | None = None) -> Stage:
        changes = [*(actions or []), BuildItem.audit_time.set(seconds_of_stage(build))]
        if report.error:
            told = str(report.error.get("message", "The audit did not run to its end"))
            return fail(build, job_id, AuditUnavailableError(told), changes)
        refused = [finding for finding in report.findings if finding.impact in REFUSED]
        findings = [
            {"detector": finding.detector, "impact": finding.impact, "lines": finding.lines[:10]}
            for finding in refused[:_MOST_TOLD]
        ]
        names = ", ".join(dict.fromkeys(finding.detector for finding in refused))
        message = f"The audit found what could not be mended: {names}"
        return fail(build, job_id, AuditFailedError(message, details={"findings": findings}), changes)


def unit_name(build: BuildItem) -> str:
    """The source unit's name."""
    return f"contracts/{build.contract_name}.sol"


def _passed(report: AuditReport) -> str:
    mended = sum(len(done.fixes) for done in report.rounds if done.kept)
    return "The audit passed" + (f", after {mended} findings were mended" if mended else "")


def _fixing(report: AuditReport) -> str:
    refused = sum(finding.impact in REFUSED for finding in report.findings)
    return f"The audit found {refused} of High or Medium impact; mending, round {len(report.rounds) + 1}"
