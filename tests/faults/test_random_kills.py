"""The long form: many launches at once, each cut at random points, while the node misbehaves at random.

A fault has struck when a function took it; a throttled call or a conflict may then hit that function's next launch.
The seed is printed, and SLIPWAY_FAULT_SEED repeats a run; SLIPWAY_FAULT_LAUNCHES says how many launches (200).
"""

import os
import random
import time
from collections import defaultdict
from pathlib import Path

import pytest

from tests.faults.boundaries import WHENS
from tests.faults.conftest import FINAL, FaultyStack
from tests.faults.test_token_launch import NODE, ON_THE_WAY

AT_ONCE = 12
END_SECONDS = 1500
ACTIONS = ("kill", "kill", "kill", "throttle:any.GetItem", "conflict", "die:TransactWriteItems")
# A node that is silent makes everything wait; one in so many launches is enough.
NODE_FAULT_SECONDS = 8


@pytest.mark.long
def test_random_kills(stack: FaultyStack) -> None:
    seed = int(os.environ.get("SLIPWAY_FAULT_SEED") or time.time_ns() % 10**9)
    launches = int(os.environ.get("SLIPWAY_FAULT_LAUNCHES") or 200)
    print(f"\nseed {seed}, {launches} launches")
    choose = random.Random(seed)
    waiting: list[tuple[str, str]] = []
    kinds: dict[str, str] = {}
    laid: dict[str, Path] = {}
    for _ in range(launches):
        boundary, when, action = choose.choice(ON_THE_WAY), choose.choice(WHENS), choose.choice(ACTIONS)
        when = when if action == "kill" else "before"
        deployment_id = stack.place(start=False)
        laid[deployment_id] = stack.lay(boundary, when, action, deployment_id)
        kinds[deployment_id] = f"{action} {when} {boundary}"
        waiting.append((deployment_id, kinds[deployment_id]))
    running: set[str] = set()
    ends_at = time.monotonic() + END_SECONDS
    next_node_fault = time.monotonic()
    while (waiting or running) and time.monotonic() < ends_at:
        while waiting and len(running) < AT_ONCE:
            deployment_id, _ = waiting.pop()
            stack.start(deployment_id)
            running.add(deployment_id)
        running = {one for one in running if stack.deployment(one)["status"] not in FINAL}
        if time.monotonic() > next_node_fault:
            method, action, left = choose.choice(NODE)
            stack.misbehave((method, action, left))
            next_node_fault = time.monotonic() + NODE_FAULT_SECONDS
        time.sleep(0.3)
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
        row[1] += not laid[deployment_id].exists()
        row[2] += tokens
        row[3] += max(0, tokens - 1)
        row[4] += item["status"] not in FINAL
        if item["status"] == "completed":
            assert stack.registered(deployment_id) == item["token_address"], deployment_id
        else:
            print(f"{deployment_id} {item['status']} {item.get('error_code')} {item.get('error_message')}: {kind}")
    total = [sum(column) for column in zip(*table.values(), strict=True)]
    print(f"{'fault':<56}{'launches':>8}{'struck':>8}{'tokens':>8}{'duplicates':>12}{'stuck':>7}")
    for kind, row in [*sorted(table.items()), ("all", total)]:
        print(f"{kind:<56}{row[0]:>8}{row[1]:>8}{row[2]:>8}{row[3]:>12}{row[4]:>7}")
    assert total == [launches, launches, launches, 0, 0]
