"""Puts Slipway's own contracts on a chain, once per chain.

An administrator does this from a terminal, with a key of their own; Slipway's functions never hold that key:

    ADMINISTRATOR_PRIVATE_KEY=0x… python -m slipway.chain.install --rpc-url https://… --registrar 0x…

Everything that is done already is left alone. After an interruption, run it again with the addresses that
were printed; without them it deploys anew.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract.contract import Contract, ContractConstructor, ContractFunction
from web3.exceptions import TimeExhausted, Web3Exception
from web3.middleware import ExtraDataToPOAMiddleware
from web3.types import TxParams, Wei

from slipway.chain import contracts

_REQUEST_SECONDS = 10.0
_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class InstalledContracts:
    """Where Slipway's contracts are on a chain, as checksummed addresses."""

    model_registry: str
    token_manager: str


class InstallError(RuntimeError):
    """The installation did not finish. Pass the addresses on to resume it.

    Attributes:
        model_registry: The registry's address, or None if it isn't known to be on the chain.
        token_manager: The token manager's address, or None if it isn't known to be on the chain.
    """

    def __init__(self, message: str, model_registry: str | None, token_manager: str | None) -> None:
        self.model_registry = model_registry
        self.token_manager = token_manager
        super().__init__(message)


def install(
    rpc_url: str,
    administrator_key: str,
    registrars: Sequence[str],
    *,
    minters: Sequence[str] = (),
    fund_wei: int = 0,
    model_registry: str | None = None,
    token_manager: str | None = None,
    within_seconds: float = 300.0,
) -> InstalledContracts:
    """Deploys ModelRegistry and TokenManager and gives the roles to those who need them.

    Args:
        rpc_url: The chain's JSON-RPC address.
        administrator_key: The private key that deploys, pays, and administers the contracts' roles; hex.
        registrars: Addresses that get REGISTRAR_ROLE: those of Slipway's signing keys.
        minters: Addresses that get the token manager's MINTER_ROLE.
        fund_wei: What each registrar is to own at least, in wei; the difference is sent to it.
        model_registry: The registry, if it is deployed already.
        token_manager: The token manager, if it is deployed already.
        within_seconds: How long all of it may take.

    Returns:
        Where the contracts are.

    Raises:
        ValueError: A key or an address is malformed.
        InstallError: It could not be finished; what it carries is enough to resume.
    """
    try:
        administrator: LocalAccount = Account.from_key(administrator_key)
    except Exception:
        # Without the cause: its text could show the key.
        raise ValueError("The administrator's private key is malformed") from None
    installation = _Installation(rpc_url, administrator, time.monotonic() + within_seconds)
    installation.model_registry = _address(model_registry)
    installation.token_manager = _address(token_manager)
    wanted = [str(_address(registrar)) for registrar in registrars]
    wanted_minters = [str(_address(minter)) for minter in minters]
    try:
        return installation.run(wanted, wanted_minters, fund_wei)
    except (Web3Exception, requests.RequestException, _UnexpectedStateError, ValueError) as error:
        raise InstallError(
            f"The installation stopped: {error or type(error).__name__}",
            installation.model_registry,
            installation.token_manager,
        ) from error


class _UnexpectedStateError(Exception):
    """Something on the chain is not as it has to be."""


def _address(text: str | None) -> str | None:
    if text is None:
        return None
    if not Web3.is_address(text):
        raise ValueError(f"{text!r} is not an address")
    return str(Web3.to_checksum_address(text))


