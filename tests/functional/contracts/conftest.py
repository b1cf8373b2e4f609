"""A real chain for the contracts' tests: anvil on loopback, started once and ended at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract.contract import Contract
from web3.exceptions import ContractCustomError

from local.anvil import AnvilError, free_port, start_anvil, stop_anvil
from slipway.chain import contracts

CHAIN_ID = 31_337
ADMINISTRATOR_ROLE = bytes(32)


def error_selector(contract: str, signature: str) -> str:
    """The first four bytes of a custom error, in hex with 0x; fails if the contract declares no such error."""
    declared = {
        f"{entry['name']}({','.join(value['type'] for value in entry['inputs'])})"
        for entry in contracts.load(contract).abi
        if entry["type"] == "error"
    }
    assert signature in declared, f"{contract} has no error {signature}"
    return str(Web3.to_hex(Web3.keccak(text=signature)[:4]))


@dataclass(frozen=True)
class Chain:
    """The running chain and its accounts: the ones anvil unlocks, so that tests need not sign."""

    web3: Web3
    url: str
    accounts: Sequence[str]

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
        """A deployed contract."""
        return self.web3.eth.contract(address=Web3.to_checksum_address(address), abi=contracts.load(name).abi)

    def send(self, function: Any, sender: str) -> Any:
        """Sends a call as a transaction and returns the receipt of its success."""
        hashed = function.transact({"from": sender})
        receipt = self.web3.eth.wait_for_transaction_receipt(hashed, timeout=20, poll_latency=0.01)
        assert receipt["status"] == 1
        return receipt

    def refuse(self, function: Any, sender: str, contract: str, error: str) -> None:
        """Requires that a call from ``sender`` reverts with exactly this custom error of this contract."""
        with pytest.raises(ContractCustomError) as caught:
            function.call({"from": sender})
        data = str(caught.value.data)
        assert data.startswith(error_selector(contract, error)), f"reverted with {data}"

    def new_contract(self) -> str:
        """Return an address that has code and nothing else."""
        address = self.new_account().address
        self.web3.provider.make_request("anvil_setCode", [address, "0x00"])  # type: ignore[arg-type]
        return address

    def new_account(self) -> LocalAccount:
        """An account that has neither a balance nor a past."""
        account: LocalAccount = Account.create()
        return account


@contextmanager
def running_chain(log: Path) -> Iterator[Chain]:
    """A chain of its own, for as long as the context is open."""
    for attempt in range(3):
        port = free_port()
        try:
            process = start_anvil(port, CHAIN_ID, log=log)
            break
        except AnvilError as error:
            # Another program may have taken the port in between.
            if attempt == 2 or "npm ci" in str(error):
                pytest.fail(f"These tests need a chain: {error}")
    try:
        url = f"http://127.0.0.1:{port}"
        web3 = Web3(Web3.HTTPProvider(url, request_kwargs={"timeout": 10, "proxies": {"http": ""}}))
        yield Chain(web3=web3, url=url, accounts=web3.eth.accounts)
    finally:
        stop_anvil(process)


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """The chain that these tests share."""
    with running_chain(tmp_path_factory.mktemp("anvil") / "anvil.log") as running:
        yield running
