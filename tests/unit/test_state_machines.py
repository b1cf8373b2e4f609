"""Rules that every state machine keeps (statemachines/*.asl.json)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import slipway.chain.json_rpc  # noqa: F401 (adds to the family of errors)
from local.state_machines import state_machines
from slipway.builds.pipeline.rules import ChainStep
from slipway.builds.states import Stage as BuildStage
from slipway.chain.models import FINAL, Progress
from slipway.errors import permanent_names
from slipway.stacks.steps import Step as StackStep
from slipway.tokens.rules import SIGNING
from tests.support.functions import function_app
from tests.support.hubs import HUBS
from tests.support.template import ROOT, resources

FILES = sorted((ROOT / "statemachines").glob("*.asl.json"))
MACHINES = {name: machine.definition for name, machine in state_machines().items()}
# An expression that fails does so again; everything else of AWS's own may pass.
PERMANENT_OF_AWS = {"States.QueryEvaluationError"}
ENDS = {"Succeed", "Fail"}
SCHEDULED = ("reconcile", "uptime_flush")


@dataclass(frozen=True)
class Scope:
    """States among which transitions go: a whole machine, a branch, or a Map's processor."""

    machine: str
    start_at: str
    states: dict[str, dict[str, Any]]


def _scopes(machine: str, definition: dict[str, Any]) -> Iterator[Scope]:
    yield Scope(machine, definition["StartAt"], definition["States"])
    for state in definition["States"].values():
        inner = [*state.get("Branches", []), *([state["ItemProcessor"]] if "ItemProcessor" in state else [])]
        for part in inner:
            yield from _scopes(machine, part)


SCOPES = [scope for name, definition in MACHINES.items() for scope in _scopes(name, definition)]
FOUND = [(scope, name, state) for scope in SCOPES for name, state in scope.states.items()]
STATES = [pytest.param(*found, id=f"{found[0].machine}:{found[1]}") for found in FOUND]
TASKS = [parameter for parameter, (_, _, state) in zip(STATES, FOUND, strict=True) if state["Type"] == "Task"]


def _next(state: dict[str, Any]) -> set[str]:
    found = {state[key] for key in ("Next", "Default") if key in state}
    return found | {entry["Next"] for key in ("Choices", "Catch") for entry in state.get(key, [])}


def test_there_are_the_machines_of_tokens_and_workloads() -> None:
    assert {"token_deploy", "token_register", "akash_deploy", "reconcile"} <= set(MACHINES)
    assert {"stack_node", "stack_api"} <= set(MACHINES)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_speaks_jsonata_and_ends_in_time(machine: str) -> None:
    definition = MACHINES[machine]
    assert definition["QueryLanguage"] == "JSONata"
    assert 0 < definition["TimeoutSeconds"] <= 86400
    assert definition["Comment"]


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: f"{scope.machine}:{scope.start_at}")
def test_every_state_is_reachable_and_every_transition_leads_somewhere(scope: Scope) -> None:
    reached, waiting = set(), [scope.start_at]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(_next(scope.states[name]))
    assert reached == set(scope.states)


@pytest.mark.parametrize(("scope", "name", "state"), STATES)
def test_every_state_ends_or_goes_on(scope: Scope, name: str, state: dict[str, Any]) -> None:
    goes_on = bool(_next(state))
    ends = state["Type"] in ENDS or state.get("End") is True
    assert goes_on or ends
    assert not (ends and "Next" in state)


