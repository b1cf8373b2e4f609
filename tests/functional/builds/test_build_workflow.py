"""The tasks of ``build`` through the real functions under their policies: whatever does not pass is not deployed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from slipway.addresses import keccak256
from slipway.builds.api.acceptance import new_build
from slipway.builds.api.models import BuildRequest
from slipway.builds.audit.auditor import Auditor
from slipway.builds.audit.compilation import new_compiler
from slipway.builds.audit.models import AuditReport
from slipway.builds.audit.slither import Slither
from slipway.builds.pipeline.reconcile import MAX_EXECUTIONS
from slipway.builds.pipeline.rules import creation_code
from slipway.builds.states import Progress, Stage, Status, Step
from slipway.builds.store import BuildItem, add_build, change_build, counts_of, find_build, running, updates_after
from slipway.errors import AuditUnavailableError, CompilerBusyError, UpstreamUnavailableError, permanent_names
from slipway.solidity import compiler
from slipway.solidity.toolchain import find_toolchain
from slipway.store import Transaction
from tests.support.functions import event, function_app
from tests.support.installation import BUCKET, Installation
from tests.support.wallets import ALICE

SOURCES = Path(__file__).resolve().parents[2] / "unit" / "solidity"
PROMPT = "Create an ERC-20 token called Harbour with 1000 supply"


@pytest.fixture(scope="module")
def auditor() -> Iterator[Auditor]:
    with Auditor() as made:
        yield made


@pytest.fixture
def made(slipway: Installation, auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Return an installation whose tasks use this module's compiler."""
    _use(monkeypatch, auditor)
    return slipway


def _use(monkeypatch: pytest.MonkeyPatch, auditor: Auditor) -> None:
    contract = function_app("tasks/contract")
    monkeypatch.setattr(contract, "Auditor", lambda: auditor)
    contract.workflow.cache_clear()


def new(prompt: str = PROMPT, **more: Any) -> BuildItem:
    counts = counts_of(ALICE.address)
    body = BuildRequest(prompt=prompt, chains=[31337, 5001], **more)
    build = new_build(ALICE.address, body, int(counts.number) + 1)
    write = Transaction()
    add_build(write, build, counts, 100, "Accepted")
    write.commit()
    return build


def with_source(source: str, name: str, arguments: list[dict[str, str]] | None = None) -> BuildItem:
    """Return a build at the stage of compiling this source."""
    build = new()
    boto3.client("s3").put_object(Bucket=BUCKET, Key=f"builds/{build.build_id}/source-0.sol", Body=source.encode())
    actions = [
        BuildItem.stage.set(str(Stage.COMPILE)),
        BuildItem.revision.set(0),
        BuildItem.contract_name.set(name),
        BuildItem.constructor_arguments.set(arguments or []),
    ]
    told = Progress(Status.AUDITING, 40, Step.SECURITY_AUDIT, "Wrote it")
    assert change_build(build, actions, running(build.job_id), update=told)
    return build


def vulnerable(name: str, arguments: list[dict[str, str]] | None = None) -> BuildItem:
    return with_source((SOURCES / "vulnerable" / f"{name}.sol").read_text(encoding="utf-8"), name, arguments)


def run(slipway: Installation, build: BuildItem, state: str, **more: Any) -> str:
    """Invoke a state's task; returns the next stage."""
    folder = "build" if state in ("Prepare", "Complete", "RecordFailure") else "contract"
    snake = "record_failure" if state == "RecordFailure" else state.lower()
    payload = {**event(f"{folder}_{snake}"), "build_id": build.build_id, "job_id": build.job_id, **more}
    answer = slipway.invoke({"build": "BuildTasks", "contract": "ContractTasks"}[folder], payload)
    return str(answer["stage"])


def stored(build: BuildItem) -> BuildItem:
    found = find_build(build.build_id)
    assert found
    return found


def told(build: BuildItem) -> list[tuple[str, str]]:
    return [(update.status, update.step) for update in updates_after(build.build_id, 0)]


def to_the_end(slipway: Installation, build: BuildItem) -> BuildItem:
    """Run states until deployments would begin, or the build has ended."""
    stage = stored(build).stage
    while stage in ("generate", "compile", "audit", "fix"):
        stage = run(slipway, build, stage.capitalize())
    return stored(build)


