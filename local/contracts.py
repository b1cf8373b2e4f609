"""Puts Slipway's contracts on the local chains and tells the deployed stack where they are.

`python -m local.contracts` runs beside the deployment: it imports the Ethereum packages, which takes seconds, and then
waits for the stack's outputs on its standard input. One JSON object goes in, `{"chains": {"<id>": "<rpc url>"},
"administrator_key", "outputs"}`, and one comes out, `{"model_registry", "token_manager"}` of the chain named first.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_ETHER = 10**18
_BLOCK_SECONDS = 1


def install(chain_id: int, rpc_url: str, administrator_key: str, registrars: list[str]) -> dict[str, str]:
    """Install on one chain, which mines each transaction at once until that is done, and then once a second."""
    from slipway.chain.install import install as install_contracts  # see main
    from slipway.chain.store import save_contracts

    installed = install_contracts(rpc_url, administrator_key, registrars, fund_wei=100 * _ETHER)
    _request(rpc_url, "evm_setIntervalMining", [_BLOCK_SECONDS])
    save_contracts(chain_id, installed.model_registry, installed.token_manager, registrars)
    return {"model_registry": installed.model_registry, "token_manager": installed.token_manager}


def _request(rpc_url: str, method: str, parameters: list[Any]) -> None:
    data = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
    request = urllib.request.Request(rpc_url, data=data, headers={"content-type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        if error := json.load(answer).get("error"):
            raise RuntimeError(f"{method}: {error}")


def main() -> int:
    """Install on every chain at the same time."""
    import boto3

    import slipway.chain.install  # the slow one, while the deployment goes on
    from slipway.chain.kms_signer import ethereum_address

    line = sys.stdin.readline()
    if not line:  # The deployment failed.
        return 1
    task = json.loads(line)
    os.environ["CONTROL_TABLE"] = task["outputs"]["ControlTableName"]
    kms = boto3.client("kms")
    registrars = [ethereum_address(kms, key_id) for key_id in task["outputs"]["DeployerKeyIds"].split(",")]
    key = task["administrator_key"]
    import slipway.chain.store  # noqa: F401 (reads the table's name; once, before the threads do)

    with ThreadPoolExecutor() as pool:
        results = [pool.submit(install, int(id_), url, key, registrars) for id_, url in task["chains"].items()]
        print(json.dumps(results[0].result()))
        for result in results:
            result.result()
    return 0


if __name__ == "__main__":
    sys.exit(main())
