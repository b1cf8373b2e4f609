"""A real chain for the contracts' tests: anvil on loopback, started once and ended at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract.contract import Contract
from web3.exceptions import ContractCustomError

from local.chains import TOKEN_CHAIN
from slipway.chain import contracts
from tests.support.chains import Anvil, running_anvil

ADMINISTRATOR_ROLE = bytes(32)


def error_selector(contract: str, signature: str) -> str:
    """Return the first four bytes of a custom error, in hex with 0x; fails if the contract declares no such error."""
    declared = {
        f"{entry['name']}({','.join(value['type'] for value in entry['inputs'])})"
        for entry in contracts.load(contract).abi
        if entry["type"] == "error"
    }
    assert signature in declared, f"{contract} has no error {signature}"
    return str(Web3.to_hex(Web3.keccak(text=signature)[:4]))


class Chain(Anvil):
    """The running chain and its accounts: the ones anvil unlocks, so that tests need not sign."""

    @cached_property
    def web3(self) -> Web3:
        """The chain as web3 has it."""
        return Web3(Web3.HTTPProvider(self.url, request_kwargs={"timeout": 60, "proxies": {"http": ""}}))

    @cached_property
    def accounts(self) -> Sequence[str]:
        """The accounts."""
        return self.web3.eth.accounts

    def deploy(self, name: str, *arguments: Any, sender: str | None = None) -> Contract:
        """Deploys a committed artifact from the first account, or from ``sender``."""
        artifact = contracts.load(name)
        factory = self.web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        hashed = factory.constructor(*arguments).transact(
            {"from": Web3.to_checksum_address(sender or self.accounts[0])}
        )
        receipt = self.web3.eth.wait_for_transaction_receipt(hashed, timeout=20, poll_latency=0.01)
        return self.contract(name, str(receipt["contractAddress"]))

    def contract(self, name: str, address: str) -> Contract:
        """Return a deployed contract."""
        return self.web3.eth.contract(address=Web3.to_checksum_address(address), abi=contracts.load(name).abi)

    def send(self, function: Any, sender: str) -> Any:
        """Send a call as a transaction and return the receipt of its success."""
        hashed = function.transact({"from": sender})
        receipt = self.web3.eth.wait_for_transaction_receipt(hashed, timeout=20, poll_latency=0.01)
        assert receipt["status"] == 1
        return receipt

    def refuse(self, function: Any, sender: str, contract: str, error: str) -> None:
        """Require that a call from ``sender`` reverts with exactly this custom error of this contract."""
        with pytest.raises(ContractCustomError) as caught:
            function.call({"from": sender})
        data = str(caught.value.data)
        assert data.startswith(error_selector(contract, error)), f"reverted with {data}"

    def new_contract(self) -> str:
        """Return an address that has code and nothing else."""
        address = self.new_account().address
        self.rpc("anvil_setCode", address, "0x00")
        return address

    def new_account(self) -> LocalAccount:
        """Return an account that has neither a balance nor a past."""
        account: LocalAccount = Account.create()
        return account


@contextmanager
def running_chain(chain_id: int = TOKEN_CHAIN) -> Iterator[Chain]:
    """Yield a chain of its own, for as long as the context is open."""
    with running_anvil(chain_id) as anvil:
        yield Chain(anvil.url, anvil.client)


@pytest.fixture(scope="session")
def chain() -> Iterator[Chain]:
    """Yield the chain that these tests share."""
    with running_chain() as running:
        yield running
