"""The same launches without the local engine's Lambda and Step Functions: the tasks in this process, against anvil.

``python -m bench.token_launch_in_process [--launches N] [--stack .local/stack.json] [--json FILE]``: a thread a launch
does what the state machines do, over the running stack's tables, keys and chain, with connections of its own. What is
left of the engine is its DynamoDB and KMS.
Tells the chain part over that of the bare loop in the same run.
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
from typing import Any

import httpx

from bench.figures import Figure, report

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
        # The chain is on loopback.
        ALLOW_PRIVATE_NETWORK="true",
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
    """Exit status 0 when every launch was completed and the ratio is within its target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--launches", type=int, default=100)
    parser.add_argument("--stack", type=Path, default=Path(".local/stack.json"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    described = json.loads(given.stack.read_text(encoding="utf-8"))
    _use(described)

    from bench.token_launch import Slipway, bare_loop, over_bare_loop
    from slipway.addresses import to_checksum
    from slipway.chain.json_rpc import JsonRpc
    from slipway.chain.kms_signer import KmsSigner
    from slipway.chain.signing import ChainSigning
    from slipway.chain.write_ahead import WriteAhead
    from slipway.identity.models import Caller
    from slipway.jobs.store import RequestContext
    from slipway.settings import chain_settings, deployer_key_ids
    from slipway.store import aws_client
    from slipway.tokens.model_source import CatalogueModels
    from slipway.tokens.models import DeployTokenRequest, ModelMetadata, ModelState
    from slipway.tokens.rules import SIGNING, Step
    from slipway.tokens.service import token_service
    from slipway.tokens.signing import TokenSigning
    from slipway.tokens.store import save_model
    from slipway.tokens.workflow import TokenWorkflow

    chain = chain_settings().token_chain
    certificates = httpx.create_ssl_context()
    signers = [KmsSigner(aws_client("kms"), key_id) for key_id in deployer_key_ids()]
    for signer in signers:
        _ = signer.address
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

    def launch(deployment_id: str) -> None:
        # Execution environments share no connections either.
        rpc = JsonRpc(chain, httpx.Client(verify=certificates, timeout=60), deadline=60)
        signing = TokenSigning(ChainSigning(chain, rpc, WriteAhead(signers, chain, rpc)))
        workflow = TokenWorkflow(chain, rpc, CatalogueModels())
        asked, polls, ends_at = False, 0, time.monotonic() + _LAUNCH_SECONDS
        while time.monotonic() < ends_at:
            result = workflow.work(deployment_id, polls=polls, asked=asked)
            asked, polls = result.step in SIGNING, polls + 1
            if result.step is Step.DONE:
                return
            if asked:
                operations = {Step.SIGN: signing.sign, Step.BUMP: signing.bump, Step.CANCEL: signing.cancel}
                operations[Step(result.step)](deployment_id)
            else:
                time.sleep(result.pause_seconds)
        raise TimeoutError(deployment_id)

    print(f"Launching {given.launches} tokens in this process …", file=sys.stderr)
    # The figures that functions print for CloudWatch are not this program's.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), ThreadPoolExecutor(given.launches) as threads:
        ids = [request() for _ in range(given.launches)]
        list(threads.map(launch, ids))
    items = [slipway.item(deployment_id) for deployment_id in ids]
    chain_part = slipway.chain_seconds(items)
    administrator = next(account for account in slipway.accounts if account.role == "admin")
    outputs = described["outputs"]
    print("The same by a bare loop …", file=sys.stderr)
    bare = bare_loop(slipway.chain, administrator, outputs["model_registry"], outputs["token_manager"], given.launches)
    unfinished = sum(item["status"] != "completed" for item in items)
    name = "token_launch_in_process"
    figures = [
        Figure(f"{name}.not_completed", unfinished, 0, f"of {given.launches} launches"),
        *over_bare_loop(name, chain_part, bare),
    ]
    return 0 if report(figures, given.json) else 1


if __name__ == "__main__":
    sys.exit(main())
