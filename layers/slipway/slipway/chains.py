"""EVM chains as the template's parameter ``Chains`` describes them. Amounts are integers in wei."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

GWEI = 10**9
EIP_1559, LEGACY = "eip1559", "legacy"
OP_STACK = "op-stack"
_NEEDED = ("chain_id", "name", "rpc_urls", "max_fee_per_gas")
# What only a chain with EIP-1559 has.
_EIP_1559_FIELDS = ("priority_fee_per_gas", "base_fee_multiplier")


def _daily_gas(is_testnet: object) -> int:
    """Return the daily budget of a chain that names none: a tenth of a unit, or 1,000 where they are worth nothing."""
    return 10**21 if is_testnet else 10**17


def _whole(given: Any) -> int:
    if isinstance(given, bool) or (isinstance(given, float) and not given.is_integer()):
        raise ValueError("not a whole number")
    return int(given)


def _fraction(given: Any) -> float:
    found = float(given)
    if isinstance(given, bool) or not math.isfinite(found):
        raise ValueError("not a number")
    return found


_ANY = "https://any"


def _is_address(given: object) -> bool:
    return isinstance(given, str) and given.startswith(("http://", "https://"))


@dataclass(frozen=True)
class Chain:
    """One EVM chain as the template's parameter ``Chains`` describes it.

    Attributes:
        chain_id: What ``eth_chainId`` answers at each address.
        name: For people.
        rpc_urls: Addresses of its nodes; the first is preferred.
        explorer_url: Where people look at transactions.
        confirmations: How many blocks, its own included, make a transaction certain.
        block_seconds: From one block to the next.
        max_fee_per_gas: The cap: no transaction is signed above it.
        priority_fee_per_gas: The least tip.
        base_fee_multiplier: How much the base fee may grow while a transaction waits.
        testnet: Whether its currency is worth nothing.
        fee_model: ``eip1559``, or ``legacy`` for a chain that knows only a gas price.
        currency: Of its gas, such as ``ETH``.
        l1_fee: ``op-stack`` for a rollup whose transactions cost an L1 fee besides their gas.
        gas_limit: The most gas that one transaction may use.
        gas_budget_per_day: The most wei that the transactions signed in a day (UTC) may cost.
        explorer_api_url: Of an explorer's API that verifies sources as Etherscan's does.
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
    fee_model: str = EIP_1559
    l1_fee: str | None = None
    gas_limit: int = 15_000_000
    gas_budget_per_day: int = 10**21
    currency: str = "ETH"
    explorer_api_url: str | None = None

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> "Chain":
        """Read one entry of the parameter.

        Raises:
            KeyError: A field is missing.
            ValueError: A field is unknown, malformed, or contradicts another; names the chain and the field.
        """
        if not isinstance(entry, dict):
            raise ValueError("a chain is described by an object")
        label = f"chain {entry.get('chain_id', 'without a chain_id')}"
        if missing := [name for name in _NEEDED if name not in entry]:
            raise KeyError(f"{label}: {missing[0]} is missing")

        def number[Number](name: str, read: Callable[[Any], Number], default: Any = None) -> Number:
            try:
                return read(entry[name] if default is None else entry.get(name, default))
            except (TypeError, ValueError, OverflowError) as error:
                raise ValueError(f"{label}: {name} is not a number") from error

        unknown = entry.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"{label}: unknown fields: {', '.join(sorted(unknown))}")
        fee_model = entry.get("fee_model", EIP_1559)
        both = [name for name in _EIP_1559_FIELDS if fee_model == LEGACY and name in entry]
        if both:
            raise ValueError(f"{label}: fee_model legacy has no {both[0]}; a chain has one fee model")
        if not isinstance(entry["rpc_urls"], list | tuple):
            raise ValueError(f"{label}: rpc_urls is a list of addresses")
        chain = cls(
            chain_id=number("chain_id", _whole),
            name=entry["name"],
            rpc_urls=tuple(entry["rpc_urls"]),
            explorer_url=entry.get("explorer_url") or None,
            confirmations=number("confirmations", _whole, 2),
            block_seconds=number("block_seconds", _fraction, 12),
            max_fee_per_gas=number("max_fee_per_gas", _whole),
            priority_fee_per_gas=number("priority_fee_per_gas", _whole, 0 if fee_model == LEGACY else GWEI),
            base_fee_multiplier=number("base_fee_multiplier", lambda given: Fraction(str(given)), 2),
            testnet=entry.get("testnet", True),
            fee_model=fee_model,
            l1_fee=entry.get("l1_fee"),
            gas_limit=number("gas_limit", _whole, cls.gas_limit),
            gas_budget_per_day=number("gas_budget_per_day", _whole, _daily_gas(entry.get("testnet", True))),
            currency=entry.get("currency", "ETH"),
            explorer_api_url=entry.get("explorer_api_url") or None,
        )
        for is_wrong, problem in chain._problems():
            if is_wrong:
                raise ValueError(f"{label}: {problem}")
        return chain

    def _problems(self) -> list[tuple[bool, str]]:
        """List what makes a description one that cannot work, each with whether it is so here."""
        return [
            (not isinstance(self.testnet, bool), "testnet is true or false"),
            (self.fee_model not in (EIP_1559, LEGACY), f"fee_model is {EIP_1559} or {LEGACY}"),
            (self.l1_fee not in (None, OP_STACK), f"l1_fee is {OP_STACK}, or left out"),
            (re.fullmatch(r"[A-Za-z0-9.]{1,12}", str(self.currency)) is None, "currency is a ticker, such as ETH"),
            (self.confirmations < 0, "confirmations is not negative"),
            (self.testnet is False and self.confirmations == 0, "confirmations is at least 1 where testnet is false"),
            (self.block_seconds <= 0, "block_seconds is more than 0"),
            (self.chain_id < 1, "chain_id is at least 1"),
            (not (isinstance(self.name, str) and self.name), "name is a text"),
            (self.max_fee_per_gas < 0, "max_fee_per_gas: a fee is not negative"),
            (self.priority_fee_per_gas < 0, "priority_fee_per_gas: a fee is not negative"),
            (not _is_address(self.explorer_url or _ANY), "explorer_url is an address, http:// or https://"),
            (not _is_address(self.explorer_api_url or _ANY), "explorer_api_url is an address, http:// or https://"),
            (min(self.gas_limit, self.gas_budget_per_day) < 0, "gas_limit and gas_budget_per_day are not negative"),
            (self.base_fee_multiplier < 1, "base_fee_multiplier is at least 1"),
            (not all(_is_address(url) for url in self.rpc_urls), "rpc_urls is a list of addresses"),
            (len(set(self.rpc_urls)) < len(self.rpc_urls), "rpc_urls has an address twice"),
        ]

    @classmethod
    def removed(cls, chain_id: int) -> "Chain":
        """Return a chain that is not configured any more: nothing is known of it, and no node of it answers."""
        return cls.from_json({"chain_id": chain_id, "name": f"chain {chain_id}", "rpc_urls": [], "max_fee_per_gas": 0})

    @property
    def is_legacy(self) -> bool:
        """Whether its transactions have a gas price instead of EIP-1559's two fees."""
        return self.fee_model == LEGACY

    def explorer_address_url(self, address: str) -> str | None:
        """Return where a person can look at an account or a contract, if the chain has an explorer."""
        return f"{self.explorer_url.rstrip('/')}/address/{address}" if self.explorer_url else None

    def explorer_transaction_url(self, transaction_hash: str) -> str | None:
        """Return where a person can look at a transaction, if the chain has an explorer."""
        return f"{self.explorer_url.rstrip('/')}/tx/{transaction_hash}" if self.explorer_url else None


def read_chains(entries: list[dict[str, Any]]) -> dict[int, Chain]:
    """Read the parameter ``Chains``; raises KeyError or ValueError, by name, for one that cannot work."""
    if not isinstance(entries, list):
        raise ValueError("the chains are a list of descriptions")
    chains: dict[int, Chain] = {}
    for entry in entries:
        chain = Chain.from_json(entry)
        if chain.chain_id in chains:
            raise ValueError(f"chain {chain.chain_id}: described twice")
        if not chain.rpc_urls:
            raise ValueError(f"chain {chain.chain_id}: rpc_urls has no address")
        chains[chain.chain_id] = chain
    return chains
