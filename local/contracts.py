"""Puts Slipway's contracts on the local chains and configures the deployed stack with their addresses.

`python -m local.contracts` runs beside the deployment: it imports the Ethereum packages, which takes seconds, and then
waits for the stack's outputs on its standard input. One JSON object goes in, `{"chains": {"<id>": "<rpc url>"},
"administrator_key", "operators", "holders", "outputs"}`, and one comes out, `{"model_registry", "token_manager",
"escrow", "usdc"}` of the chain named first. Only that one gets an escrow and test USDC, of which each holder receives
some.
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
_INSTALL_SECONDS = 60.0
# Each holder's first test USDC, in base units of six decimals.
_USDC = 10_000 * 10**6


def install(
    chain_id: int, rpc_url: str, administrator_key: str, registrars: list[str], escrow_for: dict[str, list[str]] | None
) -> dict[str, str]:
    """Install on one chain, which mines each transaction at once until that is done, and then once a second.

    ``escrow_for`` names the escrow's ``operators`` and the ``holders`` of test USDC; None installs neither.
    """
    from slipway.chain.install import install as install_contracts  # see main
    from slipway.chain.store import save_contracts, save_escrow

    installed = install_contracts(rpc_url, administrator_key, registrars, fund_wei=100 * _ETHER)
    addresses = {"model_registry": installed.model_registry, "token_manager": installed.token_manager}
    if escrow_for:
        operators = [*registrars, *escrow_for["operators"]]
        addresses |= _install_escrow(rpc_url, administrator_key, operators, escrow_for["holders"])
        save_escrow(chain_id, addresses["escrow"])
    mine_by_itself(rpc_url)
    save_contracts(chain_id, installed.model_registry, installed.token_manager, registrars)
    return addresses


def _install_escrow(rpc_url: str, administrator_key: str, operators: list[str], holders: list[str]) -> dict[str, str]:
    from slipway.chain.administration import Administration
    from slipway.chain.install_escrow import install_escrow

    administration = Administration(rpc_url, administrator_key, _INSTALL_SECONDS)
    usdc = administration.deploy("TestUSDC")
    token = administration.contract("TestUSDC", usdc)
    for holder in holders:
        administration.send(token.functions.mint(holder, _USDC))
    return {"escrow": install_escrow(rpc_url, administrator_key, usdc, operators), "usdc": usdc}


def mine_by_itself(rpc_url: str) -> None:
    """Let a chain make a block a second, transactions or not."""
    _request(rpc_url, "evm_setIntervalMining", [_BLOCK_SECONDS])


def _request(rpc_url: str, method: str, parameters: list[Any]) -> None:
    data = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
    request = urllib.request.Request(rpc_url, data=data, headers={"content-type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        if error := json.load(answer).get("error"):
            raise RuntimeError(f"{method}: {error}")


def main() -> int:
    """Install on every chain at the same time."""
    import boto3

    import slipway.chain.install_escrow  # the slow one, while the deployment goes on
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
        escrow_for = [{"operators": task["operators"], "holders": task["holders"]}, *[None] * len(task["chains"])]
        results = [
            pool.submit(install, int(id_), url, key, registrars, who)
            for (id_, url), who in zip(task["chains"].items(), escrow_for, strict=False)
        ]
        print(json.dumps(results[0].result()))
        for result in results:
            result.result()
    return 0


if __name__ == "__main__":
    sys.exit(main())
