"""Launches whose node answers with what nodes and gateways say, at any call: each ends completed, with one token.

The long form launches 200 (SLIPWAY_FAULT_LAUNCHES) and goes on until every text was said at every call of a launch.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from typing import Any

import pytest

from slipway.chain.verdicts import Refusal, judge
from tests.faults.audits import FINAL
from tests.faults.conftest import STATE, FaultyStack
from tests.unit.test_verdicts import REFUSALS

WORKFLOW = "token_deploy"
END_SECONDS = 2400
# Of the local chains; what a node wants over it is waited for, and not completed.
CAP = 200 * 10**9 // 3
# What a launch asks. Each process asks for the chain's id once, so few processes get all texts for that.
CALLS = {
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
    found = {}
    for case in REFUSALS:
        refusal = Refusal("eth_sendRawTransaction", case["status"], case["code"], case["message"], case.get("data"))
        if judge(refusal).least_tip < CAP:
            found[case["message"], case["status"], case["code"]] = case
    return list(found.values())


def _says(stack: FaultyStack) -> None:
    file = STATE / "texts.json"
    file.write_text(json.dumps(_texts()), encoding="utf-8")
    stack.misbehave(("*", f"texts:{file}", 10**9))


def _dealt() -> dict[str, list[int]]:
    """How many different texts each method got, of how many, and how many in all."""
    found: dict[str, list[int]] = json.loads((STATE / "dealt.json").read_text(encoding="utf-8"))
    return found


def _left() -> dict[str, int]:
    dealt = _dealt()
    return {call: dealt[call][1] - dealt[call][0] if call in dealt else -1 for call in CALLS}


def _launched(stack: FaultyStack, launches: int) -> list[str]:
    placed = [stack.place(start=False) for _ in range(launches)]
    stack.follow(placed, stack.start, FINAL, seconds=END_SECONDS)
    return placed


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
    _assert_completed(stack, _launched(stack, 12))
    dealt = _dealt()
    assert set(dealt) >= CALLS, dealt
    assert sum(count for _, _, count in dealt.values()) > 50, dealt


@pytest.mark.long
def test_every_text_at_every_call(stack: FaultyStack) -> None:
    """None fails that should not; 0 lost, 0 duplicates, 0 stuck is for the audit at the end to see as well."""
    _says(stack)
    placed = _launched(stack, int(os.environ.get("SLIPWAY_FAULT_LAUNCHES") or 200))
    ends_at = time.monotonic() + END_SECONDS
    while any(_left().values()) and time.monotonic() < ends_at:
        placed += _launched(stack, 20)
    print(f"{len(placed)} launches; texts said at each call, of how many, in all: {_dealt()}")
    _assert_completed(stack, placed)
    assert not any(_left().values()), _left()
