"""The tasks of the state machine ``build`` that make a contract: writing, compiling, auditing, mending.

What does not pass is not deployed.
"""

from __future__ import annotations

import json
import time
from typing import Any

from slipway.builds.audit.auditor import Auditor, Outcome, SourceFixer, can_mend
from slipway.builds.audit.deployable import check_deployable
from slipway.builds.audit.findings import REFUSED
from slipway.builds.audit.models import AuditReport
from slipway.builds.models import ConstructorArgument, Generation, GenerationRequest, Generator
from slipway.builds.pipeline.files import BuildFiles, contract_of
from slipway.builds.pipeline.rules import creation_code, digest_of, require_honoured
from slipway.builds.pipeline.runs import Runs, due, next_stage
from slipway.builds.states import Progress, Stage, Status, Step
from slipway.builds.store import BuildItem
from slipway.errors import (
    AuditFailedError,
    AuditUnavailableError,
    CompilationFailedError,
    CompilerBusyError,
    CompileTimeoutError,
    GenerationFailedError,
    GenerationUnsupportedError,
    NotHonouredError,
    UpstreamUnavailableError,
    ValidationFailedError,
)
from slipway.times import Clock

_MAX_TOLD = 20
# What a generation may end in; whatever else happens is tried again.
_REFUSALS = (
    GenerationUnsupportedError,
    GenerationFailedError,
    NotHonouredError,
    ValidationFailedError,
    CompilationFailedError,
    CompileTimeoutError,
)


class Writer:
    """Judges what a language model wrote before it counts.

    Args:
        auditor: Has the compiler.
    """

    def __init__(self, auditor: Auditor) -> None:
        self._auditor = auditor

    def check(self, generation: Generation) -> None:
        """Compile a generation, and see whether it can be deployed.

        Raises:
            CompilationFailedError: It does not compile, or can't be deployed.
            CompileTimeoutError: The compiler was stopped over it.
        """
        try:
            compilation = self._auditor.compile({_unit_name(generation.contract_name): generation.source})
        except CompilerBusyError:
            # The next stage compiles it again, for as long as that takes; the model's answer is paid for.
            return
        check_deployable(compilation, generation.contract_name, generation.constructor_arguments)


