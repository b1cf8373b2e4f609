"""Launches whose node answers with what nodes and gateways say, at any call: each ends completed, with one token.

The long form launches 200 (SLIPWAY_FAULT_LAUNCHES) by workers of its own, and goes on until every text was said at
every call of a launch.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from typing import Any

import pytest

from slipway.chain.rpc_errors import Refusal, Verdict, classify
from tests.faults.audits import FINAL
from tests.faults.conftest import STATE, FaultyStack
from tests.faults.launch_workers import Workers, place
from tests.unit.test_rpc_errors import REFUSALS

WORKFLOW = "token_deploy"
END_SECONDS = 2400
_AT_ONCE = 100
# Of the local chains; what a node wants over it is waited for, and not completed.
CAP = 200 * 10**9 // 3
# What a launch asks.
CALLS = {
    "eth_chainId",
    "eth_sendRawTransaction",
    "eth_call",
    "eth_estimateGas",
    "eth_getTransactionReceipt",
    "eth_getTransactionByHash",
    "eth_feeHistory",
    "eth_maxPriorityFeePerGas",
    "eth_getBalance",
    "eth_getBlockByNumber",
    "eth_blockNumber",
}


def _texts() -> list[dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for case in REFUSALS:
        refusals = [Refusal(call, case["status"], case["code"], case["message"], case.get("data")) for call in CALLS]
        judged = {refusal.method: classify(refusal) for refusal in refusals}
        if all(classification.least_tip < CAP for classification in judged.values()):
            fails = [call for call, classification in judged.items() if classification.verdict is Verdict.FINAL]
            found[case["message"], case["status"], case["code"]] = {**case, "fails": fails}
    return list(found.values())


def _says(stack: FaultyStack) -> None:
    file = STATE / "texts.json"
    file.write_text(json.dumps(_texts()), encoding="utf-8")
    stack.misbehave(("*", f"texts:{file}", 1))
    stack.tally.did("node says what nodes say", workflow=WORKFLOW)


def _served() -> dict[str, list[int]]:
    """How many different texts each method got, of how many, and how many in all."""
    found: dict[str, list[int]] = json.loads((STATE / "served.json").read_text(encoding="utf-8"))
    return found


def _left() -> dict[str, int]:
    served = _served()
    return {call: served[call][1] - served[call][0] if call in served else -1 for call in CALLS}


def _assert_completed(stack: FaultyStack, placed: list[str]) -> None:
    stack.misbehave()
    print(dict(Counter(stack.deployment(one)["status"] for one in placed)))
    for deployment_id in placed:
        stack.assert_launched_once(deployment_id)
    stack.assert_nonces_are_contiguous()
    created = stack.tokens_by_name()
    assert sum(len(created[stack.deployment(one)["token_name"]]) for one in placed) == len(placed)


def test_a_node_says_what_nodes_say_at_random(stack: FaultyStack) -> None:
    _says(stack)
    placed = [stack.place(start=False) for _ in range(12)]
    stack.follow(placed, stack.start, FINAL, seconds=END_SECONDS)
    _assert_completed(stack, placed)
    served = _served()
    assert set(served) >= CALLS, served
    assert sum(count for _, _, count in served.values()) > 50, served


@pytest.mark.long
def test_every_text_at_every_call(stack: FaultyStack) -> None:
    """None fails that should not; 0 lost, 0 duplicates, 0 stuck is for the audit at the end to see as well."""
    _says(stack)
    placed: list[str] = []
    wanted, ends_at = int(os.environ.get("SLIPWAY_FAULT_LAUNCHES") or 200), time.monotonic() + END_SECONDS
    while (len(placed) < wanted or any(_left().values())) and time.monotonic() < ends_at:
        more = [place(stack) for _ in range(_AT_ONCE)]
        placed += more
        workers = Workers(stack, "--node", stack.node)
        workers.start(more)
        try:
            workers.wait(ends_at - time.monotonic())
        finally:
            workers.kill()
        print(f"{len(placed)} launches; texts still to be said at each call: {_left()}", flush=True)
    print(f"texts said at each call, of how many, in all: {_served()}")
    _assert_completed(stack, placed)
    assert not any(_left().values()), _left()
