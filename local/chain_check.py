"""`make chain-check`: `python -m slipway.chain.check` for the chains in CHAINS, or else those of the local stack."""

from __future__ import annotations

import json
import os
import sys

from local import stack
from local.chains import chain_entry
from local.paths import StateDirectory


def _use_local_stack() -> bool:
    described = StateDirectory.from_environment().stack_file
    if not described.is_file():
        return False
    found = stack.read(described)
    chains = [
        chain_entry(chain["rpc_url"], chain_id=chain["chain_id"], name=f"local {chain['chain_id']}")
        for chain in found["chains"]
    ]
    os.environ.update(
        CHAINS=json.dumps(chains),
        TOKEN_CHAIN_ID=str(chains[0]["chain_id"]),
        CONTROL_TABLE=found["outputs"]["ControlTableName"],
        AWS_ENDPOINT_URL=found["aws_endpoint"],
        AWS_DEFAULT_REGION=found["region"],
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",  # noqa: S106 (the local engine's)
        ALLOW_PRIVATE_NETWORK="true",
    )
    return True


def main() -> int:
    """Check the chains; exit status 2 when there are none to check."""
    if "CHAINS" not in os.environ and not _use_local_stack():
        print("Set CHAINS and TOKEN_CHAIN_ID, or start the local stack", file=sys.stderr)
        return 2
    from slipway.chain.check import main as check

    return check(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