def test_a_prompt_becomes_an_audited_contract(made: Installation) -> None:
    build = new()
    ready = to_the_end(made, build)
    assert (ready.status, ready.stage, ready.deployable, ready.engine) == ("auditing", "prepare", True, "composer")
    assert told(build) == [
        ("pending", "queued"),
        ("generating", "code_generation"),
        ("auditing", "security_audit"),
        ("auditing", "security_audit"),
        ("auditing", "security_audit"),
    ]
    assert float(ready.generation_time) >= 0
    assert float(ready.audit_time) > 0
    answer = made.invoke("BuildTasks", {**event("build_prepare"), "build_id": build.build_id, "job_id": build.job_id})
    branches = [{"build_id": build.build_id, "job_id": build.job_id, "chain_id": chain} for chain in (31337, 5001)]
    assert answer == {"stage": "deploy", "chains": branches}
    assert stored(build).status == "deploying"


def _swap(build: BuildItem, name: str, change: Callable[[bytes], bytes]) -> None:
    """Do what somebody who can write to the bucket does."""
    s3, key = boto3.client("s3"), f"builds/{build.build_id}/{name}"
    body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    s3.put_object(Bucket=BUCKET, Key=key, Body=change(body))


def test_the_build_keeps_what_was_audited(made: Installation) -> None:
    ready = to_the_end(made, new())
    body = boto3.client("s3").get_object(Bucket=BUCKET, Key=f"builds/{ready.build_id}/contract-0.json")["Body"].read()
    code = creation_code(json.loads(body)["bytecode"], ready.constructor_arguments)
    assert ready.creation_digest == "0x" + keccak256(code).hex()
    assert set(ready.digests) == {"source", "input", "compilation", "contract"}


def test_what_was_compiled_is_what_is_audited(made: Installation) -> None:
    build = new()
    for state in ("Generate", "Compile"):
        run(made, build, state)
    _swap(build, "compilation-0.json.gz", lambda body: gzip.compress(gzip.decompress(body) + b" "))
    with pytest.raises(UpstreamUnavailableError, match="changed"):
        run(made, build, "Audit")
    assert stored(build).deployable is None


def test_the_report_is_read_by_people_and_tools(made: Installation) -> None:
    build = new()
    to_the_end(made, build)
    ask = partial(made.api, "api_builds_audit", path={"build_id": build.build_id}, token=made.token(ALICE))
    assert ask().body["passed"] is True
    log = ask(query="format=sarif")
    assert log.headers["content-type"] == "application/sarif+json"
    assert log.body["runs"][0]["tool"]["driver"]["version"] == ask().body["slither_version"]
    document = ask(query="format=markdown")
    assert document.headers["content-type"].startswith("text/markdown")
    assert "**Passed**" in document.body
    assert ask(query="format=pdf").status == 400


@pytest.mark.parametrize(("part", "name"), [("code", "source-0.sol"), ("metadata", "input-0.json")])
def test_a_file_that_was_swapped_is_not_shown_as_audited(made: Installation, part: str, name: str) -> None:
    build = new()
    to_the_end(made, build)
    ask = partial(made.api, f"api_builds_{part}", path={"build_id": build.build_id}, token=made.token(ALICE))
    assert ask().status == 200
    _swap(build, name, lambda body: body.replace(b"Harbour", b"Harmful"))
    assert (ask().status, ask().code) == (502, "UPSTREAM_UNAVAILABLE")


def test_a_task_that_is_called_again_changes_nothing(made: Installation) -> None:
    build = new()
    for state, stage in (("Generate", "compile"), ("Compile", "audit"), ("Audit", "prepare"), ("Prepare", "deploy")):
        assert run(made, build, state) == stage
        before = stored(build).attribute_values
        assert run(made, build, state) == stage
        assert stored(build).attribute_values == before
    assert run(made, build, "Generate") == "deploy"


def test_a_build_that_was_cancelled_goes_no_further(made: Installation) -> None:
    build = new()
    run(made, build, "Generate")
    cancelled = Progress(Status.CANCELLED, 0, Step.CANCELLED, "Cancelled")
    assert change_build(stored(build), [], running(build.job_id), update=cancelled)
    before = told(build)
    for state in ("Generate", "Compile", "Audit", "Fix", "Prepare", "Complete"):
        assert run(made, build, state) == "done"
    assert run(made, build, "RecordFailure", error="States.Timeout", cause="{}") == "done"
    assert told(build) == before
    assert stored(build).status == "cancelled"


def test_what_is_not_supported_fails_with_what_is(made: Installation) -> None:
    build = new("Build an automated market maker exchange")
    assert run(made, build, "Generate") == "done"
    failed = stored(build)
    assert (failed.status, failed.error_code) == ("failed", "GENERATION_UNSUPPORTED")
    assert "ERC-20" in failed.error_message
    assert failed.error_details["templates"]
    assert told(build)[-1] == ("failed", "error")
    assert failed.open_shard is None