class _Installation:
    """One run of `install`: the connection, the deadline, and what is known to be on the chain."""

    def __init__(self, rpc_url: str, administrator: LocalAccount, deadline: float) -> None:
        self.model_registry: str | None = None
        self.token_manager: str | None = None
        self._administrator = administrator
        self._deadline = deadline
        self._web3 = Web3(Web3.HTTPProvider(rpc_url, request_kwargs={"timeout": _REQUEST_SECONDS}))
        # Some chains' blocks carry more extra data than Ethereum's; this lets web3 read them too.
        self._web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)

    def run(self, registrars: Sequence[str], minters: Sequence[str], fund_wei: int) -> InstalledContracts:
        administrator = self._administrator.address
        if self.model_registry is None:
            self.model_registry = self._deploy("ModelRegistry", administrator)
        registry = self._contract("ModelRegistry", self.model_registry)
        if self.token_manager is None:
            self.token_manager = self._deploy("TokenManager", self.model_registry, administrator)
        manager = self._contract("TokenManager", self.token_manager)
        if manager.functions.registry().call() != self.model_registry:
            raise _UnexpectedStateError(f"the token manager {self.token_manager} belongs to another registry")
        self._grant(registry, registry.functions.REGISTRAR_ROLE().call(), registrars)
        self._grant(manager, manager.functions.MINTER_ROLE().call(), minters)
        for registrar in registrars:
            self._fund(registrar, fund_wei)
        return InstalledContracts(model_registry=self.model_registry, token_manager=self.token_manager)

    def _contract(self, name: str, address: str) -> Contract:
        """A deployed contract, once it is certain that there is one."""
        checksummed = Web3.to_checksum_address(address)
        if not self._web3.eth.get_code(checksummed):
            raise _UnexpectedStateError(f"there is no contract at {address}, where {name} should be")
        return self._web3.eth.contract(address=checksummed, abi=contracts.load(name).abi)

    def _deploy(self, name: str, *arguments: str) -> str:
        artifact = contracts.load(name)
        factory = self._web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        return str(self._send(factory.constructor(*arguments))["contractAddress"])

    def _grant(self, contract: Contract, role: bytes, accounts: Sequence[str]) -> None:
        for account in accounts:
            if not contract.functions.hasRole(role, account).call():
                self._send(contract.functions.grantRole(role, account))

    def _fund(self, account: str, wei: int) -> None:
        address = Web3.to_checksum_address(account)
        missing = wei - self._web3.eth.get_balance(address)
        if missing > 0:
            self._send({"to": address, "value": Wei(missing)})

    def _send(self, what: ContractConstructor | ContractFunction | TxParams) -> Any:
        """Signs here, sends, and waits until it is mined. Returns the receipt of a success."""
        eth = self._web3.eth
        base: TxParams = {
            "from": self._administrator.address,
            "chainId": eth.chain_id,
            "nonce": eth.get_transaction_count(self._administrator.address, "pending"),
        }
        if isinstance(what, ContractConstructor | ContractFunction):
            transaction = what.build_transaction(base)
        else:
            fee = eth.max_priority_fee
            price = 2 * eth.get_block("latest").get("baseFeePerGas", eth.gas_price) + fee
            transaction = {
                **base,
                **what,
                "maxFeePerGas": Wei(price),
                "maxPriorityFeePerGas": fee,
            }
            transaction["gas"] = eth.estimate_gas(transaction)
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeExhausted("the time is over")
        signed = self._administrator.sign_transaction(transaction)  # type: ignore[arg-type]
        transaction_hash = eth.send_raw_transaction(signed.raw_transaction)
        receipt = eth.wait_for_transaction_receipt(transaction_hash, timeout=remaining, poll_latency=_POLL_SECONDS)
        if receipt["status"] != 1:
            raise _UnexpectedStateError(f"transaction {transaction_hash.to_0x_hex()} was reverted")
        return receipt


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line. Prints the addresses as JSON and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m slipway.chain.install", description=__doc__.splitlines()[0])
    parser.add_argument("--rpc-url", required=True)
    parser.add_argument("--registrar", action="append", required=True, help="gets REGISTRAR_ROLE; may be repeated")
    parser.add_argument("--minter", action="append", default=[], help="gets MINTER_ROLE; may be repeated")
    parser.add_argument("--fund-wei", type=int, default=0, help="what each registrar is to own at least")
    parser.add_argument("--model-registry", help="to resume: the registry that is deployed already")
    parser.add_argument("--token-manager", help="to resume: the token manager that is deployed already")
    parser.add_argument("--within-seconds", type=float, default=300.0, help="how long all of it may take")
    options = parser.parse_args(arguments)
    key = os.environ.get("ADMINISTRATOR_PRIVATE_KEY", "")
    if not key:
        print("Set ADMINISTRATOR_PRIVATE_KEY to the administrator's private key", file=sys.stderr)
        return 2
    try:
        installed = install(
            options.rpc_url,
            key,
            options.registrar,
            minters=options.minter,
            fund_wei=options.fund_wei,
            model_registry=options.model_registry,
            token_manager=options.token_manager,
            within_seconds=options.within_seconds,
        )
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except InstallError as error:
        print(error, file=sys.stderr)
        print(json.dumps({"model_registry": error.model_registry, "token_manager": error.token_manager}))
        return 1
    print(json.dumps(dataclasses.asdict(installed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
