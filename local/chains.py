"""The development chains: how each is described to Slipway, as an entry of the template's parameter Chains."""

from __future__ import annotations

from typing import Any

TOKEN_CHAIN = 31337
SECOND_CHAIN = 5001


def chain_entry(*rpc_urls: str, **changes: Any) -> dict[str, Any]:
    """Describe a development chain, the tokens' own unless the changes say otherwise.

    Args:
        rpc_urls: Addresses of its nodes.
        changes: Fields that differ, and others that a chain may have.
    """
    return {
        "chain_id": TOKEN_CHAIN,
        "name": "local",
        "rpc_urls": list(rpc_urls),
        "explorer_url": None,
        "confirmations": 2,
        "block_seconds": 1,
        "max_fee_per_gas": "200000000000",
        "testnet": True,
        **changes,
    }
