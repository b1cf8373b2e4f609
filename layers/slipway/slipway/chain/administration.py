"""What an administrator does on a chain from a terminal: deploy contracts, grant roles, send funds.

The key is the administrator's own; Slipway's functions never hold one. Everything that is done already is left alone.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import requests
from eth_account import Account
from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.contract.contract import Contract, ContractConstructor, ContractFunction
from web3.exceptions import TimeExhausted, TransactionNotFound, Web3Exception
from web3.middleware import ExtraDataToPOAMiddleware
from web3.types import RPCEndpoint, RPCResponse, TxParams, Wei

from slipway.chain import contracts
from slipway.chain.rpc_errors import Verdict, classify, refusal_of
from slipway.settings import administrator_private_key
from slipway.times import Clock

_REQUEST_SECONDS = 10.0
_POLL_SECONDS = 0.25
# At most so long, with full jitter, before what is not final is asked again.
_MAX_PAUSES = (0.5, 1.0, 2.0)


class InstallError(RuntimeError):
    """An installation did not finish. Pass the addresses on to resume it.

    Attributes:
        known: Address of each contract by its name in the configuration, None if it isn't known to be on the chain.
    """

    def __init__(self, message: str, known: dict[str, str | None]) -> None:
        self.known = known
        super().__init__(message)


class UnexpectedStateError(Exception):
    """Something on the chain is not as it has to be."""


def run_installation(install: Callable[[str], dict[str, str | None]]) -> int:
    """Run what the command lines of installations share: the key, what is printed, and the exit status.

    Args:
        install: Installs with the administrator's private key from ADMINISTRATOR_PRIVATE_KEY, and returns addresses,
            which are printed as JSON.

    Returns:
        0; 1 when the installation stopped, after the addresses that are known by then; 2 for a wrong call.
    """
    key = administrator_private_key()
    if not key:
        print("Set ADMINISTRATOR_PRIVATE_KEY to the administrator's private key", file=sys.stderr)
        return 2
    try:
        installed = install(key)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except InstallError as error:
        print(error, file=sys.stderr)
        print(json.dumps(error.known))
        return 1
    print(json.dumps(installed))
    return 0


def checksum_address(text: str | None) -> str | None:
    """Return the checksummed form of an address, None of None; raises ValueError when it is no address."""
    if text is None:
        return None
    if not Web3.is_address(text):
        raise ValueError(f"{text!r} is not an address")
    return str(Web3.to_checksum_address(text))


@contextmanager
def as_install_errors(known: dict[str, str | None]) -> Iterator[None]:
    """Turn what goes wrong on the chain into ``InstallError``, with the addresses as they are by then."""
    try:
        yield
    except (Web3Exception, requests.RequestException, UnexpectedStateError, ValueError) as error:
        raise InstallError(f"The installation stopped: {error or type(error).__name__}", dict(known)) from error


class _PatientProvider(HTTPProvider):
    """Asks again, a few times, whatever a node did not refuse for good; see ``slipway.chain.rpc_errors``.

    Args:
        rpc_url: The node's address.
        ends_at: When it pauses no more, by ``clock.monotonic``.
        clock: Passes the time.
    """

    def __init__(self, rpc_url: str, ends_at: float, clock: Clock) -> None:
        super().__init__(rpc_url, request_kwargs={"timeout": _REQUEST_SECONDS})
        self._ends_at = ends_at
        self._clock = clock

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        for most in _MAX_PAUSES:
            try:
                answer: RPCResponse = super().make_request(method, params)
                if not _is_passing(str(method), answer):
                    return answer
            except (Web3Exception, requests.RequestException, ValueError):
                # Of a page, a list, or no answer at all there is nothing to judge.
                pass
            pause = random.uniform(0, most)  # noqa: S311 (jitter, not a secret)
            self._clock.sleep(max(0.0, min(pause, self._ends_at - self._clock.monotonic())))
        return super().make_request(method, params)


def _is_passing(method: str, answer: Any) -> bool:
    """Return whether a refusal says nothing for good, and is not one of bytes that may be there."""
    if isinstance(answer, dict) and "result" in answer and answer.get("error") is None:
        return False
    return classify(refusal_of(method, requests.codes.ok, answer)).verdict not in (Verdict.FINAL, Verdict.CHECK)


class Administration:
    """An administrator at work on one chain, for so long at most.

    Args:
        rpc_url: The chain's JSON-RPC address.
        administrator_key: The private key that signs and pays; hex.
        within_seconds: How long all of it may take.
        clock: Passes the time.

    Raises:
        ValueError: The key is malformed; the message does not show it.
    """

    def __init__(self, rpc_url: str, administrator_key: str, within_seconds: float, clock: Clock = time) -> None:
        try:
            self._administrator: LocalAccount = Account.from_key(administrator_key)
        except Exception:
            # Without the cause: its text could show the key.
            raise ValueError("The administrator's private key is malformed") from None
        self._clock = clock
        self._deadline = clock.monotonic() + within_seconds
        self._web3 = Web3(_PatientProvider(rpc_url, self._deadline, clock))
        # Some chains' blocks carry more extra data than Ethereum's; this lets web3 read them too.
        self._web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)

    @property
    def address(self) -> str:
        """The administrator's address."""
        return str(self._administrator.address)

    def contract(self, name: str, address: str) -> Contract:
        """Return a deployed contract, once it is certain that there is one (UnexpectedStateError)."""
        checksummed = Web3.to_checksum_address(address)
        if not self._web3.eth.get_code(checksummed):
            raise UnexpectedStateError(f"there is no contract at {address}, where {name} should be")
        return self._web3.eth.contract(address=checksummed, abi=contracts.load(name).abi)

    def deploy(self, name: str, *arguments: str) -> str:
        """Deploy one of Slipway's contracts; returns its address."""
        artifact = contracts.load(name)
        factory = self._web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        return str(self.send(factory.constructor(*arguments))["contractAddress"])

    def grant(self, contract: Contract, role: bytes, accounts: Sequence[str]) -> None:
        """Give a role to those who do not have it yet."""
        for account in accounts:
            if not contract.functions.hasRole(role, account).call():
                self.send(contract.functions.grantRole(role, account))

    def fund(self, account: str, wei: int) -> None:
        """Send an account what it lacks to own so much."""
        address = Web3.to_checksum_address(account)
        missing = wei - self._web3.eth.get_balance(address)
        if missing > 0:
            self.send({"to": address, "value": Wei(missing)})

    def send(self, what: ContractConstructor | ContractFunction | TxParams) -> Any:
        """Sign here, send, and wait until it is mined; returns the receipt of a success."""
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
        remaining = self._deadline - self._clock.monotonic()
        if remaining <= 0:
            raise TimeExhausted("the time is over")
        signed = self._administrator.sign_transaction(transaction)  # type: ignore[arg-type]
        transaction_hash = signed.hash
        try:
            eth.send_raw_transaction(signed.raw_transaction)
        except (Web3Exception, requests.RequestException, ValueError):
            # Whatever the node said, if it has the transaction all is well.
            if not self._knows(transaction_hash):
                raise
        receipt = eth.wait_for_transaction_receipt(transaction_hash, timeout=remaining, poll_latency=_POLL_SECONDS)
        if receipt["status"] != 1:
            raise UnexpectedStateError(f"transaction {transaction_hash.to_0x_hex()} was reverted")
        return receipt

    def _knows(self, transaction_hash: HexBytes) -> bool:
        try:
            return bool(self._web3.eth.get_transaction(transaction_hash))
        except TransactionNotFound:
            return False
