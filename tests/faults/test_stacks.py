"""Stacks whose steps are killed at every boundary of ``stack_node`` and ``stack_api``.

At every moment: what ``endpoint.json`` serves is what the active node published. After each: the job ended with the
truth about it, and a stack has one deployment at most, which is open only where it should be.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.faults.boundaries import WHENS, steps, together_and_alone
from tests.faults.conftest import PATIENCE_SECONDS, FaultyStack
from tests.faults.stacks import NONSENSE, SERVED, Stacks
from tests.support.waiting import eventually

WORKFLOW = "stack_node"
AT_ONCE = 8
# Each boundary with what leads a job past it: operation, scenario, and how that ends.
NODE: dict[str, tuple[str, dict[str, Any], str]] = {
    "stack_node:withdraw": ("update", SERVED, "active"),
    "stack_node:place": ("deploy", SERVED, "active"),
    "stack_node:deploy": ("deploy", SERVED, "active"),
    "stack_node:discover": ("deploy", SERVED, "active"),
    "stack_node:probe": ("deploy", SERVED, "active"),
    "stack_node:publish": ("deploy", SERVED, "active"),
    "stack_node:roll": ("deploy", SERVED, "active"),
    "stack_node:update": ("update", SERVED, "active"),
    "stack_node:await": ("update", SERVED, "active"),
    "stack_node:close": ("deploy", NONSENSE, "failed"),
    "stack_node:end": ("deploy", NONSENSE, "failed"),
    "stack_node:closing": ("deploy", NONSENSE, "failed"),
    "stack_node:give_up": ("broken", SERVED, "failed"),
}
API: dict[str, tuple[str, dict[str, Any], str]] = {
    "stack_api:read": ("deploy", {}, "active"),
    "stack_api:place": ("deploy", {}, "active"),
    "stack_api:deploy": ("deploy", {}, "active"),
    "stack_api:finish": ("deploy", {}, "active"),
    "stack_api:update": ("update", {}, "active"),
    "stack_api:await": ("update", {}, "active"),
    "stack_api:close": ("delete", {}, "deleted"),
    "stack_api:end": ("delete", {}, "deleted"),
    "stack_api:closing": ("delete", {}, "deleted"),
    "stack_api:give_up": ("broken", {}, "failed"),
}
# While akash_deploy works for a stack, the stack's own execution is stopped: as soon as it waits, or when it need not.
RUN = "RunWorkload"
NESTED: dict[str, dict[str, tuple[str, dict[str, Any], str]]] = {
    "node": {f"{RUN} deploy": ("deploy", SERVED, "active"), f"{RUN} closing": ("deploy", NONSENSE, "failed")},
    "api": {f"{RUN} deploy": ("deploy", {}, "active"), f"{RUN} closing": ("delete", {}, "deleted")},
}
IN_RECONCILE = ("FindStacks", "ReconcileStack")
# Without a boundary of their own: two executions of one job, and a network that takes its time.
APART: dict[str, tuple[str, dict[str, Any], str]] = {
    "twice": ("deploy", SERVED, "active"),
    "slow": ("deploy", {**SERVED, "latency": {"*": 0.5}}, "active"),
}
WAYS = {"node": {**NODE, **NESTED["node"], **APART}, "api": {**API, **NESTED["api"], **APART}}
# Refusals and lost answers of AWS, by kind and boundary.
REFUSED = {
    "node": [
        ("stack_node:publish", "conflict"),
        ("stack_node:place", "conflict"),
        ("stack_node:publish", "throttle:kms.Sign"),
        ("stack_node:place", "throttle:any.GetItem"),
        ("stack_node:place", "die:TransactWriteItems"),
        ("stack_node:publish", "die:TransactWriteItems"),
        ("stack_node:discover", "throttle:any.GetItem"),
        ("stack_node:update", "die:TransactWriteItems"),
    ],
    "api": [
        ("stack_api:place", "conflict"),
        ("stack_api:read", "throttle:any.GetItem"),
        ("stack_api:finish", "die:TransactWriteItems"),
    ],
}
POINTS = {
    kind: [
        *((name, when) for name in (*sorted(steps(f"stack_{kind}")), *NESTED[kind]) for when in WHENS),
        *REFUSED[kind],
        *((name, "") for name in APART),
    ]
    for kind in ("node", "api")
}
Point = tuple[str, str]


@pytest.fixture(scope="module")
def stacks(running: FaultyStack) -> Stacks:
    return Stacks(running)


def _each(points: dict[Point, str], happens: Callable[[Point], None]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(happens, points))


def _cut(stacks: Stacks, kind: str, environment: str, point: Point) -> None:
    """Run a job with a fault of its own: a kill at a boundary, a stop while a nested execution runs, or a refusal."""
    name, how = point
    operation, scenario, _ = WAYS[kind][name]
    if operation in ("update", "delete"):
        assert stacks.run(environment, kind, "deploy", scenario)["status"] == "active"
    job_id = stacks.place(environment, kind, operation, scenario)
    if name not in (*NESTED[kind], *APART):
        stacks.stack.inject(name, how if how in WHENS else "before", "kill" if how in WHENS else how, job_id)
    stacks.start(environment, kind, job_id)
    if name == "twice":
        stacks.start(environment, kind, job_id, again=True)
    if name in NESTED[kind]:
        _stop(stacks, kind, environment, job_id, point)
    stacks.ended(environment, kind)


def _stop(stacks: Stacks, kind: str, environment: str, job_id: str, point: Point) -> None:
    """Stop a job while another execution works on its workload, before that one's end or right after it."""
    name, when = point
    step = name.removeprefix(f"{RUN} ")

    def is_there() -> bool:
        item = stacks.item(environment, kind)
        if when == "before":
            return bool(item["step"] == step)
        workload = stacks.stack.detail(item.get("deployment_id", "")) or {}
        return workload.get("status") in ({"active"} if step == "deploy" else {"closed", "error"})

    eventually(is_there, within=PATIENCE_SECONDS, every=0.05, what=lambda: stacks.item(environment, kind))
    # A run that has cut nothing here fails at its end, as every boundary has to be cut.
    if stacks.stack.stop({"node": "StackNodeArn", "api": "StackApiArn"}[kind], job_id):
        stacks.stack.tally.did("stop", job_id=job_id, boundary=(RUN, when))
    stacks.overdue(environment, kind)
    stacks.stack.reconcile()