class ContractWorkflow:
    """The states of builds that write contracts, or need the compiler or Slither.

    Args:
        auditor: Both, kept warm.
        files: Where large parts are kept.
        generator: Writes the code.
        fixer: Mends what the mechanical fixers can't, if there is one.
        clock: Gives the time.
    """

    def __init__(
        self,
        auditor: Auditor,
        files: BuildFiles,
        generator: Generator,
        fixer: SourceFixer | None = None,
        clock: Clock = time,
    ) -> None:
        self._runs = Runs(clock)
        self._auditor = auditor
        self._files = files
        self._generator = generator
        self._fixer = fixer

    def generate(self, build_id: str, job_id: str) -> Stage:
        """Have the code written, and keep it.

        Raises:
            UpstreamUnavailableError: The language model, the table or S3 did not answer.
        """
        build, is_due = due(build_id, job_id, Stage.GENERATE)
        if not is_due:
            return next_stage(build, job_id)
        if build.status == str(Status.PENDING):
            event = Progress(Status.GENERATING, 10, Step.CODE_GENERATION, _generating(build))
            if not self._runs.begin_stage(build, job_id, Stage.GENERATE, Stage.GENERATE, event):
                return next_stage(build, job_id)
        request = GenerationRequest(
            prompt=build.prompt, owner=build.wallet, template=build.template, options=build.options
        )
        try:
            generation = self._generator.generate(request)
            require_honoured(generation, build.options)
        except _REFUSALS as error:
            actions = [BuildItem.generation_time.set(self._runs.seconds_of_stage(build))]
            return self._runs.fail(build, job_id, error, actions)
        self._files.put_source(build_id, 0, generation.source)
        event = Progress(Status.AUDITING, 40, Step.SECURITY_AUDIT, f"Wrote {generation.title}; compiling it")
        actions = [*_generated(generation), BuildItem.generation_time.set(self._runs.seconds_of_stage(build))]
        self._runs.begin_stage(build, job_id, Stage.GENERATE, Stage.COMPILE, event, actions)
        return next_stage(build, job_id)

    def compile(self, build_id: str, job_id: str) -> Stage:
        """Compile the source, see whether it can be deployed, and keep what compiling gave."""
        build, is_due = due(build_id, job_id, Stage.COMPILE)
        if not is_due:
            return next_stage(build, job_id)
        source = self._files.source(build)
        if source is None:
            raise UpstreamUnavailableError("The build's source is not there")
        try:
            compilation = self._auditor.compile({_unit_name(str(build.contract_name)): source})
            arguments = [ConstructorArgument.model_validate(entry) for entry in build.constructor_arguments]
            check_deployable(compilation, str(build.contract_name), arguments)
        except (CompilationFailedError, CompileTimeoutError) as error:
            actions = [BuildItem.audit_time.set(self._runs.seconds_of_stage(build))]
            return self._runs.fail(build, job_id, error, actions)
        revision, name = int(build.revision or 0), str(build.contract_name)
        digests = self._files.put_compilation(build_id, revision, compilation, name)
        message = f"Compiled with solc {compilation.compiler_version.partition('+')[0]}; auditing with Slither"
        event = Progress(Status.AUDITING, 50, Step.SECURITY_AUDIT, message)
        self._runs.begin_stage(build, job_id, Stage.COMPILE, Stage.AUDIT, event, [BuildItem.digests.set(digests)])
        return next_stage(build, job_id)

    def audit(self, build_id: str, job_id: str) -> Stage:
        """Audit what was compiled, and keep the report."""
        build, is_due = due(build_id, job_id, Stage.AUDIT)
        if not is_due:
            return next_stage(build, job_id)
        compilation = self._files.compilation(build)
        report = _audited(self._auditor.audit(compilation))
        return self._judge(build, job_id, Stage.AUDIT, Outcome(compilation, report), [])

    def fix(self, build_id: str, job_id: str) -> Stage:
        """One round: mend what can be mended, compile and audit again. A round that made nothing better is given up."""
        build, is_due = due(build_id, job_id, Stage.FIX)
        if not is_due:
            return next_stage(build, job_id)
        stored = self._files.report(build)
        if stored is None:
            raise UpstreamUnavailableError("The build's audit report is not there")
        report = AuditReport.model_validate_json(stored)
        outcome = self._auditor.fix(self._files.compilation(build), report, self._fixer)
        _audited(outcome.report)
        if len(outcome.report.rounds) == len(report.rounds):
            return self._refuse(build, job_id, report)
        actions = []
        if outcome.report.rounds[-1].kept:
            revision, name = int(build.revision or 0) + 1, str(build.contract_name)
            (source,) = outcome.compilation.sources.values()
            self._files.put_source(build_id, revision, source)
            digests = self._files.put_compilation(build_id, revision, outcome.compilation, name)
            actions = [BuildItem.revision.set(revision), BuildItem.digests.set(digests)]
        return self._judge(build, job_id, Stage.FIX, outcome, actions)

    def _judge(self, build: BuildItem, job_id: str, at: Stage, outcome: Outcome, actions: list[Any]) -> Stage:
        """Keep a report and decide by it; only one that passed lets the build go on to its deployment."""
        report = outcome.report
        self._files.put_report(build.build_id, report)
        actions = [*actions, BuildItem.audited.set(True), BuildItem.rounds.set(len(report.rounds))]
        if report.passed:
            bytecode = contract_of(outcome.compilation, str(build.contract_name))["bytecode"]
            audited = creation_code(bytecode, build.constructor_arguments or [])
            actions += [
                BuildItem.deployable.set(True),
                BuildItem.creation_digest.set(digest_of(audited)),
                BuildItem.audit_time.set(self._runs.seconds_of_stage(build)),
            ]
            if build.deploys is False:
                then = "your wallet can deploy it" if build.signer else "nothing is deployed yet"
                ended = Progress(Status.COMPLETE, 100, Step.COMPLETE, f"{_passed(report)}; {then}")
                self._runs.finish(build, job_id, ended, [BuildItem.stage.set(str(Stage.DONE)), *actions], None)
                return next_stage(build, job_id)
            event = Progress(Status.AUDITING, 65, Step.SECURITY_AUDIT, _passed(report))
            self._runs.begin_stage(build, job_id, at, Stage.PREPARE, event, actions)
        elif can_mend(report, with_model=self._fixer is not None):
            event = Progress(Status.AUDITING, 55 + 2 * len(report.rounds), Step.FIXING, _fixing(report))
            self._runs.begin_stage(build, job_id, at, Stage.FIX, event, actions)
        else:
            return self._refuse(build, job_id, report, actions)
        return next_stage(build, job_id)

    def _refuse(self, build: BuildItem, job_id: str, report: AuditReport, actions: list[Any] | None = None) -> Stage:
        changes = [*(actions or []), BuildItem.audit_time.set(self._runs.seconds_of_stage(build))]
        if report.error:
            reason = str(report.error.get("message", "The audit did not run to its end"))
            return self._runs.fail(build, job_id, AuditUnavailableError(reason), changes)
        refused = [finding for finding in report.findings if finding.impact in REFUSED]
        findings = [
            {"detector": finding.detector, "impact": finding.impact, "lines": finding.lines[:10]}
            for finding in refused[:_MAX_TOLD]
        ]
        names = ", ".join(dict.fromkeys(finding.detector for finding in refused))
        message = f"The audit found what could not be mended: {names}"
        return self._runs.fail(build, job_id, AuditFailedError(message, details={"findings": findings}), changes)