@pytest.mark.parametrize(("scope", "name", "state"), TASKS)
def test_every_task_has_a_time_limit(scope: Scope, name: str, state: dict[str, Any]) -> None:
    assert 0 < state["TimeoutSeconds"] < MACHINES[scope.machine]["TimeoutSeconds"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_task_tries_again_by_the_one_rule(path: Path) -> None:
    text = path.read_text()
    assert text.count('"Type": "Task"') == text.count('"Retry": ${Retry}') == text.count('"Retry"')
    assert {re.sub(r"\s", "", names) for names in re.findall(r'"ErrorEquals": \[([^]]*)]', text)} <= {'"States.ALL"'}


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_not_known_to_be_permanent_is_tried_again_a_bounded_number_of_times(machine: str) -> None:
    permanent, others = json.loads(state_machines()[machine].substitutions["Retry"])
    assert permanent["MaxAttempts"] == 0
    assert sorted(permanent["ErrorEquals"]) == sorted({*permanent_names(), *PERMANENT_OF_AWS})
    assert others["ErrorEquals"] == ["States.ALL"]
    # What runs again by itself a little later gives up sooner.
    least, most = (3, 5) if machine in SCHEDULED else (10, 20)
    assert least <= others["MaxAttempts"] <= most
    assert others["IntervalSeconds"] >= 1
    assert others["BackoffRate"] == 2
    assert others["MaxDelaySeconds"] <= 60
    assert others["JitterStrategy"] == "FULL"


def test_overload_and_silence_are_never_permanent() -> None:
    passing = {"UpstreamUnavailableError", "WriteContentionError", "RpcError", "AuditUnavailableError", "SlipwayError"}
    unaffordable = {"InsufficientGasError", "SignerUnfundedError"}
    assert (passing | unaffordable) & {*permanent_names()} == set()


@pytest.mark.parametrize(("scope", "name", "state"), TASKS)
def test_every_task_catches_but_the_one_that_records_failures(scope: Scope, name: str, state: dict[str, Any]) -> None:
    if name == "RecordFailure":
        # What can't be recorded now is found by reconcile.
        assert "Catch" not in state
        return
    if scope.machine in SCHEDULED and name == scope.start_at:
        # There is nothing to record: the next run finds the same.
        return
    if scope.start_at == "CloseNonce":
        # The Map around both catches for them, and leaves the account's later nonces alone.
        steps = MACHINES["reconcile"]["States"]["Rest"]["ItemProcessor"]["States"]
        state = steps["CloseNonces"]
    assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


def test_an_operator_learns_why_a_launch_is_not_taken_up_again() -> None:
    states = MACHINES["token_register"]["States"]
    assert [entry["Next"] for entry in states["Resume"]["Catch"]] == ["Refused"]
    assert states["Refused"]["Type"] == "Fail"


@pytest.mark.parametrize("machine", HUBS)
def test_a_hub_asks_for_work_until_it_is_done_and_waits_in_between(machine: str) -> None:
    states = MACHINES[machine]["States"]
    assert MACHINES[machine]["StartAt"] == "Work"
    assert states["Work"]["Arguments"]["Payload"] == "{% $states.input %}"
    assert states["Work"]["Output"] == "{% $states.result.Payload %}"
    assert states["Work"]["Next"] == "Due"
    assert states["Due"]["Choices"][0] == {"Condition": "{% $states.input.step = 'done' %}", "Next": "Done"}
    assert states["Due"]["Default"] == "Pause"
    assert states["Pause"] == {
        "Type": "Wait", "Seconds": "{% $states.input.pause_seconds %}", "Next": "Work",
    }  # fmt: skip
    assert states["Done"]["Type"] == "Succeed"


@pytest.mark.parametrize("machine", HUBS)
def test_a_hub_hands_every_failure_to_the_library_and_never_at_once(machine: str) -> None:
    states = MACHINES[machine]["States"]
    for state in states.values():
        if state["Type"] == "Task":
            (catch,) = state["Catch"]
            assert catch["Next"] == "Pause"
            assert catch["Output"]["error"] == "{% $states.errorOutput.Error %}"
            assert catch["Output"]["cause"] == "{% $string($states.errorOutput.Cause) %}"
            # A failure that comes again at once must not make a loop that costs.
            assert catch["Output"]["pause_seconds"] >= 10


@pytest.mark.parametrize("machine", HUBS)
def test_every_step_of_a_hub_is_done_by_the_library(machine: str) -> None:
    hub = HUBS[machine]
    assert set(hub.workflow.steps) == set(hub.all_steps) - hub.elsewhere - hub.signed - {"done"}


def test_what_is_signed_is_what_the_library_has_signed() -> None:
    assert HUBS["token_deploy"].signed == SIGNING
    assert {name for name, hub in HUBS.items() if hub.signed} == {"akash_deploy", "token_deploy"}


@pytest.mark.parametrize("machine", ["stack_node", "stack_api"])
def test_a_stack_has_its_workload_run_by_akash_deploy(machine: str) -> None:
    states = MACHINES[machine]["States"]
    (run,) = states["Due"]["Choices"][1:]
    named = set(re.findall(r"step = '(\w+)'", run["Condition"]))
    assert named == {StackStep.DEPLOY, StackStep.CLOSING}
    assert run["Next"] == "RunWorkload"
    assert states["RunWorkload"]["Output"] == "{% $states.input %}"
    assert states["RunWorkload"]["Next"] == "Work"


@pytest.mark.parametrize(("scope", "name", "state"), TASKS)
def test_a_task_that_invokes_a_workflows_function_names_a_state_of_it(
    scope: Scope, name: str, state: dict[str, Any]
) -> None:
    workflow = _workflow_of(scope.machine, state)
    if workflow is None or scope.machine in HUBS or _hands_on_a_step(state):
        return
    assert state["Arguments"]["Payload"]["state"] == name
    assert name in function_app(f"tasks/{workflow}").STATES


def _hands_on_a_step(state: dict[str, Any]) -> bool:
    """Whether a task does whatever step its function found before."""
    return bool(state["Arguments"]["Payload"] == "{% $states.input %}")


def _workflow_of(machine: str, state: dict[str, Any]) -> str | None:
    """Return the folder of the function that a task invokes, if it is a workflow's."""
    function = state.get("Arguments", {}).get("FunctionName")
    return {"${TasksArn}": machine, "${ContractArn}": "contract", "${ChainArn}": "chain_deployment"}.get(function)


@pytest.mark.parametrize("workflow", [*sorted(set(MACHINES) - set(HUBS)), "contract", "chain_deployment"])
def test_a_workflows_function_has_no_state_that_the_machine_lacks(workflow: str) -> None:
    invoked = [(name, _workflow_of(scope.machine, state)) for scope, name, state in FOUND if state["Type"] == "Task"]
    tasks = {name for name, called in invoked if called == workflow}
    if workflow in ("reconcile", "uptime_flush"):
        # Their one task for steps does whatever was found.
        assert tasks - set(function_app(f"tasks/{workflow}").STATES) == {"Step"}
        return
    assert set(function_app(f"tasks/{workflow}").STATES) == tasks


@pytest.mark.parametrize(("scope", "name", "state"), TASKS)
def test_the_signer_is_asked_for_operations_that_it_has(scope: Scope, name: str, state: dict[str, Any]) -> None:
    if state.get("Arguments", {}).get("FunctionName") != "${SignerArn}":
        return
    signer, operation = function_app("signer"), state["Arguments"]["Payload"]["operation"]
    if operation != "{% $states.input.step %}":
        assert operation in signer.OPERATIONS
        return
    # A hub names the operation: the steps that lead here, which are those that the library leaves to the signer.
    assert HUBS[scope.machine].signed <= set(signer.OPERATIONS)


def test_definitions_and_template_agree_on_substitutions() -> None:
    machines = state_machines().values()
    assert {machine.path for machine in machines} == set(FILES)
    for machine in machines:
        assert set(re.findall(r"\$\{(\w+)\}", machine.path.read_text())) == set(machine.substitutions)


def test_every_stage_of_a_build_leads_to_a_state() -> None:
    states = MACHINES["build"]["States"]
    led_to = {choice["Condition"].split("'")[1]: choice["Next"] for choice in states["NextStage"]["Choices"]}
    assert set(led_to) == {str(stage) for stage in set(BuildStage) - {BuildStage.DONE}}
    assert states["NextStage"]["Default"] == "Done"


def test_a_build_fails_closed_and_what_may_be_on_a_chain_is_not_given_up() -> None:
    states = MACHINES["build"]["States"]
    for name in ("Generate", "Compile", "Audit", "Fix"):
        assert [entry["Next"] for entry in states[name]["Catch"]] == ["RecordFailure"]
    for name in ("Prepare", "Deploy", "Complete"):
        assert [entry["Next"] for entry in states[name]["Catch"]] == ["Interrupted"]
    assert [name for name, state in states.items() if state.get("Next") == "Deploy"] == []
    assert [choice["Next"] for choice in states["AnyChains"]["Choices"]] == ["Deploy"]


def test_a_chain_that_fails_leaves_the_others_alone() -> None:
    branch = MACHINES["build"]["States"]["Deploy"]["ItemProcessor"]["States"]
    for name, state in branch.items():
        if state["Type"] == "Task":
            wanted = "ChainDone" if name == "RecordChainFailure" else "RecordChainFailure"
            assert [entry["Next"] for entry in state["Catch"]] == [wanted]
    assert "Fail" not in {state["Type"] for state in branch.values()}
    assert branch["ChainDone"]["End"]


def test_every_progress_of_a_chain_deployment_leads_to_a_state() -> None:
    branch = MACHINES["build"]["States"]["Deploy"]["ItemProcessor"]["States"]
    named = {choice["Condition"].split("'")[1] for state in branch.values() for choice in state.get("Choices", [])}
    # Whatever else is told, such as that it is confirmed, ends the branch.
    assert named == {*ChainStep, *Progress} - {ChainStep.ENDED, *FINAL}


@pytest.mark.parametrize("machine", SCHEDULED)
def test_a_scheduled_machine_is_express_and_runs_few_at_once(machine: str) -> None:
    """An Express run ends after five minutes, waits for no other run, and may be started twice."""
    assert MACHINES[machine]["TimeoutSeconds"] < 300
    assert MACHINES[machine]["StartAt"] in ("Find", "Flush")
    for scope in SCOPES:
        for state in scope.states.values() if scope.machine == machine else ():
            assert state["Type"] != "Wait"
            assert state["Type"] != "Task" or state["Resource"] == "arn:aws:states:::lambda:invoke"
            assert state["Type"] != "Map" or state["MaxConcurrency"] == (1 if scope.start_at == "Step" else 3)


@pytest.mark.parametrize(("machine", "most_runs"), [("reconcile", 3), ("uptime_flush", 1)])
def test_runs_that_hang_leave_room_in_a_new_accounts_ten_invocations(machine: str, most_runs: int) -> None:
    """A run that hangs until its end meets the next ones, each with a Map of three."""
    machines = {name.lower(): entry for name, entry in resources("AWS::Serverless::StateMachine").items()}
    (event,) = machines[machine.replace("_", "")]["Events"].values()
    every = re.fullmatch(r"rate\((\d+) minutes?\)", event["Properties"]["ScheduleExpression"])
    assert every is not None
    assert MACHINES[machine]["TimeoutSeconds"] <= most_runs * int(every[1]) * 60


def test_what_a_schedule_starts_is_express_and_the_rest_is_not() -> None:
    machines = resources("AWS::Serverless::StateMachine")
    scheduled = {name for name, entry in machines.items() if "Events" in entry}
    assert scheduled == {name for name, entry in machines.items() if entry.get("Type") == "EXPRESS"}
    assert scheduled == {"Reconcile", "UptimeFlush"}
    for name in scheduled:
        assert machines[name]["Logging"]["Level"] == "ERROR"
        assert machines[name]["Logging"]["IncludeExecutionData"] is False