def test_a_build_that_is_not_deployed_is_complete_after_its_audit(made: Installation) -> None:
    build = new()
    assert change_build(build, [BuildItem.deploys.set(False)], running(build.job_id))
    ended = to_the_end(made, build)
    assert (ended.status, ended.stage, ended.deployable) == ("complete", "done", True)
    assert ended.open_shard is None
    assert told(build)[-1] == ("complete", "complete")


def test_a_contract_that_drops_a_wish_fails_before_it_is_compiled(made: Installation) -> None:
    build = new("ERC-20 called Harbour, one transfer per day")
    assert run(made, build, "Generate") == "done"
    failed = stored(build)
    assert (failed.status, failed.error_code) == ("failed", "NOT_HONOURED")
    assert "one transfer per day" in str(failed.error_details["not_honoured"])
    lenient = new("ERC-20 called Harbour, one transfer per day", options={"strict": False})
    assert run(made, lenient, "Generate") == "compile"
    assert stored(lenient).not_honoured


def test_findings_are_mended_and_each_round_is_kept(made: Installation) -> None:
    arguments = [{"name": "token_", "type": "address", "value": ALICE.address}]
    build = vulnerable("UncheckedTransfer", arguments)
    ready = to_the_end(made, build)
    assert (ready.stage, ready.deployable, int(ready.revision), int(ready.rounds)) == ("prepare", True, 1, 1)
    assert ("auditing", "fixing") in told(build)
    s3 = boto3.client("s3")
    report = AuditReport.model_validate_json(
        s3.get_object(Bucket=BUCKET, Key=f"builds/{build.build_id}/audit-1.json")["Body"].read()
    )
    assert report.passed
    (kept,) = report.rounds
    assert kept.kept
    assert "safeTransferFrom" in kept.diff
    mended = s3.get_object(Bucket=BUCKET, Key=f"builds/{build.build_id}/source-1.sol")["Body"].read().decode()
    assert "SafeERC20.safeTransferFrom" in mended


def test_what_can_not_be_mended_is_not_deployed(made: Installation) -> None:
    build = vulnerable("WeakRandomness")
    failed = to_the_end(made, build)
    assert (failed.status, failed.error_code) == ("failed", "AUDIT_FAILED")
    assert failed.deployable is None
    assert failed.error_details["findings"][0]["detector"] in failed.error_message
    assert run(made, build, "Prepare") == "done"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("contract Broken { function f() public { undeclared(); } }", "Undeclared"),
        ("contract Other { }", "contracts Broken"),
        ("abstract contract Broken { function f() public virtual; }", "abstract"),
        ("contract Broken { constructor(uint256 x) { require(x > 0); } }", "constructor"),
        ('import "https://example.com/x.sol"; contract Broken {}', "imported"),
    ],
)
def test_what_does_not_compile_or_can_not_be_deployed_fails_with_its_problems(
    made: Installation, source: str, words: str
) -> None:
    build = with_source("// SPDX-License-Identifier: MIT\npragma solidity ^0.8.27;\n" + source, "Broken")
    failed = to_the_end(made, build)
    assert (failed.status, failed.error_code) == ("failed", "COMPILATION_FAILED")
    assert words in failed.error_message
    assert failed.error_details["problems"]


