"""Workloads whose steps are killed at every boundary of ``akash_deploy``, while the network misbehaves.

After each: the workload ended, or is active, with the truth about it; nothing of it was leased twice, and nothing of it
is open that no workload owns.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from boto3.dynamodb.conditions import Key

from tests.faults.audits import SETTLED
from tests.faults.boundaries import WHENS, together_and_alone
from tests.faults.conftest import PATIENCE_SECONDS, FaultyStack
from tests.faults.workloads import Workloads
from tests.support.waiting import eventually
from tests.support.workloads import UNCERTAIN, sdl_with

WORKFLOW = "akash_deploy"
UNHEARD = {"call": "create", "action": "drop", "performed": True, "times": 1}
NO_BIDS = {"bids": {"none": True}}
# Each boundary with what leads a workload past it, and how that ends.
ON_THE_WAY: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "akash_deploy:create": ({}, "active", None),
    "akash_deploy:recover": ({"faults": [UNHEARD]}, "active", None),
    "akash_deploy:collect": ({}, "active", None),
    "akash_deploy:choose": ({}, "active", None),
    "akash_deploy:lease": ({}, "active", None),
    "akash_deploy:ready": ({}, "active", None),
    "akash_deploy:give_up": (NO_BIDS, "error", "BID_TIMEOUT"),
    "akash_deploy:close": (NO_BIDS, "error", "BID_TIMEOUT"),
    "akash_deploy:confirm": (NO_BIDS, "error", "BID_TIMEOUT"),
    "akash_deploy:end": (NO_BIDS, "error", "BID_TIMEOUT"),
}
# Whose owners are asked to choose, and do not.
UNCHOSEN = {"akash_deploy:choose": {"within": 3, "unchosen": "best"}}
# Each boundary of a change of what runs, with the request that leads past it and the event that tells it is done.
CHANGES = {
    "akash_deploy:update": ("PUT", "", "updated"),
    "akash_deploy:top_up": ("POST", "/deposit", "deposited"),
}
IN_RECONCILE = ("FindWorkloads", "ReconcileWorkload", "CloseOrphan")
# AWS refuses a call, or does it and is not heard.
REFUSED = (
    ("akash_deploy:create", "conflict"),
    ("akash_deploy:create", "throttle:any.GetItem"),
    ("akash_deploy:create", "throttle:secretsmanager.GetSecretValue"),
    ("akash_deploy:create", "die:TransactWriteItems"),
    ("akash_deploy:collect", "throttle:any.GetItem"),
    ("akash_deploy:choose", "throttle:any.GetItem"),
    ("akash_deploy:choose", "conflict"),
    ("akash_deploy:choose", "die:TransactWriteItems"),
    ("akash_deploy:lease", "conflict"),
    ("akash_deploy:lease", "die:TransactWriteItems"),
    ("akash_deploy:ready", "conflict"),
    ("akash_deploy:ready", "die:TransactWriteItems"),
    ("akash_deploy:close", "throttle:any.GetItem"),
    ("akash_deploy:end", "die:TransactWriteItems"),
)
# Without a boundary of their own: the network, and two executions of one workload.
APART: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "slow": ({"latency": {"*": 0.8}}, "active", None),
    "lease unheard": ({"faults": [{**UNHEARD, "call": "lease"}]}, "active", None),
    "close unheard": ({**NO_BIDS, "faults": [{**UNHEARD, "call": "close"}]}, "error", "BID_TIMEOUT"),
    "busy": ({"faults": [{"call": "*", "action": "rate_limited", "times": 3}]}, "active", None),
    "twice": ({}, "active", None),
}
WAYS = {**ON_THE_WAY, **APART}
POINTS = [*((name, when) for name in ON_THE_WAY for when in WHENS), *REFUSED, *((name, "") for name in APART)]


@pytest.fixture(scope="module")
def workloads(running: FaultyStack) -> Iterator[Workloads]:
    found = Workloads(running)
    found.control()
    yield found
    found.control()


@pytest.fixture(scope="module")
def cut(workloads: Workloads) -> dict[tuple[str, str], str]:
    """Return a workload for each fault, all at once."""
    placed = {}
    for name, how in POINTS:
        scenario, *_ = WAYS[name]
        placed[name, how] = deployment_id = workloads.place(scenario, start=False, choice=UNCHOSEN.get(name))
        if how:
            workloads.stack.inject(
                name, how if how in WHENS else "before", "kill" if how in WHENS else how, deployment_id
            )
    twice = placed["twice", ""]

    def start(deployment_id: str) -> None:
        workloads.start(deployment_id)
        if deployment_id == twice:
            workloads.start(deployment_id, again=True)

    # Those that no bids come for wait longest, though no longer than they need to look for some.
    slowest_first = sorted(placed, key=lambda point: WAYS[point[0]][2] is None)
    in_vain = [placed[point] for point in placed if WAYS[point[0]][2] == "BID_TIMEOUT"]

    workloads.stack.follow(
        [placed[point] for point in slowest_first], start, SETTLED, meanwhile=lambda: workloads.hurry(in_vain)
    )
    return placed


@pytest.mark.parametrize(("name", "how"), POINTS)
def test_a_fault_on_the_way(workloads: Workloads, cut: dict[tuple[str, str], str], name: str, how: str) -> None:
    """A kill at a boundary, a refusal or a lost answer of AWS, a slow or unheard network, a second execution."""
    deployment_id = cut[name, how]
    _, status, code = WAYS[name]
    workloads.assert_settled(deployment_id, status, code)
    assert workloads.stack.waits_for(deployment_id) == [], "the fault did not trigger"
    if name == "twice":
        assert len(workloads.ledger(deployment_id)) == 1


def _events(stack: FaultyStack, deployment_id: str) -> list[str]:
    """Return what happened to a workload, by name."""
    of_it = Key("pk").eq(f"DEPLOYMENT#{deployment_id}") & Key("sk").begins_with("EVENT#")
    return [str(item["event"]) for item in stack.jobs.query(KeyConditionExpression=of_it, ConsistentRead=True)["Items"]]


def _until_event(stack: FaultyStack, deployment_id: str, name: str) -> None:
    eventually(lambda: _events(stack, deployment_id), lambda events: name in events, within=PATIENCE_SECONDS, every=0.2)


def _offered(url: str, headers: dict[str, str]) -> dict[str, Any]:
    """Return the bids as soon as they wait for a choice."""
    found: dict[str, Any] = eventually(
        lambda: httpx.get(url, headers=headers, timeout=30).json(),
        lambda offer: offer["choice"]["status"] == "awaiting_choice",
        within=PATIENCE_SECONDS,
        every=0.2,
    )
    return found


def test_changes_are_cut_at_every_step(workloads: Workloads) -> None:
    """What was asked for happens, once, to the one lease that there is."""
    stack, owner = workloads.stack, workloads.stack.session("user")
    placed = {(name, when): workloads.place() for name in CHANGES for when in WHENS}
    for (name, when), deployment_id in placed.items():
        workloads.assert_settled(deployment_id, "active")
        stack.inject(name, when, "kill", deployment_id)
        method, path, _ = CHANGES[name]
        changed = {"sdl": sdl_with({"id": deployment_id}, "CHANGED=yes")} if method == "PUT" else {"amount": "1"}
        url = f"{stack.described['api']}/api/deployments/{deployment_id}{path}"
        answer = httpx.request(method, url, json=changed, headers={"authorization": f"Bearer {owner}"}, timeout=30)
        assert answer.status_code == 202, answer.text
    for (name, _), deployment_id in placed.items():
        _until_event(stack, deployment_id, CHANGES[name][2])
        item = workloads.assert_settled(deployment_id, "active")
        assert stack.waits_for(deployment_id) == [], "the fault did not trigger"
        (entry,) = workloads.ledger(deployment_id)
        topped_up = name == "akash_deploy:top_up"
        assert (item["deposit"], float(entry["deposit"])) == (("6", 6e6) if topped_up else ("5", 5e6))


def test_a_choice_is_cut_before_and_after(workloads: Workloads) -> None:
    """The owner's choice counts, once, whatever becomes of the task that waits for it or of the one that finds it."""
    stack, owner = workloads.stack, workloads.stack.session("user")
    url, headers = f"{stack.described['api']}/api/deployments", {"authorization": f"Bearer {owner}"}
    steps = ("akash_deploy:choose", "akash_deploy:lease")
    placed = {
        (name, when): workloads.place(start=False, choice={"within": 240, "unchosen": "close"})
        for name in steps
        for when in WHENS
    }
    for (name, when), deployment_id in placed.items():
        stack.inject(name, when, "kill", deployment_id)
        workloads.start(deployment_id)
    for (name, _), deployment_id in placed.items():
        offer = _offered(f"{url}/{deployment_id}/bids", headers)
        # A choice at once is found before the owner is waited for.
        if name == steps[0]:
            eventually(partial(stack.waits_for, deployment_id), lambda faults: not faults, within=PATIENCE_SECONDS)
        wanted = [bid["provider"] for bid in offer["bids"] if bid["acceptable"]][-1]
        for _ in range(2):
            answer = httpx.post(
                f"{url}/{deployment_id}/bids", json={"providers": [wanted]}, headers=headers, timeout=30
            )
            assert answer.status_code == 202, answer.text
        item = workloads.assert_settled(deployment_id, "active")
        assert item["chosen_by"] == "owner"
        (entry,) = workloads.ledger(deployment_id)
        assert [lease["provider"] for lease in entry["leases"]] == [wanted]
        assert _events(stack, deployment_id).count("bid_chosen") == 1
        assert stack.waits_for(deployment_id) == [], "the fault did not trigger"


