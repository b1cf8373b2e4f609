"""Processes that die while they start, and errors that nobody has listed: nothing of that ends a job.

What Step Functions is told has many names. Here a process that is killed before there is a handler is Runtime.Unknown.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.faults.audits import FINAL, SETTLED
from tests.faults.conftest import FaultyStack
from tests.faults.test_akash_deploy import NO_BIDS
from tests.faults.test_token_launch import ON_THE_WAY
from tests.faults.workloads import Workloads

WORKFLOW = "token_deploy"
LAUNCHES = 40
FUNCTIONS = ("TokenDeployTasks", "SignerFunction")
# Of each function: more than are started at once, fewer than one Task is tried again.
STARTS = 12
UNLISTED = ("Runtime.OutOfMemory", "Sandbox.Oddity", "ValueError")


def test_all_of_many_launches_at_once_complete_although_processes_die_while_they_start(stack: FaultyStack) -> None:
    choose = random.Random(stack.tally.seed)
    starts = [stack.lay(name, "start", workflow=WORKFLOW) for name in FUNCTIONS for _ in range(STARTS)]
    placed = [stack.place(start=False) for _ in range(LAUNCHES)]
    for deployment_id in placed:
        # Another process has to start for whichever is killed.
        stack.lay(choose.choice(ON_THE_WAY), "before", "kill", deployment_id)
    stack.follow(placed, stack.start, FINAL)
    for deployment_id in placed:
        stack.assert_launched_once(deployment_id)
    assert not any(fault.exists() for fault in starts)
    stack.assert_nonces_are_contiguous()


def test_a_failure_is_recorded_although_processes_die_while_they_start(stack: FaultyStack) -> None:
    deployment_id = stack.place(state="rejected", start=False)
    killed = [stack.lay("token_deploy:give_up", "before", "kill", deployment_id) for _ in range(3)]
    starts = [stack.lay("TokenDeployTasks", "start", workflow=WORKFLOW) for _ in range(3)]
    unlisted = [stack.lay("token_deploy:give_up", "before", f"raise:{name}", deployment_id) for name in UNLISTED]
    stack.start(deployment_id)
    stack.tally.expect(deployment_id, "failed", "MODEL_NOT_VALIDATED")
    assert stack.wait_for(deployment_id, FINAL)["status"] == "failed"
    assert not any(fault.exists() for fault in (*killed, *starts, *unlisted))


def test_launches_go_on_after_errors_that_nobody_has_listed(stack: FaultyStack) -> None:
    placed = {name: stack.place(start=False) for name in ON_THE_WAY}
    for index, (name, deployment_id) in enumerate(placed.items()):
        stack.lay(name, "before", f"raise:{UNLISTED[index % len(UNLISTED)]}", deployment_id)
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
    starts = [stack.lay("AkashDeployTasks", "start", workflow="akash_deploy") for _ in range(STARTS)]
    well = [workloads.place(start=False) for _ in range(5)]
    in_vain = workloads.place(NO_BIDS, start=False)
    for step in ("create", "collect", "lease", "ready"):
        for deployment_id in well:
            stack.lay(f"akash_deploy:{step}", "before", "kill", deployment_id)
            stack.lay(f"akash_deploy:{step}", "before", f"raise:{UNLISTED[0]}", deployment_id)
    for step in ("give_up", "close", "confirm", "end"):
        stack.lay(f"akash_deploy:{step}", "before", "kill", in_vain)
        stack.lay(f"akash_deploy:{step}", "before", f"raise:{UNLISTED[1]}", in_vain)
    waiting = [in_vain]
    stack.follow([*well, in_vain], workloads.start, SETTLED, meanwhile=lambda: workloads.hurry(waiting))
    for deployment_id in well:
        workloads.assert_settled(deployment_id, "active")
    workloads.assert_settled(in_vain, "error", "BID_TIMEOUT")
    for deployment_id in (*well, in_vain):
        assert stack.waits_for(deployment_id) == []
    assert not any(fault.exists() for fault in starts)