def test_a_source_that_makes_the_compiler_hang_is_stopped(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    toolchain = find_toolchain()
    monkeypatch.setattr(compiler, "CROWDED", 1000)
    with Auditor(toolchain, compiler=new_compiler(toolchain, timeout_seconds=0.05)) as hasty:
        _use(monkeypatch, hasty)
        clean = (SOURCES / "clean" / "FullToken.sol").read_text(encoding="utf-8")
        failed = to_the_end(slipway, with_source(clean, "FullToken"))
    assert (failed.status, failed.error_code) == ("failed", "COMPILE_TIMEOUT")
    assert failed.error_details == {"limit": "time"}


def test_an_honest_source_on_a_busy_machine_is_tried_again_by_the_state_machine(
    made: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = new()
    run(made, build, "Generate")
    toolchain = find_toolchain()
    with monkeypatch.context() as busy:
        # The clock is over before the processor has done anything.
        busy.setattr(compiler, "CROWDED", 0.0001)
        with Auditor(toolchain, compiler=new_compiler(toolchain)) as starved:
            _use(busy, starved)
            with pytest.raises(CompilerBusyError):
                run(made, build, "Compile")
        assert (stored(build).status, stored(build).stage) == ("auditing", "compile")
    function_app("tasks/contract").workflow.cache_clear()
    assert run(made, build, "Compile") == "audit"
    with monkeypatch.context() as busy, Auditor(slither=Slither(timeout_seconds=0.001)) as starved:
        _use(busy, starved)
        with pytest.raises(AuditUnavailableError, match="did not finish"):
            run(made, build, "Audit")
    function_app("tasks/contract").workflow.cache_clear()
    assert run(made, build, "Audit") == "prepare"
    assert {"CompilerBusyError", "AuditUnavailableError"}.isdisjoint(permanent_names())


def test_no_audit_is_no_deployment(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    with Auditor(slither=Slither(command=("false",))) as blind:
        _use(monkeypatch, blind)
        clean = (SOURCES / "clean" / "Vault.sol").read_text(encoding="utf-8")
        arguments = [{"name": "asset", "type": "address", "value": ALICE.address}]
        build = with_source(clean, "Vault", arguments)
        failed = to_the_end(slipway, build)
    assert (failed.status, failed.error_code) == ("failed", "AUDIT_UNAVAILABLE")
    assert failed.deployable is None


@pytest.mark.parametrize(
    ("stage", "error", "code"),
    [
        (Stage.GENERATE, "Sandbox.Timedout", "DEPLOYMENT_FAILED"),
        (Stage.GENERATE, "UpstreamUnavailableError", "UPSTREAM_UNAVAILABLE"),
        (Stage.COMPILE, "Runtime.ExitError", "COMPILE_TIMEOUT"),
        (Stage.AUDIT, "States.Timeout", "AUDIT_UNAVAILABLE"),
        (Stage.FIX, "Sandbox.Timedout", "AUDIT_UNAVAILABLE"),
    ],
)
def test_a_task_that_never_came_back_is_reported_as_what_it_means(
    made: Installation, stage: Stage, error: str, code: str
) -> None:
    build = new()
    change_build(build, [BuildItem.stage.set(str(stage))], running(build.job_id))
    cause = json.dumps({"errorMessage": "secret address http://10.0.0.1/key", "errorType": error})
    run(made, build, "RecordFailure", error=error, cause=cause if error.endswith("Error") else "{}")
    failed = stored(build)
    assert (failed.status, failed.error_code) == ("failed", code)
    assert error == "UpstreamUnavailableError" or "secret" not in failed.error_message


def test_what_may_be_on_a_chain_is_not_given_up(made: Installation) -> None:
    build = new()
    change_build(build, [BuildItem.stage.set(str(Stage.DEPLOY))], running(build.job_id))
    assert run(made, build, "RecordFailure", error="States.Timeout", cause="{}") == "deploy"
    assert stored(build).status == "pending"


# ── Reconcile ───────────────────────────────────────────────────────────────────────────────────


def _overdue(build: BuildItem, executions: int = 1) -> None:
    actions = [
        BuildItem.open_until.set("2026-01-01T00:00:00.000Z"),
        BuildItem.executions.set(executions),
    ]
    assert change_build(build, actions, running(build.job_id))


def _reconcile(slipway: Installation, build: BuildItem) -> str:
    payload = {**event("reconcile_reconcile_build"), "build_id": build.build_id}
    return str(slipway.invoke("ReconcileTasks", payload)["done"])


def test_reconcile_starts_what_nobody_started_and_then_what_has_ended(slipway: Installation) -> None:
    build = new()
    _overdue(build)
    found = slipway.invoke("ReconcileTasks", event("reconcile_find_builds"))
    assert found == {"steps": [{"state": "ReconcileBuild", "build_id": build.build_id}]}
    assert _reconcile(slipway, build) == "started"
    (execution,) = slipway.executions(slipway.build_machine)
    assert execution["name"] == build.job_id
    assert slipway.invoke("ReconcileTasks", event("reconcile_find_builds")) == {"steps": []}
    assert _reconcile(slipway, build) == "running"
    boto3.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    assert _reconcile(slipway, build) == "started"
    names = {entry["name"] for entry in slipway.executions(slipway.build_machine)}
    assert names == {build.job_id, f"{build.job_id}-2"}


@pytest.mark.parametrize(("stage", "done"), [(Stage.COMPILE, "failed"), (Stage.DEPLOY, "started")])
def test_reconcile_gives_up_in_the_end_but_never_what_may_be_on_a_chain(
    slipway: Installation, stage: Stage, done: str
) -> None:
    build = new()
    change_build(build, [BuildItem.stage.set(str(stage))], running(build.job_id))
    _overdue(build, MAX_EXECUTIONS)
    client = boto3.client("stepfunctions")
    client.start_execution(stateMachineArn=slipway.build_machine, name=stored(build).execution_name, input="{}")
    (execution,) = slipway.executions(slipway.build_machine)
    client.stop_execution(executionArn=execution["executionArn"])
    assert _reconcile(slipway, build) == done
    assert stored(build).status == ("failed" if done == "failed" else "pending")
    assert _reconcile(slipway, build) == ("ended" if done == "failed" else "running")
