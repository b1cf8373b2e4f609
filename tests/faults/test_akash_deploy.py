"""Workloads whose tasks are killed at every boundary of ``akash_deploy``, while the network misbehaves.

After each: the workload ended, or is active, with the truth about it; nothing of it was leased twice, and nothing of it
is open that no workload owns.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.boundaries import WHENS, boundaries
from tests.faults.conftest import FaultyStack
from tests.faults.workloads import SETTLED, Workloads
from tests.support.workloads import sdl_with

UNHEARD = {"call": "create", "action": "drop", "performed": True, "times": 1}
NO_BIDS = {"bids": {"none": True}}
# Each boundary with what leads a workload past it, and how that ends.
ON_THE_WAY: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "CreateDeployment": ({}, "active", None),
    "RecoverDeployment": ({"faults": [UNHEARD]}, "active", None),
    "CollectBids": ({}, "active", None),
    "CreateLease": ({}, "active", None),
    "AwaitReady": ({}, "active", None),
    "RecordFailure": (NO_BIDS, "error", "BID_TIMEOUT"),
    "CloseDeployment": (NO_BIDS, "error", "BID_TIMEOUT"),
    "ConfirmClosed": (NO_BIDS, "error", "BID_TIMEOUT"),
    "RecordEnd": (NO_BIDS, "error", "BID_TIMEOUT"),
}
IN_RECONCILE = ("FindWorkloads", "ReconcileWorkload", "CloseOrphan")


def test_every_boundary_of_the_definition_has_its_fault() -> None:
    assert boundaries("akash_deploy") == {(name, when) for name in ON_THE_WAY for when in WHENS}


@pytest.fixture(scope="module")
def workloads(running: FaultyStack) -> Iterator[Workloads]:
    found = Workloads(running)
    found.control()
    yield found
    found.control()


@pytest.fixture(scope="module")
def cut(workloads: Workloads) -> dict[tuple[str, str], str]:
    """A workload for each boundary, all at once, each cut at its own."""
    placed = {}
    for boundary, (scenario, _, _) in ON_THE_WAY.items():
        for when in WHENS:
            deployment_id = workloads.place(scenario, start=False)
            workloads.stack.lay(boundary, when, "kill", deployment_id)
            placed[boundary, when] = deployment_id
    for deployment_id in placed.values():
        workloads.start(deployment_id)
        time.sleep(0.3)
    return placed


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("boundary", ON_THE_WAY)
def test_killed_on_the_way(workloads: Workloads, cut: dict[tuple[str, str], str], boundary: str, when: str) -> None:
    deployment_id = cut[boundary, when]
    _, status, code = ON_THE_WAY[boundary]
    workloads.assert_settled(deployment_id, status, code)
    left = [path for path in workloads.stack.faults.iterdir() if deployment_id in path.read_text()]
    assert left == [], "the fault did not strike"


def test_killed_workloads_left_nothing_open(workloads: Workloads, cut: dict[tuple[str, str], str]) -> None:
    for deployment_id in cut.values():
        workloads.settled(deployment_id)
    workloads.sweep(cut.values())


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("boundary", IN_RECONCILE)
def test_reconcile_is_killed_while_it_mends(workloads: Workloads, boundary: str, when: str) -> None:
    stack = workloads.stack
    lost = {"faults": [{"call": "create", "action": "drop", "performed": True, "times": 1}, *_no_answers()]}
    deployment_id = workloads.place(lost if boundary == "CloseOrphan" else {}, start=False)
    if boundary == "CloseOrphan":
        workloads.start(deployment_id)
        workloads.settled(deployment_id)
        time.sleep(6.5)
    else:
        stack.change(deployment_id, open_until="2020-01-01T00:00:00.000Z")
    fault = stack.lay(boundary, when)
    stack.reconcile()
    assert not fault.exists()
    workloads.settled(deployment_id)
    workloads.sweep([deployment_id])


def _no_answers() -> list[dict[str, Any]]:
    return [{"call": "create", "action": "payment_required"}]


@pytest.mark.parametrize(
    ("boundary", "action"),
    [
        ("CreateDeployment", "conflict"),
        ("CreateDeployment", "throttle:any.GetItem"),
        ("CreateLease", "conflict"),
        ("AwaitReady", "conflict"),
        ("CreateDeployment", "throttle:secretsmanager.GetSecretValue"),
    ],
)
def test_a_service_of_aws_that_refuses(workloads: Workloads, boundary: str, action: str) -> None:
    deployment_id = workloads.place(start=False)
    workloads.stack.lay(boundary, "before", action, deployment_id)
    workloads.start(deployment_id)
    workloads.assert_settled(deployment_id, "active")


def test_two_executions_of_one_workload_at_once(workloads: Workloads) -> None:
    deployment_id = workloads.place(start=False)
    for name in (deployment_id, f"{deployment_id}-again"):
        workloads.stack.machines.start_execution(
            stateMachineArn=workloads.stack.outputs["AkashDeployArn"],
            name=name,
            input=f'{{"deployment_id": "{deployment_id}"}}',
        )
    workloads.assert_settled(deployment_id, "active")
    assert len(workloads.ledger(deployment_id)) == 1


def test_an_execution_that_is_stopped_is_started_again(workloads: Workloads) -> None:
    stack = workloads.stack
    deployment_id = workloads.place({"bids": {"delay": 20}})
    ends_at = time.monotonic() + 30
    while "dseq" not in stack.deployment(deployment_id):
        assert time.monotonic() < ends_at
        time.sleep(0.1)
    arn = stack.outputs["AkashDeployArn"].replace(":stateMachine:", ":execution:") + f":{deployment_id}"
    stack.machines.stop_execution(executionArn=arn, error="Killed", cause="by a test")
    stack.change(deployment_id, open_until="2020-01-01T00:00:00.000Z")
    stack.reconcile()
    workloads.assert_settled(deployment_id, "active")
    assert len(workloads.ledger(deployment_id)) == 1


@pytest.mark.long
def test_many_at_once_while_the_network_misbehaves(workloads: Workloads) -> None:
    """20 % of the creates happen and nobody hears of it, 10 % of all calls are refused for the moment."""
    count = int(os.environ.get("SLIPWAY_FAULT_WORKLOADS") or 50)
    seed = int(os.environ.get("SLIPWAY_FAULT_SEED") or time.time_ns() % 10**6)
    print(f"\nseed {seed}, {count} workloads")
    workloads.control(
        seed=seed,
        faults=[
            {"call": "create", "action": "drop", "performed": True, "probability": 0.2},
            {"call": "*", "action": "unavailable", "probability": 0.1},
        ],
    )
    shared = sdl_with({"id": f"shared-{seed}"})
    # Half of them are alone with their SDL, half share one.
    placed = [workloads.place(text=shared if index % 2 else None, start=False) for index in range(count)]
    for deployment_id in placed:
        workloads.start(deployment_id)
    for deployment_id in placed:
        workloads.settled(deployment_id, 600)
    owners = [*placed, f"shared-{seed}"]
    before = sum(len([entry for entry in workloads.ledger(one) if not entry["leases"]]) for one in owners)
    workloads.control()
    workloads.sweep(owners, 120)
    items = [workloads.stack.deployment(one) for one in placed]
    entries = [entry for one in owners for entry in workloads.ledger(one)]
    table: dict[str, int] = defaultdict(int)
    for item in items:
        table[f"{item['status']} {item.get('error_code', '')}".strip()] += 1
    owned = {item["dseq"] for item in items if item["status"] == "active"}
    leased = [entry["dseq"] for entry in entries if entry["leases"]]
    left_open = [entry["dseq"] for entry in entries if entry["state"] == "active"]
    for name, number in sorted(table.items()):
        print(f"{name:<40}{number:>6}")
    print(f"{'creates':<40}{len(entries):>6}")
    print(f"{'unheard and swept by reconcile':<40}{before:>6}")
    print(f"{'leased':<40}{len(leased):>6}")
    print(f"{'open without owner':<40}{len(set(left_open) - owned):>6}")
    print(f"{'paid twice':<40}{len(leased) - len({item['dseq'] for item in items if item.get('leases')}):>6}")
    assert all(item["status"] in SETTLED for item in items)
    assert set(left_open) == owned
    assert sorted(leased) == sorted(item["dseq"] for item in items if item.get("leases"))
    assert len(owned) == table["active"]
