"""The long form: many jobs at once, each cut at random points, while the chain's node or Akash misbehaves at random.

A fault has triggered when a function took it; a throttled call or a conflict may then hit that function's next job.
The seed is printed, and SLIPWAY_FAULT_SEED repeats a run; SLIPWAY_FAULT_LAUNCHES, SLIPWAY_FAULT_WORKLOADS and
SLIPWAY_FAULT_STACKS say how many jobs (200, 60 and 20).
"""

import os
import random
import time
import uuid
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.faults import test_akash_deploy, test_stacks
from tests.faults.audits import FINAL, SETTLED
from tests.faults.boundaries import WHENS
from tests.faults.conftest import FaultyStack
from tests.faults.stacks import SERVED, Stacks
from tests.faults.test_token_launch import NODE, ON_THE_WAY
from tests.faults.workloads import Workloads

WORKFLOW = "token_deploy"

END_SECONDS = 1500
ACTIONS = ("kill", "kill", "kill", "throttle:any.GetItem", "conflict", "die:TransactWriteItems")
# A node that is silent makes everything wait; one in so many launches is enough.
NODE_FAULT_SECONDS = 8


@pytest.mark.long
def test_random_kills(stack: FaultyStack) -> None:
    launches = int(os.environ.get("SLIPWAY_FAULT_LAUNCHES") or 200)
    print(f"\nseed {stack.tally.seed}, {launches} launches")
    choose = random.Random(stack.tally.seed)
    kinds: dict[str, str] = {}
    injected: dict[str, Path] = {}
    for _ in range(launches):
        boundary, when, action = choose.choice(ON_THE_WAY), choose.choice(WHENS), choose.choice(ACTIONS)
        when = when if action == "kill" else "before"
        deployment_id = stack.place(start=False, supply=choose.random() < 0.5)
        injected[deployment_id] = stack.inject(boundary, when, action, deployment_id)
        kinds[deployment_id] = f"{action} {when} {boundary}"
    next_node_fault = time.monotonic()

    def misbehave() -> None:
        nonlocal next_node_fault
        if time.monotonic() > next_node_fault:
            stack.misbehave(choose.choice(NODE))
            next_node_fault = time.monotonic() + NODE_FAULT_SECONDS

    stack.follow(kinds, stack.start, FINAL, seconds=END_SECONDS, meanwhile=misbehave)
    stack.misbehave()
    # What a minute of reconcile would do by itself.
    stack.reconcile()
    stack.assert_nonces_are_contiguous(120)

    created = stack.tokens_by_name()
    table: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for deployment_id, kind in kinds.items():
        item = stack.deployment(deployment_id)
        tokens = len(created.get(item["token_name"], []))
        row = table[kind]
        row[0] += 1
        row[1] += not injected[deployment_id].exists()
        row[2] += tokens
        row[3] += max(0, tokens - 1)
        row[4] += item["status"] not in FINAL
        if item["status"] == "completed":
            assert stack.registered(deployment_id) == item["token_address"], deployment_id
        else:
            print(f"{deployment_id} {item['status']} {item.get('error_code')} {item.get('error_message')}: {kind}")
    total = [sum(column) for column in zip(*table.values(), strict=True)]
    print(f"{'fault':<56}{'launches':>8}{'triggered':>8}{'tokens':>8}{'duplicates':>12}{'stuck':>7}")
    for kind, row in [*sorted(table.items()), ("all", total)]:
        print(f"{kind:<56}{row[0]:>8}{row[1]:>8}{row[2]:>8}{row[3]:>12}{row[4]:>7}")
    assert total == [launches, launches, launches, 0, 0]


# A quarter gets no bids and is closed, a quarter's create, lease or close is done and not heard of.
UNHEARD = [{"faults": [{**test_akash_deploy.UNHEARD, "call": call}]} for call in ("create", "lease", "close")]
SCENARIOS: list[tuple[dict[str, Any], str, str | None]] = [({}, "active", None)] * 6 + [
    (test_akash_deploy.NO_BIDS, "error", "BID_TIMEOUT")
] * 3
SCENARIOS += [(scenario, "active", None) for scenario in UNHEARD]


@pytest.mark.long
def test_random_kills_of_workloads(stack: FaultyStack) -> None:
    """Each workload has three faults somewhere on its way; those off its way don't trigger."""
    count = int(os.environ.get("SLIPWAY_FAULT_WORKLOADS") or 60)
    workloads = Workloads(stack)
    workloads.control()
    choose = random.Random(f"{stack.tally.seed} workloads")
    waiting: dict[str, tuple[str, str | None]] = {}
    for _ in range(count):
        scenario, status, code = choose.choice(SCENARIOS)
        deployment_id = workloads.place(scenario, start=False)
        waiting[deployment_id] = status, code
        for _ in range(3):
            _lay_at_random(stack, choose, list(test_akash_deploy.ON_THE_WAY), deployment_id)
    stack.follow(waiting, workloads.start, SETTLED, seconds=END_SECONDS)
    ends = Counter[str]()
    for deployment_id, (status, code) in waiting.items():
        item = workloads.settled(deployment_id)
        # Three faults may take so long that the bids' time is over: then that is the truth, and the audit checks it.
        if item.get("error_code") != "BID_TIMEOUT":
            workloads.assert_settled(deployment_id, status, code)
        ends[f"{item['status']} {item.get('error_code', '')}"] += 1
    print(dict(ends))
    workloads.sweep(waiting)


def _lay_at_random(stack: FaultyStack, choose: random.Random, boundaries: list[str], job_id: str) -> None:
    action = choose.choice(ACTIONS)
    stack.inject(choose.choice(boundaries), choose.choice(WHENS) if action == "kill" else "before", action, job_id)


@pytest.mark.long
def test_random_kills_of_stacks(stack: FaultyStack) -> None:
    """Each environment's node, and then its API, is brought up, updated and torn down with three faults in each job."""
    count = int(os.environ.get("SLIPWAY_FAULT_STACKS") or 20)
    stacks = Stacks(stack)
    choose = random.Random(f"{stack.tally.seed} stacks")
    seeds = {f"n{uuid.uuid4().hex[:12]}": choose.random() for _ in range(count)}

    def live(environment: str) -> None:
        own = random.Random(seeds[environment])
        for kind, operation, status in LIVES:
            scenario = SERVED if kind == "node" else {}
            job_id = stacks.place(environment, kind, operation, scenario)
            for _ in range(3):
                _lay_at_random(stack, own, list({"node": test_stacks.NODE, "api": test_stacks.API}[kind]), job_id)
            stacks.start(environment, kind, job_id)
            stacks.assert_ended(environment, kind, status)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(live, seeds))


LIVES = [
    ("node", "deploy", "active"),
    ("api", "deploy", "active"),
    ("node", "update", "active"),
    ("api", "update", "active"),
    ("api", "delete", "deleted"),
    ("node", "delete", "deleted"),
]
