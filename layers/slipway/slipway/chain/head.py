"""The head of a chain, read once for whatever needs it within a part of a block.

A hundred launches that wait for the same block ask it once for its number and its hash, and each signer's account once
for its nonces, instead of each launch for each of its transactions.
"""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from slipway.chain.models import ChainFees

if TYPE_CHECKING:
    from slipway.chain.json_rpc import JsonRpc


class Head:
    """What nodes say of a chain's newest block, each thing asked when it is first wanted and then kept.

    Threads that want the same thing wait for one answer. An answer that failed is not kept. All methods raise
    UpstreamUnavailableError where no node answers.

    Args:
        rpc: The chain's nodes.
    """

    def __init__(self, rpc: "JsonRpc") -> None:
        self._rpc = rpc
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Future[Any]] = {}

    @property
    def number(self) -> int:
        """The block's number."""
        return self._once("number", self._rpc.block_number)

    def block_hash(self, number: int) -> str | None:
        """Return the hash of the block that is canonical at ``number``."""
        return self._once(("hash", number), lambda: self._rpc.block_hash(number))

    def transaction_count(self, address: str, block: str = "latest") -> int:
        """Return the next nonce of an account as of a block."""
        return self._once((address, block), lambda: self._rpc.transaction_count(address, block))

    def balance(self, address: str) -> int:
        """Return the balance of an account in wei."""
        return self._once(("balance", address), lambda: self._rpc.balance(address))

    def fees(self) -> ChainFees:
        """Return what the network asks, in wei per unit of gas."""
        return self._once("fees", self._rpc.fees)

    def _once[Value](self, what: Hashable, ask: Callable[[], Value]) -> Value:
        with self._lock:
            is_first = what not in self._answers
            answer: Future[Value] = self._answers.setdefault(what, Future())
        if is_first:
            try:
                answer.set_result(ask())
            except Exception as error:
                with self._lock:
                    del self._answers[what]
                answer.set_exception(error)
        return answer.result()