def test_workloads_with_faults_left_nothing_open(workloads: Workloads, cut: dict[tuple[str, str], str]) -> None:
    for deployment_id in cut.values():
        workloads.settled(deployment_id)
    workloads.sweep(cut.values())


def _unowned(workloads: Workloads) -> str:
    """Return a workload that ended, and a deployment that its create made without anybody hearing of it."""
    lost = {"faults": [UNHEARD, {"call": "create", "action": "payment_required"}]}
    deployment_id = workloads.place(lost, **UNCERTAIN)
    workloads.settled(deployment_id)
    time.sleep(6.5)  # noqa: TID251 (a deployment counts as an orphan only when it is so old)
    return deployment_id


@pytest.mark.parametrize("kills", together_and_alone(*IN_RECONCILE))
def test_reconcile_is_killed_while_it_mends(workloads: Workloads, kills: list[tuple[str, str]]) -> None:
    stack = workloads.stack
    wanted = {name for name, _ in kills}
    mended = [_unowned(workloads)] if "CloseOrphan" in wanted else []
    if wanted != {"CloseOrphan"}:
        mended.append(workloads.place(start=False))
        stack.change(mended[-1], open_until="2020-01-01T00:00:00.000Z")
    faults = [stack.inject(*kill) for kill in kills]
    stack.reconcile()
    assert not any(fault.exists() for fault in faults)
    for deployment_id in mended:
        workloads.settled(deployment_id)
    workloads.sweep(mended)


def test_an_execution_that_is_stopped_is_started_again(workloads: Workloads) -> None:
    stack = workloads.stack
    deployment_id = workloads.place({"bids": {"delay": 20}})
    eventually(lambda: stack.deployment(deployment_id), lambda item: "dseq" in item, within=PATIENCE_SECONDS)
    assert stack.stop("AkashDeployArn", deployment_id)
    stack.tally.did("stop", job_id=deployment_id)
    stack.change(deployment_id, open_until="2020-01-01T00:00:00.000Z")
    stack.reconcile()
    workloads.assert_settled(deployment_id, "active")
    assert len(workloads.ledger(deployment_id)) == 1


@pytest.mark.long
def test_many_at_once_while_the_network_misbehaves(workloads: Workloads) -> None:
    """20 % of the creates happen and nobody hears of it, 10 % of all calls are refused for the moment."""
    count = int(os.environ.get("SLIPWAY_FAULT_WORKLOADS") or 50)
    seed = workloads.stack.tally.seed
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
