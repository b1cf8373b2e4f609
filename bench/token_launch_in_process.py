"""The same launches without the local engine's Lambda and Step Functions: the tasks in this process, against anvil.

``python -m bench.token_launch_in_process [--launches N] [--stack .local/stack.json] [--json FILE]``: a thread a launch
does what the state machines do, over the running stack's tables, keys and chain, with connections of its own. What is
left of the engine is its DynamoDB and KMS.
Tells the chain part over that of the bare loop in the same run, the seconds of launches one after the other, and the
processor time of a transaction, the engine's apart.
"""

import argparse
import json
import os
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path

from bench.figures import Figure, report
from bench.launch_tasks import launcher, use
from bench.processor import used

_TARGET_OVER_BARE_LOOP, _TARGET_CPU_MS, _ALONE = 1.15, 60, 3


def main() -> int:
    """Exit status 0 when every launch was completed and the ratio is within its target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--launches", type=int, default=100)
    parser.add_argument("--stack", type=Path, default=Path(".local/stack.json"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    described = json.loads(given.stack.read_text(encoding="utf-8"))
    use(described)

    from bench.token_launch import Slipway, bare_loop, over_bare_loop, seconds_of
    from slipway.addresses import to_checksum
    from slipway.control.rules import percentile
    from slipway.identity.models import Caller
    from slipway.jobs.store import RequestContext
    from slipway.tokens.model_source import CatalogueModels
    from slipway.tokens.models import DeployTokenRequest, ModelMetadata, ModelState
    from slipway.tokens.service import token_service
    from slipway.tokens.store import save_model

    launch = launcher()
    slipway = Slipway(described)
    # A user of its own for each run, whose limit no other run has used.
    owner = to_checksum(f"0x{uuid.uuid4().hex}{uuid.uuid4().hex[:8]}")
    caller = Caller(owner, owner, frozenset({"user"}), "standard", None)
    service = token_service(CatalogueModels(), lambda *_: None)

    def request() -> str:
        model_id = f"inside-{uuid.uuid4().hex[:12]}"
        save_model(ModelMetadata(model_id, owner, (), ModelState.VALIDATED))
        body = DeployTokenRequest(model_id=model_id, user_address=owner, token_symbol="INSIDE")  # noqa: S106
        return service.request(caller, body, None, RequestContext("bench", None, "bench")).deployment_id

    print(f"Launching {given.launches} tokens in this process …", file=sys.stderr)
    # The figures that functions print for CloudWatch are not this program's.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), ThreadPoolExecutor(given.launches) as threads:
        alone = [request() for _ in range(_ALONE)]
        for deployment_id in alone:
            launch(deployment_id)
        ids = [request() for _ in range(given.launches)]
        before, engine_before = time.process_time(), used(described["aws_endpoint"])
        list(threads.map(launch, ids))
        own, engine = time.process_time() - before, used(described["aws_endpoint"]).since(engine_before).engine
    items = [slipway.item(deployment_id) for deployment_id in ids]
    chain_part = slipway.chain_seconds(items)
    administrator = next(account for account in slipway.accounts if account.role == "admin")
    outputs = described["outputs"]
    print("The same by a bare loop …", file=sys.stderr)
    bare = bare_loop(slipway.chain, administrator, outputs["model_registry"], outputs["token_manager"], given.launches)
    # Its creation and its registration.
    transactions = 2 * given.launches
    unfinished = sum(item["status"] != "completed" for item in items)
    name = "token_launch_in_process"
    figures = [
        Figure(f"{name}.not_completed", unfinished, 0, f"of {given.launches} launches"),
        Figure(
            f"{name}.alone_seconds",
            percentile([seconds_of(slipway.item(deployment_id)) for deployment_id in alone], 50) or 0,
            None,
            "s, accepted to completed, p50 of launches one after the other",
        ),
        Figure(f"{name}.cpu_ms", own * 1000 / transactions, _TARGET_CPU_MS, "ms of CPU a transaction"),
        Figure(f"{name}.engine_cpu_ms", engine * 1000 / transactions, None, "ms of CPU, the engine's"),
        *over_bare_loop(name, chain_part, bare, _TARGET_OVER_BARE_LOOP),
    ]
    return 0 if report(figures, given.json) else 1


if __name__ == "__main__":
    sys.exit(main())
