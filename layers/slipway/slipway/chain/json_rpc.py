"""Ethereum JSON-RPC over HTTP with fail-over between the addresses of a chain.

Source: the Ethereum JSON-RPC specification (ethereum/execution-apis).
"""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import httpx

from slipway.chain.models import Call, ChainFees, Receipt
from slipway.chains import Chain
from slipway.errors import SlipwayError, UpstreamUnavailableError

# Codes by which nodes and gateways say "too many requests" or "not now" inside a 200 answer.
_TRANSIENT_CODES = {-32005, -32016, -32097, 429}
# Besides overload: an address whose key is wrong or used up (401 to 404) says nothing of the call.
_TRANSIENT_STATUSES = {401, 402, 403, 404, 408, 425, 429, 502, 503, 504}
_ROUNDS = 3
_PAUSE_SECONDS = 0.2


class RpcError(SlipwayError):
    """The node understood the call and refused it."""

    code = "DEPLOYMENT_FAILED"

    def __init__(self, method: str, rpc_code: int, rpc_message: str, data: Any = None) -> None:
        super().__init__(f"{method}: {rpc_message}")
        self.rpc_code = rpc_code
        self.rpc_message = rpc_message
        self.data = data


class _TransientError(Exception):
    """This address did not answer; the next one may."""


def _decodes[**Parameters, Value](read: Callable[Parameters, Value]) -> Callable[Parameters, Value]:
    """For methods that read an answer: one that is not of the method's shape is no answer."""

    @wraps(read)
    def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Value:
        try:
            return read(*args, **kwargs)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise UpstreamUnavailableError("The node's answer makes no sense", retry_after=5) from error

    return checked


def _quantity(number: int) -> str:
    return hex(number)


