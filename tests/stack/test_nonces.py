"""Races for an account's nonce, on a DynamoDB that is exact under concurrency."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import Any

import pytest

from local.engine.server import CREDENTIALS
from local.paths import ROOT

JOBS = 30


# Without a line it took 80 to 100 and 135 to 215. Of two copies of a job one signs in vain, and those behind it have
# guessed a nonce too high.
@pytest.mark.parametrize(("copies", "calls", "most_signatures"), [(1, 1, 2), (2, 1, 5), (1, 2, 4)])
def test_jobs_that_all_come_at_once_take_their_nonces_and_sign_little_in_vain(
    stack: Any, copies: int, calls: int, most_signatures: int
) -> None:
    environment = {
        **CREDENTIALS,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'layers' / 'slipway'}{os.pathsep}{ROOT}",
        "AWS_ENDPOINT_URL": stack.aws_endpoint,
        "AWS_DEFAULT_REGION": stack.described["region"],
        "JOBS_TABLE": stack.outputs["JobsTableName"],
        "CONTROL_TABLE": stack.outputs["ControlTableName"],
    }
    chain_id = str(random.randrange(10**6, 10**9))
    command = [sys.executable, "-m", "tests.support.nonce_race", chain_id, str(JOBS), str(copies), str(calls)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    race = json.loads(done.stdout.splitlines()[-1])
    assert (race["jobs"], race["transactions"]) == (JOBS, JOBS * calls)
    for nonces in race["nonces"].values():
        assert nonces == list(range(7, 7 + len(nonces)))
    assert sum(len(nonces) for nonces in race["nonces"].values()) == JOBS * calls
    assert JOBS * calls <= race["signatures"] <= most_signatures * JOBS, race
