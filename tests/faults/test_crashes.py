"""Workers and the database die together, again and again, with work outstanding; the chain says what came of it.

The workers run the tasks of launches in processes of their own. Their database is the engine's, behind a server of
which each death cuts every connection: what was under way may have been done and is not heard of. What was written
stays, as DynamoDB keeps it. The long form has 300 launches (SLIPWAY_FAULT_CRASH_LAUNCHES) and eight deaths.
"""

from __future__ import annotations

import os
import random
import time

import pytest
from web3 import Web3

from tests.faults.audits import FINAL
from tests.faults.conftest import FaultyStack
from tests.faults.launch_workers import Workers, place

WORKFLOW = "token_deploy"
END_SECONDS = 1500


def _crash(stack: FaultyStack, launches: int, deaths: int, threads: int) -> None:
    placed = [place(stack) for _ in range(launches)]
    choose = random.Random(stack.tally.seed)
    workers = Workers(stack, "--threads", str(threads))
    began, ends_at = time.monotonic(), time.monotonic() + END_SECONDS
    killed_at: list[int] = []
    open_nonces: list[int] = []

    def outstanding() -> list[str]:
        return [one for one in placed if stack.deployment(one)["status"] not in FINAL]

    try:
        left = placed
        while left and time.monotonic() < ends_at:
            workers.start(left)
            if len(killed_at) < deaths:
                # Each life gets its share of the work under way, and ends somewhere in it.
                wanted = _signed(stack) + choose.uniform(0.5, 1) * 2 * launches / (deaths + 2)
                while workers.work and not (_signed(stack) >= wanted and _open_nonces(stack)):
                    workers.wait(0.05)
                workers.kill()
                stack.tally.did("workers and database killed", workflow=WORKFLOW)
                open_nonces.append(_open_nonces(stack))
            else:
                workers.wait(ends_at - time.monotonic())
                workers.kill()
            left = outstanding()
            if len(killed_at) < deaths:
                killed_at.append(len(left))
    finally:
        workers.kill()
    print(f"{launches} launches, {time.monotonic() - began:.0f} s, outstanding at each death {killed_at},")
    print(f"nonces signed and not mined then {open_nonces}")
    assert len(killed_at) == deaths
    assert all(killed_at)
    assert any(open_nonces), "no death found anything signed and not mined"
    assert outstanding() == []
    for deployment_id in placed:
        stack.assert_launched_once(deployment_id)
    stack.assert_nonces_are_contiguous()
    created = stack.tokens_by_name()
    assert [len(created[stack.deployment(one)["token_name"]]) for one in placed] == [1] * launches
    used = sum(stack.chain.eth.get_transaction_count(Web3.to_checksum_address(one)) for one in stack.deployers)
    print(f"{launches} tokens, each once; {used} nonces used, no gap")


def _signed(stack: FaultyStack) -> int:
    """How many nonces were signed for."""
    keys = [{"pk": f"SIGNER#31337#{address}", "sk": "NONCE"} for address in stack.deployers]
    return sum(int(stack.control.get_item(Key=key).get("Item", {}).get("next_nonce", 0)) for key in keys)


def _open_nonces(stack: FaultyStack) -> int:
    """How many nonces are signed and not mined."""
    return sum(given - mined for given, mined in stack.nonce_gaps().values())


def test_workers_and_database_die_with_work_outstanding(stack: FaultyStack) -> None:
    _crash(stack, 24, 2, threads=3)


@pytest.mark.long
def test_workers_and_database_die_eight_times(stack: FaultyStack) -> None:
    _crash(stack, int(os.environ.get("SLIPWAY_FAULT_CRASH_LAUNCHES") or 300), 8, threads=12)