def _audited(report: AuditReport) -> AuditReport:
    """Return a report, unless the clock stopped the audit: raise AuditUnavailableError, and it is tried again later."""
    if report.error and (report.error.get("details") or {}).get("limit") == "clock":
        raise AuditUnavailableError(str(report.error["message"]))
    return report


def _unit_name(contract_name: str) -> str:
    return f"contracts/{contract_name}.sol"


def _generating(build: BuildItem) -> str:
    return f"Generating a contract from the template {build.template}" if build.template else "Generating a contract"


def _generated(generation: Generation) -> list[Any]:
    usage = generation.usage.model_dump() if generation.usage else None
    return [
        BuildItem.engine.set(generation.engine),
        BuildItem.title.set(generation.title),
        BuildItem.contract_name.set(generation.contract_name),
        BuildItem.constructor_arguments.set([entry.model_dump() for entry in generation.constructor_arguments]),
        BuildItem.generated_options.set(json.loads(json.dumps(generation.options, default=str))),
        BuildItem.assumed.set(generation.assumed),
        BuildItem.not_honoured.set([entry.model_dump() for entry in generation.not_honoured]),
        BuildItem.powers.set(generation.powers),
        BuildItem.revision.set(0),
        # Of an earlier try.
        BuildItem.digests.remove(),
        *([BuildItem.kind.set(str(generation.kind))] if generation.kind else []),
        *([BuildItem.usage.set(usage)] if usage else []),
    ]


def _passed(report: AuditReport) -> str:
    mended = sum(len(done.fixes) for done in report.rounds if done.kept)
    return "The audit passed" + (f", after {mended} findings were mended" if mended else "")


def _fixing(report: AuditReport) -> str:
    refused = sum(finding.impact in REFUSED for finding in report.findings)
    return f"The audit found {refused} of High or Medium impact; mending, round {len(report.rounds) + 1}"
