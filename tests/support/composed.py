"""A composed contract on a chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from web3 import Web3
from web3.contract.contract import Contract
from web3.exceptions import ContractCustomError

from slipway.builds.models import Generation
from tests.support.prompts import Case


def plain(value: str | list[str], kind: str) -> Any:
    """Return a constructor's argument as web3 takes it."""
    return int(value) if kind.startswith("uint") and isinstance(value, str) else value


@dataclass(frozen=True)
class Composed:
    """One contract of the table, deployed. The chain's first account asked for it, the last one deployed it."""

    chain: Any
    case: Case
    made: Generation
    contract: Contract
    bytecode: str

    @classmethod
    def deploy(cls, chain: Any, case: Case, made: Generation, abi: list[Any], bytecode: str) -> Composed:
        arguments = [plain(argument.value, argument.type) for argument in made.constructor_arguments]
        factory = chain.web3.eth.contract(abi=abi, bytecode=bytecode)
        hashed = factory.constructor(*arguments).transact({"from": chain.accounts[-1]})
        receipt = chain.web3.eth.wait_for_transaction_receipt(hashed, timeout=20, poll_latency=0.01)
        assert receipt["status"] == 1
        return cls(chain, case, made, chain.web3.eth.contract(address=receipt["contractAddress"], abi=abi), bytecode)

    @property
    def owner(self) -> str:
        return str(self.chain.accounts[0])

    @property
    def stranger(self) -> str:
        return str(self.chain.accounts[5])

    @property
    def friend(self) -> str:
        return str(self.chain.accounts[6])

    def has(self, function: str) -> bool:
        """Whether the contract has a function of this name."""
        return any(entry.get("name") == function and entry["type"] == "function" for entry in self.contract.abi)

    def call(self, function: str, *arguments: Any, sender: str | None = None) -> Any:
        return self.contract.get_function_by_name(function)(*arguments).call({"from": sender or self.owner})

    def send(self, function: str, *arguments: Any, sender: str | None = None, value: int = 0) -> Any:
        bound = self.contract.get_function_by_name(function)(*arguments)
        hashed = bound.transact({"from": sender or self.owner, "value": value})
        receipt = self.chain.web3.eth.wait_for_transaction_receipt(hashed, timeout=20, poll_latency=0.01)
        assert receipt["status"] == 1
        return receipt

    def refuses(self, error: str, function: str, *arguments: Any, sender: str | None = None, value: int = 0) -> None:
        """Require that a call reverts with a custom error of this name."""
        bound = self.contract.get_function_by_name(function)(*arguments)
        with pytest.raises(ContractCustomError) as caught:
            bound.call({"from": sender or self.owner, "value": value})
        assert str(caught.value.data)[:10] in self.selectors(error), f"{function} reverted with {caught.value.data}"

    def selectors(self, error: str) -> set[str]:
        """Return the first four bytes of the contract's errors of this name, in hex with 0x."""
        return {
            str(Web3.to_hex(Web3.keccak(text=f"{error}({','.join(value['type'] for value in entry['inputs'])})")[:4]))
            for entry in self.contract.abi
            if entry["type"] == "error" and entry["name"] == error
        }

    def later(self, seconds: int) -> None:
        """Lets time pass on the chain."""
        self.chain.rpc("evm_increaseTime", seconds)
        self.mine()

    def mine(self) -> None:
        self.chain.rpc("evm_mine")

    def time(self) -> int:
        return int(self.chain.web3.eth.get_block("latest")["timestamp"])

    def coins(self, account: str) -> int:
        return int(self.chain.web3.eth.get_balance(account))
