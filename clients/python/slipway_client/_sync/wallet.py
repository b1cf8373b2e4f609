# Written from _async by `make openapi`; do not edit.
"""Sends the transactions that the API returns, from the caller's own wallet."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import httpx

from slipway_client._sync import driver
from slipway_client.errors import SlipwayError, TransactionError
from slipway_client.retries import pauses
from slipway_client.signing import SignedTransaction, Signer
from slipway_client.types import UnsignedCreation, UnsignedTransaction

CONFIRM_SECONDS = 180.0
_TRIES = 5


class Wallet:
    """A signer, and a node of its chain.

    Args:
        signer: Signs.
        rpc_url: The node's address.
        http: Sends the requests; by default a client of its own.
        timeout: How many seconds one transaction may take to be in a block.
    """

    def __init__(
        self, signer: Signer, rpc_url: str, *, http: httpx.Client | None = None, timeout: float = CONFIRM_SECONDS
    ) -> None:
        self.signer, self._rpc_url, self._timeout = signer, rpc_url, timeout
        self._http = http or httpx.Client(timeout=15)
        self._ids = count(1)

    def send(self, transactions: Sequence[UnsignedTransaction | UnsignedCreation]) -> list[dict[str, Any]]:
        """Sign and send transactions one after the other; return their receipts.

        Raises:
            TransactionError: A chain refused or reverted one, or it is in no block in time; `unsure` if it may yet be.
            SlipwayError: The node does not answer.
        """
        return [self.confirmed(self.submit(transaction)) for transaction in transactions]

    def chain_id(self) -> int:
        """Return the id of the node's chain."""
        return int(self._ask("eth_chainId"), 16)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def submit(self, unsigned: UnsignedTransaction | UnsignedCreation) -> str:
        """Sign a transaction and send it; return its hash. For errors see `send`."""
        chain_id = self.chain_id()
        if chain_id != unsigned["chainId"]:
            raise TransactionError(f"The node is of chain {chain_id}, the transaction for chain {unsigned['chainId']}")
        # Behind what the wallet has sent already, never in its place.
        nonce = int(self._ask("eth_getTransactionCount", self.signer.address, "pending"), 16)
        signed: SignedTransaction = driver.settled(
            self.signer.sign_transaction(
                {
                    # One that creates a contract has nobody to go to.
                    "to": dict[str, Any](unsigned).get("to", ""),
                    "data": unsigned["data"],
                    "value": int(unsigned.get("value", "0x0"), 16),
                    "gas": unsigned["gas"],
                    "chainId": chain_id,
                    "nonce": nonce,
                    **self._fees(),
                }
            )
        )
        self._broadcast(signed)
        return signed.hash

    def _fees(self) -> dict[str, int]:
        """Return fees that outlive six full blocks; a gas price for a chain without EIP-1559."""
        block = self._ask("eth_getBlockByNumber", "latest", False)
        if block.get("baseFeePerGas") is None:
            return {"gasPrice": int(self._ask("eth_gasPrice"), 16)}
        tip = int(self._ask("eth_maxPriorityFeePerGas"), 16)
        most = 2 * int(block["baseFeePerGas"], 16) + tip
        return {"maxFeePerGas": most, "maxPriorityFeePerGas": tip}

    def _broadcast(self, signed: SignedTransaction) -> None:
        """Send the same bytes until a node has them."""
        try:
            self._ask("eth_sendRawTransaction", signed.raw)
        except TransactionError as refused:
            # A second try of bytes that a node has already is refused as well: the chain knows better.
            if self._ask("eth_getTransactionByHash", signed.hash) is None:
                raise TransactionError(refused.message, transaction_hash=signed.hash) from None

    def confirmed(self, transaction_hash: str) -> dict[str, Any]:
        """Wait until a transaction is in a block; return its receipt. For errors see `send`."""
        ends_at = driver.now() + self._timeout
        for pause in pauses(0.25, 4):
            receipt: dict[str, Any] | None = self._ask("eth_getTransactionReceipt", transaction_hash)
            if receipt is not None:
                if int(receipt["status"], 16) == 1:
                    return receipt
                raise TransactionError("The transaction was reverted", transaction_hash=transaction_hash)
            if driver.now() + pause > ends_at:
                break
            driver.sleep(pause)
        raise TransactionError(
            f"The transaction is in no block after {self._timeout:.0f} s",
            transaction_hash=transaction_hash,
            unsure=True,
        )

    def _ask(self, method: str, *parameters: Any) -> Any:
        """Ask the node, up to five times; bytes that it refuses are not sent again but looked for."""
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": parameters}
        failures = pauses(0.5, 8, 2)
        for attempt in range(1, _TRIES + 1):
            try:
                answer = self._http.post(self._rpc_url, json=body)
                found = answer.json()
            except (httpx.HTTPError, ValueError) as error:
                # The address may have a key in it, so it is in no message.
                problem = SlipwayError("NODE_UNAVAILABLE", f"The chain's node does not answer ({type(error).__name__})")
            else:
                if "result" in found:
                    return found["result"]
                refusal = str(found.get("error", {}).get("message", answer.reason_phrase))
                if method == "eth_sendRawTransaction":
                    raise TransactionError(refusal)
                problem = SlipwayError("NODE_UNAVAILABLE", f"The chain's node refuses: {refusal}", answer.status_code)
            if attempt < _TRIES:
                driver.sleep(next(failures))
        raise problem
