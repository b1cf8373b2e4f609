"""The tasks of launches in one process, without the engine's Lambda and Step Functions.

``python -m bench.launch_tasks --stack FILE [--endpoint URL] [--node URL]`` works on the launches whose ids it reads
from its input, one a line, until each has ended. An error is what it is to a state machine: tried again, or the end.
"""

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import httpx

from local.chains import chain_entry

_LAUNCH_SECONDS = 600


def use(described: dict[str, Any], endpoint: str | None = None, node: str | None = None) -> None:
    """Point the library at a stack, before it is imported; AWS and the chain may answer elsewhere."""
    chain = described["chains"][0]
    os.environ.update(
        AWS_ENDPOINT_URL=endpoint or described["aws_endpoint"],
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
        CHAINS=json.dumps([chain_entry(node or chain["rpc_url"], chain_id=chain["chain_id"])]),
    )


def launcher(*, fresh: bool = False) -> Callable[[str], None]:
    """Return what works on a launch until it has ended, with connections of its own.

    Args:
        fresh: Whether each launch knows nothing of the chain's nodes, as a new execution environment.
    """
    from slipway.chain.json_rpc import JsonRpc
    from slipway.chain.kms_signer import KmsSigner
    from slipway.chain.nodes import forget_nodes
    from slipway.chain.signing import ChainSigning
    from slipway.chain.write_ahead import WriteAhead
    from slipway.configuration import chain_settings
    from slipway.errors import SlipwayError
    from slipway.jobs.failures import Failure
    from slipway.settings import deployer_key_ids
    from slipway.store import aws_client
    from slipway.tokens.model_source import CatalogueModels
    from slipway.tokens.rules import SIGNING, Step
    from slipway.tokens.signing import TokenSigning
    from slipway.tokens.workflow import TokenWorkflow

    chain = chain_settings().token_chain
    certificates = httpx.create_ssl_context()
    signers = [KmsSigner(aws_client("kms"), key_id) for key_id in deployer_key_ids()]

    def launch(deployment_id: str) -> None:
        if fresh:
            forget_nodes()
        # Execution environments share no connections either.
        rpc = JsonRpc(chain, httpx.Client(verify=certificates, timeout=60), deadline=60)
        signing = TokenSigning(ChainSigning(chain, rpc, WriteAhead(signers, chain, rpc)))
        workflow = TokenWorkflow(chain, rpc, CatalogueModels())
        operations = {Step.SIGN: signing.sign, Step.BUMP: signing.bump, Step.CANCEL: signing.cancel}
        asked, polls, failure, ends_at = False, 0, None, time.monotonic() + _LAUNCH_SECONDS
        while time.monotonic() < ends_at:
            try:
                result = workflow.work(deployment_id, failure, polls=polls, asked=asked)
                asked, polls, failure = result.step in SIGNING, polls + 1, None
                if result.step is Step.DONE:
                    return
                if asked:
                    operations[Step(result.step)](deployment_id)
                else:
                    time.sleep(result.pause_seconds)
            except SlipwayError as error:
                failure = Failure(error.code, error.message) if error.permanent else None
                time.sleep(random.uniform(0.1, 1))
        raise TimeoutError(deployment_id)

    for signer in signers:
        _ = signer.address
    return launch


def main() -> int:
    """Exit status 0 when every launch has ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack", type=Path, required=True)
    parser.add_argument("--endpoint")
    parser.add_argument("--node")
    parser.add_argument("--threads", type=int, default=16)
    given = parser.parse_args()
    use(json.loads(given.stack.read_text(encoding="utf-8")), given.endpoint, given.node)
    launch = launcher(fresh=True)
    # The figures that functions print for CloudWatch are not this program's.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), ThreadPoolExecutor(given.threads) as threads:
        list(threads.map(launch, sys.stdin.read().split()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