class JsonRpc:
    """Calls one chain's nodes.

    An address that times out, refuses the connection, answers 429 or 5xx, or says that its rate limit is used up is
    not a failure of the call: the next address is asked, in up to three rounds with jittered pauses, until ``deadline``
    seconds have gone.

    Args:
        chain: Gives the addresses, the first of which is preferred.
        client: The HTTP client; its lifetime is the caller's.
        deadline: Seconds for each call as a whole.
    """

    def __init__(self, chain: Chain, client: httpx.Client, deadline: float = 10.0) -> None:
        self._chain = chain
        self._client = client
        self._deadline = deadline

    def call(self, method: str, *params: Any) -> Any:
        """One JSON-RPC call.

        Returns:
            The answer's ``result``, None included.

        Raises:
            RpcError: The node refused the call.
            UpstreamUnavailableError: No address answered in time.
        """
        ends_at = time.monotonic() + self._deadline
        for attempt in range(_ROUNDS):
            for url in self._chain.rpc_urls:
                left = ends_at - time.monotonic()
                if left <= 0:
                    break
                try:
                    return self._ask(url, method, params, left)
                except _TransientError:
                    continue
            pause = _PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311 (jitter, not a secret)
            if time.monotonic() + pause >= ends_at or attempt == _ROUNDS - 1:
                break
            time.sleep(pause)
        # The addresses stay out of the message: they often carry a key.
        raise UpstreamUnavailableError(f"No node of {self._chain.name} answered {method}", retry_after=5)

    def _ask(self, url: str, method: str, params: tuple[Any, ...], seconds: float) -> Any:
        # Half of what is left, so that a silent first address leaves time for the second.
        timeout = seconds if len(self._chain.rpc_urls) == 1 else seconds / 2
        try:
            response = self._client.post(
                url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}, timeout=timeout
            )
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise _TransientError from error
        if not isinstance(answer, dict):
            raise _TransientError
        refusal = answer.get("error")
        if isinstance(refusal, dict):
            code = refusal.get("code")
            rpc_code = code if isinstance(code, int) else 0
            if response.status_code in _TRANSIENT_STATUSES or rpc_code in _TRANSIENT_CODES:
                raise _TransientError
            raise RpcError(method, rpc_code, str(refusal.get("message", "")), refusal.get("data"))
        if response.status_code != httpx.codes.OK or "result" not in answer:
            raise _TransientError
        return answer["result"]

    def _read(self, method: str, *params: Any) -> Any:
        """A call that a node in order never refuses; one that is still indexing, for example, does."""
        try:
            return self.call(method, *params)
        except RpcError as error:
            raise UpstreamUnavailableError(f"The node can't tell now: {error.message}", retry_after=5) from error

    @_decodes
    def fees(self) -> ChainFees:
        """Base fee of the next block and the tip that recent blocks took, in wei."""
        history = self._read("eth_feeHistory", _quantity(5), "latest", [50])
        base_fee = int(history["baseFeePerGas"][-1], 16)
        tips = sorted(int(rewards[0], 16) for rewards in history.get("reward") or [] if rewards)
        return ChainFees(base_fee_per_gas=base_fee, priority_fee_per_gas=tips[len(tips) // 2] if tips else 0)

    @_decodes
    def estimate_gas(self, sender: str, call: Call) -> int:
        """Gas the call would use now; raises RpcError when it would revert."""
        transaction = {"from": sender, "data": "0x" + call.data.hex(), "value": _quantity(call.value)}
        if call.to:
            transaction["to"] = call.to
        return int(self.call("eth_estimateGas", transaction), 16)

    @_decodes
    def eth_call(self, to: str, data: bytes) -> bytes:
        """What a read-only call returns at the latest block."""
        return bytes.fromhex(self.call("eth_call", {"to": to, "data": "0x" + data.hex()}, "latest")[2:])

    @_decodes
    def ask[Value](self, to: str, data: bytes, decode: Callable[[bytes], Value]) -> Value:
        """What a read-only call returns at the latest block, decoded; an answer that can't be is no answer."""
        return decode(self.eth_call(to, data))

    @_decodes
    def code_at(self, address: str) -> bytes:
        """Runtime code of a contract, empty where there is none."""
        return bytes.fromhex(self._read("eth_getCode", address, "latest")[2:])

    @_decodes
    def transaction_count(self, address: str, block: str = "pending") -> int:
        """The next nonce of an account as the node sees it."""
        return int(self._read("eth_getTransactionCount", address, block), 16)

    @_decodes
    def balance(self, address: str) -> int:
        """Balance in wei at the latest block."""
        return int(self._read("eth_getBalance", address, "latest"), 16)

    @_decodes
    def block_number(self) -> int:
        """Number of the latest block."""
        return int(self._read("eth_blockNumber"), 16)

    @_decodes
    def block_hash(self, number: int) -> str | None:
        """Hash of the block that is canonical at ``number`` now."""
        block = self._read("eth_getBlockByNumber", _quantity(number), False)
        return str(block["hash"]) if block else None

    @_decodes
    def receipt(self, transaction_hash: str) -> Receipt | None:
        """The receipt, or None while the transaction is not in a block."""
        answer = self._read("eth_getTransactionReceipt", transaction_hash)
        if not answer or not answer.get("blockHash"):
            return None
        return Receipt(
            transaction_hash=str(answer["transactionHash"]),
            block_number=int(answer["blockNumber"], 16),
            block_hash=str(answer["blockHash"]),
            succeeded=int(answer["status"], 16) == 1,
            gas_used=int(answer["gasUsed"], 16),
            effective_gas_price=int(answer["effectiveGasPrice"], 16),
            contract_address=answer.get("contractAddress"),
        )

    def knows(self, transaction_hash: str) -> bool:
        """Whether the node has the transaction, in a block or waiting."""
        return self._read("eth_getTransactionByHash", transaction_hash) is not None

    def send_raw(self, raw: str) -> str:
        """Broadcast signed bytes; returns their hash, raises RpcError with the node's reason."""
        return str(self.call("eth_sendRawTransaction", raw))