@pytest.fixture(scope="module")
def nodes(stacks: Stacks) -> Iterator[dict[Point, str]]:
    """Yield a node for each fault, many at once, while what is served is watched."""
    placed = {point: f"n{uuid.uuid4().hex[:12]}" for point in POINTS["node"]}
    stop = threading.Event()
    watcher = threading.Thread(target=stacks.watch, args=(list(placed.values()), stop))
    watcher.start()
    try:
        _each(placed, lambda point: _cut(stacks, "node", placed[point], point))
        yield placed
    finally:
        stop.set()
        watcher.join(60)


def _ids(point: Point) -> str:
    return "-".join(part for part in point if part)


@pytest.mark.parametrize("point", POINTS["node"], ids=_ids)
def test_a_node_that_something_happens_to(stacks: Stacks, nodes: dict[Point, str], point: Point) -> None:
    stacks.assert_ended(nodes[point], "node", WAYS["node"][point[0]][2])
    assert stacks.stack.waits_for(stacks.item(nodes[point], "node")["job_id"]) == [], "the fault did not trigger"
    if point[1] not in WHENS or point[0] in NESTED["node"]:
        assert len(stacks.ledger(nodes[point], "node")) == 1


def test_nothing_stale_was_served(stacks: Stacks, nodes: dict[Point, str]) -> None:
    assert set(stacks.looks) - {"engine"} == {"200", "404"}
    assert stacks.served == []


@pytest.fixture(scope="module")
def apis(stacks: Stacks, nodes: dict[Point, str]) -> dict[Point, str]:
    """Return an API stack for each fault, in environments whose node came up."""
    up = [environment for point, environment in nodes.items() if WAYS["node"][point[0]][2] == "active"]
    placed = dict(zip(POINTS["api"], up, strict=False))
    assert len(placed) == len(POINTS["api"])
    _each(placed, lambda point: _cut(stacks, "api", placed[point], point))
    return placed


@pytest.mark.parametrize("point", POINTS["api"], ids=_ids)
def test_an_api_that_something_happens_to(stacks: Stacks, apis: dict[Point, str], point: Point) -> None:
    item = stacks.assert_ended(apis[point], "api", WAYS["api"][point[0]][2])
    assert stacks.stack.waits_for(item["job_id"]) == [], "the fault did not trigger"
    node = stacks.assert_ended(apis[point], "node", "active")
    if item["status"] == "active":
        assert item["endpoint"] == node["endpoint"]


@pytest.mark.parametrize("kills", together_and_alone(*IN_RECONCILE))
def test_reconcile_is_killed_while_it_mends(stacks: Stacks, kills: list[Point]) -> None:
    environment = f"n{uuid.uuid4().hex[:12]}"
    stacks.place(environment, "node", "deploy", SERVED)
    stacks.overdue(environment, "node")
    faults = [stacks.stack.inject(*kill) for kill in kills]
    stacks.stack.reconcile()
    assert not any(fault.exists() for fault in faults)
    stacks.assert_ended(environment, "node", "active")
    assert len(stacks.ledger(environment, "node")) == 1
