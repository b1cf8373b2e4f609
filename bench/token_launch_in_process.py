"""The same launches without the local engine's Lambda and Step Functions: the tasks in this process, against anvil.

``python -m bench.token_launch_in_process [--launches N] [--stack .local/stack.json]``: a thread a launch does what the
state machines do, over the running stack's tables, keys and chain. What is left of the engine is its DynamoDB and KMS.
Prints JSON with the chain part over that of the bare loop in the same run.
"""

import argparse
import json
import os
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

_LAUNCH_SECONDS = 600


def _use(described: dict[str, Any]) -> None:
    """Point the library at the stack; it reads its settings when it is imported."""
    chain = described["chains"][0]
    os.environ.update(
        AWS_ENDPOINT_URL=described["aws_endpoint"],
        AWS_DEFAULT_REGION=described["region"],
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",  # noqa: S106 (the local engine's)
        JOBS_TABLE=described["outputs"]["JobsTableName"],
        CONTROL_TABLE=described["outputs"]["ControlTableName"],
        TOKEN_CHAIN_ID=str(chain["chain_id"]),
        DEPLOYER_KEY_IDS=described["outputs"]["DeployerKeyIds"],
        LAUNCH_LIMITS='{"standard": {"hour": 100000, "day": 100000}}',
        POWERTOOLS_LOG_LEVEL="CRITICAL",
        POWERTOOLS_METRICS_DISABLED="true",
        CHAINS=json.dumps(
            [
                {
                    "chain_id": chain["chain_id"],
                    "name": "local",
                    "rpc_urls": [chain["rpc_url"]],
                    "confirmations": 2,
                    "block_seconds": 1,
                    "max_fee_per_gas": "200000000000",
                }
            ]
        ),
    )


def main() -> int:
    """Exit status 0 when every launch was completed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--launches", type=int, default=100)
    parser.add_argument("--stack", type=Path, default=Path(".local/stack.json"))
    given = parser.parse_args()
    described = json.loads(given.stack.read_text(encoding="utf-8"))
    _use(described)

    from bench.token_launch import Slipway, bare_loop
    from slipway.chain.json_rpc import JsonRpc
    from slipway.chain.kms_signer import KmsSigner
    from slipway.chain.write_ahead import WriteAhead
    from slipway.identity.models import Caller
    from slipway.jobs.store import RequestContext
    from slipway.settings import chain_settings, deployer_key_ids
    from slipway.store import aws_client
    from slipway.tokens.model_source import CatalogueModels
    from slipway.tokens.models import DeployTokenRequest, ModelMetadata, ModelState, Purpose
    from slipway.tokens.service import token_service
    from slipway.tokens.signing import TokenSigning
    from slipway.tokens.store import save_model
    from slipway.tokens.workflow import TokenWorkflow

    chain = chain_settings().token_chain
    http = httpx.Client(limits=httpx.Limits(max_connections=given.launches), timeout=60)
    rpc = JsonRpc(chain, http, deadline=60)
    signers = [KmsSigner(aws_client("kms"), key_id) for key_id in deployer_key_ids()]
    for signer in signers:
        _ = signer.address
    signing = TokenSigning(chain, rpc, WriteAhead(signers, rpc))
    workflow = TokenWorkflow(chain, rpc, CatalogueModels())
    slipway = Slipway(described)
    owner = next(account for account in slipway.accounts if account.role == "user").address
    caller = Caller(owner, owner, frozenset({"user"}), "standard", None)
    service = token_service(CatalogueModels(), lambda *_: None)
    ids = []
    for _ in range(given.launches):
        model_id = f"inside-{uuid.uuid4().hex[:12]}"
        save_model(ModelMetadata(model_id, owner, (), ModelState.VALIDATED))
        body = DeployTokenRequest(model_id=model_id, user_address=owner, token_symbol="INSIDE")  # noqa: S106
        ids.append(service.request(caller, body, None, RequestContext("bench", None, "bench")).deployment_id)

    def transact(deployment_id: str, purpose: Purpose) -> None:
        signing.sign(deployment_id, purpose)
        workflow.broadcast(deployment_id, purpose)
        polls, pause = 0, 1
        ends_at = time.monotonic() + _LAUNCH_SECONDS
        while time.monotonic() < ends_at:
            time.sleep(pause)
            look = workflow.confirm(deployment_id, purpose, polls)
            polls, pause = polls + 1, look.pause_seconds
            if look.progress == "confirmed":
                return
            if look.progress == "missing":
                workflow.broadcast(deployment_id, purpose)
        raise TimeoutError(deployment_id)

    def launch(deployment_id: str) -> None:
        workflow.check(deployment_id)
        transact(deployment_id, "deploy")
        workflow.check_registration(deployment_id)
        transact(deployment_id, "register")
        workflow.complete(deployment_id)

    print(f"Launching {given.launches} tokens in this process …", file=sys.stderr)
    with ThreadPoolExecutor(given.launches) as threads:
        list(threads.map(launch, ids))
    items = [slipway.item(deployment_id) for deployment_id in ids]
    chain_part = slipway.chain_seconds(items)
    administrator = next(account for account in slipway.accounts if account.role == "admin")
    outputs = described["outputs"]
    print("The same by a bare loop …", file=sys.stderr)
    bare = bare_loop(slipway.chain, administrator, outputs["model_registry"], outputs["token_manager"], given.launches)
    completed = sum(item["status"] == "completed" for item in items)
    result = {
        "launches": given.launches,
        "completed": completed,
        "chain_seconds": round(chain_part, 1),
        "bare_loop_seconds": round(bare, 1),
        "over_bare_loop": round(chain_part / bare, 2),
    }
    print(json.dumps(result, indent=2))
    return 0 if completed == given.launches else 1


if __name__ == "__main__":
    sys.exit(main())
