"""Processes that die while they start, and errors that nobody has listed: nothing of that ends a job.

What Step Functions is told has many names. Here a process that is killed before there is a handler is Runtime.Unknown.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.audits import FINAL, SETTLED
from tests.faults.conftest import FaultyStack
from tests.faults.stacks import SERVED, Stacks
from tests.faults.test_akash_deploy import NO_BIDS
from tests.faults.test_builds import Builds
from tests.faults.test_token_launch import ON_THE_WAY
from tests.faults.workloads import Workloads
from tests.support.express import run_express

WORKFLOW = "token_deploy"
LAUNCHES = 40
FUNCTIONS = ("TokenDeployTasks", "SignerFunction")
# Of each function: more than are started at once, fewer than one Task is tried again.
STARTS = 12
UNLISTED = ("Runtime.OutOfMemory", "Sandbox.Oddity", "ValueError")


def test_all_of_many_launches_at_once_complete_although_processes_die_while_they_start(stack: FaultyStack) -> None:
    choose = random.Random(stack.tally.seed)
    starts = [stack.inject(name, "start", workflow=WORKFLOW) for name in FUNCTIONS for _ in range(STARTS)]
    placed = [stack.place(start=False) for _ in range(LAUNCHES)]
    for deployment_id in placed:
        # Another process has to start for whichever is killed.
        stack.inject(choose.choice(ON_THE_WAY), "before", "kill", deployment_id)
    stack.follow(placed, stack.start, FINAL)
    for deployment_id in placed:
        stack.assert_launched_once(deployment_id)
    assert not any(fault.exists() for fault in starts)
    stack.assert_nonces_are_contiguous()


def test_a_failure_is_recorded_although_processes_die_while_they_start(stack: FaultyStack) -> None:
    deployment_id = stack.place(state="rejected", start=False)
    killed = [stack.inject("token_deploy:give_up", "before", "kill", deployment_id) for _ in range(3)]
    starts = [stack.inject("TokenDeployTasks", "start", workflow=WORKFLOW) for _ in range(3)]
    unlisted = [stack.inject("token_deploy:give_up", "before", f"raise:{name}", deployment_id) for name in UNLISTED]
    stack.start(deployment_id)
    stack.tally.expect(deployment_id, "failed", "MODEL_NOT_VALIDATED")
    assert stack.wait_for(deployment_id, FINAL)["status"] == "failed"
    assert not any(fault.exists() for fault in (*killed, *starts, *unlisted))


def test_launches_go_on_after_errors_that_nobody_has_listed(stack: FaultyStack) -> None:
    placed = {name: stack.place(start=False) for name in ON_THE_WAY}
    for index, (name, deployment_id) in enumerate(placed.items()):
        stack.inject(name, "before", f"raise:{UNLISTED[index % len(UNLISTED)]}", deployment_id)
    stack.follow(placed.values(), stack.start, FINAL)
    for deployment_id in placed.values():
        assert stack.waits_for(deployment_id) == []
        stack.assert_launched_once(deployment_id)
    stack.assert_nonces_are_contiguous()


@pytest.fixture
def workloads(stack: FaultyStack) -> Iterator[Workloads]:
    found = Workloads(stack)
    found.control()
    yield found
    found.control()


def test_workloads_go_on_and_are_closed_although_processes_die_while_they_start(workloads: Workloads) -> None:
    stack = workloads.stack
    starts = [stack.inject("AkashDeployTasks", "start", workflow="akash_deploy") for _ in range(STARTS)]
    well = [workloads.place(start=False) for _ in range(5)]
    in_vain = workloads.place(NO_BIDS, start=False)
    for step in ("create", "collect", "lease", "ready"):
        for deployment_id in well:
            stack.inject(f"akash_deploy:{step}", "before", "kill", deployment_id)
            stack.inject(f"akash_deploy:{step}", "before", f"raise:{UNLISTED[0]}", deployment_id)
    for step in ("give_up", "close", "confirm", "end"):
        stack.inject(f"akash_deploy:{step}", "before", "kill", in_vain)
        stack.inject(f"akash_deploy:{step}", "before", f"raise:{UNLISTED[1]}", in_vain)
    waiting = [in_vain]
    stack.follow([*well, in_vain], workloads.start, SETTLED, meanwhile=lambda: workloads.hurry(waiting))
    for deployment_id in well:
        workloads.assert_settled(deployment_id, "active")
    workloads.assert_settled(in_vain, "error", "BID_TIMEOUT")
    for deployment_id in (*well, in_vain):
        assert stack.waits_for(deployment_id) == []
    assert not any(fault.exists() for fault in starts)


@pytest.mark.long
def test_a_build_goes_on_although_processes_die_while_they_start(stack: FaultyStack) -> None:
    builds = Builds(stack)
    build = builds.place(start=False)
    functions = ("BuildTasks", "ContractTasks", "ChainDeploymentTasks")
    starts = [stack.inject(name, "start", workflow="build") for name in functions for _ in range(2)]
    states = ("Generate", "Audit", "BeginDeployment", "ConfirmDeployment", "Complete")
    faults = [
        stack.inject(name, "before", action, build.job_id)
        for index, name in enumerate(states)
        for action in ("kill", f"raise:{UNLISTED[index % len(UNLISTED)]}")
    ]
    builds.start(build)
    builds.assert_ended_once(build, "complete")
    assert len(builds.contracts(build)) == 1
    assert not any(fault.exists() for fault in (*starts, *faults))


@pytest.mark.long
def test_stacks_go_on_although_processes_die_while_they_start(stack: FaultyStack) -> None:
    stacks = Stacks(stack)
    environment = f"s{uuid.uuid4().hex[:12]}"
    for kind, function in (("node", "StackNodeTasks"), ("api", "StackApiTasks")):
        job_id = stacks.place(environment, kind, "deploy", SERVED if kind == "node" else {})
        starts = [stack.inject(function, "start", workflow=f"stack_{kind}") for _ in range(2)]
        faults = [
            stack.inject(f"stack_{kind}:{step}", "before", action, job_id)
            for step in ("place", "deploy")
            for action in ("kill", f"raise:{UNLISTED[0]}")
        ]
        stacks.start(environment, kind, job_id)
        stacks.assert_ended(environment, kind, "active")
        assert not any(fault.exists() for fault in (*starts, *faults))


def _early_faults(stack: FaultyStack, workflow: str, function: str, state: str) -> list[Path]:
    return [
        stack.inject(state, "before", "kill", workflow=workflow),
        stack.inject(function, "start", workflow=workflow),
        *(stack.inject(state, "before", f"raise:{error}", workflow=workflow) for error in UNLISTED[:2]),
    ]


def test_reconcile_goes_on_although_processes_die_while_they_start(stack: FaultyStack) -> None:
    faults = _early_faults(stack, "reconcile", "ReconcileTasks", "Find")
    stack.reconcile()
    assert not any(fault.exists() for fault in faults)


def test_the_flush_goes_on_although_processes_die_while_they_start(stack: FaultyStack) -> None:
    faults = _early_faults(stack, "uptime_flush", "UptimeFlushTasks", "Flush")
    done = run_express(stack.described, "UptimeFlushArn")
    assert done["status"] == "SUCCEEDED", done
    assert not any(fault.exists() for fault in faults)
