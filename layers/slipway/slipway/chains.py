"""EVM chains as the template's parameter ``Chains`` describes them. Amounts are integers in wei."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

GWEI = 10**9


@dataclass(frozen=True)
class Chain:
    """One EVM chain as the template's parameter ``Chains`` describes it.

    ``max_fee_per_gas`` is the cap in wei: no transaction is signed above it. ``priority_fee_per_gas`` is the least tip.
    ``testnet`` says that its currency is worth nothing.
    """

    chain_id: int
    name: str
    rpc_urls: tuple[str, ...]
    explorer_url: str | None
    confirmations: int
    block_seconds: float
    max_fee_per_gas: int
    priority_fee_per_gas: int
    base_fee_multiplier: Fraction
    testnet: bool = True

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "Chain":
        """Read one entry; raises KeyError or ValueError when it is malformed."""
        testnet = entry.get("testnet", True)
        if not isinstance(testnet, bool):
            raise ValueError("testnet is true or false")
        return cls(
            chain_id=int(entry["chain_id"]),
            name=str(entry["name"]),
            rpc_urls=tuple(entry["rpc_urls"]),
            explorer_url=entry.get("explorer_url") or None,
            confirmations=int(entry.get("confirmations", 2)),
            block_seconds=float(entry.get("block_seconds", 12)),
            max_fee_per_gas=int(entry["max_fee_per_gas"]),
            priority_fee_per_gas=int(entry.get("priority_fee_per_gas", GWEI)),
            base_fee_multiplier=Fraction(str(entry.get("base_fee_multiplier", 2))),
            testnet=testnet,
        )

    @classmethod
    def removed(cls, chain_id: int) -> "Chain":
        """Return a chain that is not configured any more: nothing is known of it, and it has no RPC address."""
        return cls.from_json({"chain_id": chain_id, "name": f"chain {chain_id}", "rpc_urls": [], "max_fee_per_gas": 0})

    def explorer_transaction_url(self, transaction_hash: str) -> str | None:
        """Return the address of a transaction in the chain's explorer, if it has one."""
        return f"{self.explorer_url.rstrip('/')}/tx/{transaction_hash}" if self.explorer_url else None
