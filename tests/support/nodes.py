"""A JSON-RPC node in this process, behind httpx.MockTransport."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from eth_abi.abi import decode, encode

from slipway.chain.contracts import load

ZERO_WORD = "0x" + "0" * 64
GWEI = 10**9


class RefusalError(Exception):
    """Raised by a method of a fake node: answered as a JSON-RPC error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class FakeNode:
    """Answers methods from a table that tests change; remembers what it was asked.

    A value in ``answers`` is the result, or a function of the parameters that gives it or raises ``RefusalError`` or an
    error of httpx.
    """

    def __init__(self, **answers: Any) -> None:
        self.asked: list[tuple[str, list[Any]]] = []
        self.answers: dict[str, Any] = {
            "eth_feeHistory": {"baseFeePerGas": [hex(GWEI)] * 6, "reward": [[hex(GWEI)]] * 5},
            "eth_call": ZERO_WORD,
            "eth_estimateGas": lambda params: hex(1_000_000 if "to" not in params[0] else 100_000),
            "eth_blockNumber": hex(100),
            "eth_chainId": hex(31337),
            "eth_maxPriorityFeePerGas": hex(GWEI),
            **answers,
        }

    def handle(self, request: httpx.Request) -> httpx.Response:
        """One call."""
        call = json.loads(request.content)
        method, params = call["method"], call["params"]
        # Each process asks every address once; what it asks besides is what tests are about.
        if method != "eth_chainId":
            self.asked.append((method, params))
        body: dict[str, Any] = {"jsonrpc": "2.0", "id": call["id"]}
        try:
            body["result"] = self._result(method, params)
        except RefusalError as refusal:
            body["error"] = {"code": refusal.code, "message": str(refusal)}
        return httpx.Response(200, json=body)

    def _result(self, method: str, params: list[Any]) -> Any:
        if method == "eth_call" and "to" not in params[0]:
            code = str(params[0]["data"])
            # No wallet is a contract here.
            return "0x00" if code.startswith(load("SignatureValidator").bytecode) else self._reads(code)
        answer = self.answers[method]
        return answer(params) if isinstance(answer, Callable) else answer  # type: ignore[arg-type]

    def _reads(self, code: str) -> str:
        """Several calls at once, each answered as it would be alone; see ``slipway.chain.reads``."""
        (reads,) = decode(["(address,bytes)[]"], bytes.fromhex(code.removeprefix(load("Reads").bytecode)))
        answers = []
        for target, data in reads:
            try:
                result = self._result("eth_call", [{"to": target, "data": "0x" + data.hex()}, "latest"])
                answers.append((True, bytes.fromhex(result.removeprefix("0x"))))
            except RefusalError:
                answers.append((False, b""))
        return "0x" + encode(["(bool,bytes)[]"], [answers]).hex()

    @contextmanager
    def slow(self, method: str, applies: Callable[[list[Any]], bool] = lambda params: True) -> Iterator[None]:
        """Until the block ends, the method's answers do not come, but would be good if they were waited for."""
        answer, over = self.answers[method], threading.Event()

        def late(params: list[Any]) -> Any:
            if applies(params):
                over.wait(60)
            return answer(params) if callable(answer) else answer

        self.answers[method] = late
        try:
            yield
        finally:
            over.set()
            self.answers[method] = answer

    def client(self) -> httpx.Client:
        """Return a client that reaches only this node."""
        return httpx.Client(transport=httpx.MockTransport(self.handle))
