"""Ethereum JSON-RPC over HTTP with fail-over between the addresses of a chain.

Source: the Ethereum JSON-RPC specification (ethereum/execution-apis).
"""

import itertools
import random
import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx

from slipway.chain.head import Head
from slipway.chain.models import Call, ChainFees, Receipt, Sent
from slipway.chain.nodes import Node, head_of, nodes_of
from slipway.chain.rpc_errors import (
    CALL,
    ESTIMATE,
    SEND,
    Classification,
    Refusal,
    Verdict,
    classify,
    is_revert,
    refusal_of,
)
from slipway.chains import Chain
from slipway.deadline_client import request_within
from slipway.errors import SlipwayError, UpstreamUnavailableError
from slipway.observability import logger
from slipway.request_budget import BudgetSpentError, seconds_left, waiting
from slipway.times import Clock

_ROUNDS = 3
_PAUSE_SECONDS = 0.2
_MAX_REASON = 300
_MAX_BYTES = 8 * 1024 * 1024
_QUANTITY = re.compile(r"0x[0-9a-fA-F]+")
# A part of an address that is so long may be a key.
_MIN_SECRET = 8
# What the cheapest transaction uses (Yellow Paper, G_transaction).
_MIN_GAS = 21_000
_ids = itertools.count(1)


class RpcError(SlipwayError):
    """A node's refusal that counts: a revert, a refusal for good, or what a pool says of a transaction."""

    code = "DEPLOYMENT_FAILED"

    def __init__(self, refusal: Refusal, classification: Classification) -> None:
        self.refusal = refusal
        self.classification = classification
        self.rpc_message = refusal.message[:_MAX_REASON]
        super().__init__(f"{refusal.method}: {self.rpc_message}")


class _NoAnswerError(Exception):
    """This address did not answer as it should; the next one may."""

    def __init__(self, reason: str = "", *, is_load: bool = False, never: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_load = is_load
        self.never = never


_BEHIND = _NoAnswerError("the node is behind")


def _weight(classification: Classification) -> tuple[bool, int]:
    return classification.verdict is Verdict.CHECK, classification.least_tip


class _Failures:
    """Why the addresses that were asked in one round gave no answer."""

    def __init__(self) -> None:
        self.reason = ""
        self.rpc_error: RpcError | None = None
        self._kinds: list[_NoAnswerError] = []

    def add(self, failure: _NoAnswerError) -> None:
        self._kinds.append(failure)
        self.reason = failure.reason or self.reason

    def add_rpc_error(self, error: RpcError) -> None:
        """Keep the best of what pools said: that a transaction may be there before that it pays too little."""
        if self.rpc_error is None or _weight(error.classification) > _weight(self.rpc_error.classification):
            self.rpc_error = error

    @property
    def is_load(self) -> bool:
        return bool(self._kinds) and all(failure.is_load for failure in self._kinds)

    @property
    def are_for_good(self) -> bool:
        return bool(self._kinds) and all(failure.never for failure in self._kinds)


class JsonRpc:
    """Calls one chain's nodes.

    Any answer that is not a permanent refusal makes the next address be asked: a timeout, a closed connection, an HTTP
    error, a page or a list instead of an answer, another request's id, a refusal whatever its words. There are up to
    three rounds with jittered pauses, until ``deadline`` seconds have gone. An address of another chain is never used.
    A node that is behind the highest block seen does not get to say that something is missing.

    Args:
        chain: Gives the addresses, the first of which is preferred.
        client: The HTTP client; its lifetime is the caller's.
        deadline: Seconds for each call as a whole.
        clock: Passes the time.
    """

    def __init__(self, chain: Chain, client: httpx.Client, deadline: float = 10.0, clock: Clock = time) -> None:
        self._chain = chain
        self._client = client
        self._deadline = deadline
        self._clock = clock
        self._nodes = nodes_of(chain)
        parts = [part for url in chain.rpc_urls for part in re.split(r"[/?&=@:]", url) if len(part) >= _MIN_SECRET]
        self._secrets = re.compile("|".join([r"\S*://\S*", *map(re.escape, parts)]))

    @property
    def chain(self) -> Chain:
        """Whose nodes these are."""
        return self._chain

    # ── Calls ───────────────────────────────────────────────────────────────────────────────────

    def call(self, method: str, *params: Any) -> Any:
        """Return a JSON-RPC call's ``result``, None included; errors are those of ``ask_nodes``."""
        return self.ask_nodes(method, params, lambda result: result)

    def ask_nodes[Value](
        self,
        method: str,
        params: tuple[Any, ...],
        decode: Callable[[Any], Value],
        missing: Callable[[Value], bool] = lambda _: False,
        rounds: int = _ROUNDS,
    ) -> Value:
        """Call a method and read its answer.

        Args:
            method: The method.
            params: Its parameters.
            decode: Reads the result; one that it can't read is no answer.
            missing: Whether the value says that something is not there, which a node that lags can't know.
            rounds: How often all addresses are asked.

        Raises:
            RpcError: A node refused: a revert, or of a transaction that is sent anything but "later".
            UpstreamUnavailableError: No address answered in time; ``details`` has ``rate_limited`` if all of them only
                had too much to do.
        """
        ends_at = self._clock.monotonic() + seconds_left(self._deadline)
        failures = _Failures()
        for attempt in range(rounds):
            failures = _Failures()
            for node in self._nodes.in_order(self._clock.monotonic()):
                if self._clock.monotonic() >= ends_at:
                    break
                try:
                    value = decode_with(decode, self._ask(node, method, params, ends_at))
                    if not missing(value) or self._is_current(node, ends_at):
                        return value
                    failures.add(_BEHIND)
                except _NoAnswerError as failure:
                    failures.add(failure)
                except RpcError as error:
                    if error.classification.verdict is not Verdict.FINAL:
                        # Another pool may take what this one knows or finds too cheap.
                        failures.add_rpc_error(error)
                    elif not is_revert(error.refusal) or self._is_current(node, ends_at):
                        raise
                    else:
                        failures.add(_BEHIND)
            pause = _PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311 (jitter, not a secret)
            is_over = self._clock.monotonic() + pause >= ends_at or attempt == rounds - 1
            if is_over or failures.rpc_error or failures.are_for_good:
                break
            self._clock.sleep(pause)
        raise failures.rpc_error or self._unavailable(method, failures)

    def scrubbed(self, text: str) -> str:
        """Return a node's words without addresses and keys."""
        return self._secrets.sub("…", text)[:_MAX_REASON]

    def _unavailable(self, method: str, failures: _Failures) -> UpstreamUnavailableError:
        # The addresses stay out of the message: they often carry a key.
        reason = self.scrubbed(failures.reason)
        return UpstreamUnavailableError(
            f"No node of {self._chain.name} answered {method}" + (f": {reason}" if reason else ""),
            retry_after=5,
            details={"rate_limited": True} if failures.is_load else None,
        )

    # ── One address ─────────────────────────────────────────────────────────────────────────────

    def _ask(self, node: Node, method: str, params: tuple[Any, ...], ends_at: float) -> Any:
        """Ask one address, once it is certain which chain it is of; keep what that says of its health."""
        try:
            if not node.is_verified:
                self._verify(node, ends_at)
            result = self._post(node, method, params, ends_at)
        except _NoAnswerError as failure:
            if not failure.never:
                node.failed(self._clock.monotonic())
            raise
        except RpcError:
            node.answered()
            raise
        node.answered()
        if method == "eth_blockNumber":
            node.reported(decode_with(_number, result), self._clock.monotonic())
        return result

    def _verify(self, node: Node, ends_at: float) -> None:
        chain_id = decode_with(_number, self._post(node, "eth_chainId", (), ends_at))
        if chain_id != self._chain.chain_id:
            node.is_foreign = True
            message = f"RPC address {node.position} is of chain {chain_id}, not {self._chain.chain_id}"
            logger.error(message, chain=self._chain.name)
            raise _NoAnswerError(message, never=True)
        node.is_verified = True

    def _post(self, node: Node, method: str, params: tuple[Any, ...], ends_at: float) -> Any:
        left = ends_at - self._clock.monotonic()
        if left <= 0:
            raise _NoAnswerError
        # Half of what is left, so that a silent first address leaves time for the second.
        timeout = left if len(self._chain.rpc_urls) == 1 else left / 2
        request_id = next(_ids)
        body = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": list(params)}
        try:
            with waiting(timeout) as seconds:
                response = request_within(
                    self._client, "POST", node.url, seconds, most_bytes=_MAX_BYTES, clock=self._clock, json=body
                )
        except UpstreamUnavailableError as error:
            raise _NoAnswerError(error.message) from error
        except (httpx.HTTPError, httpx.InvalidURL, BudgetSpentError) as error:
            raise _NoAnswerError from error
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            answer = None
        found = answer if isinstance(answer, dict) else {}
        if response.status_code == httpx.codes.OK and "result" in found and found.get("error") is None:
            if found.get("id") not in (request_id, str(request_id)):
                raise _NoAnswerError("the answer is another request's")
            return found["result"]
        raise _classified(method, response, answer)

    def _is_current(self, node: Node, ends_at: float) -> bool:
        """Whether a node has the highest block that any address reported lately; asks them where nobody knows."""
        for other in self._nodes.not_seen(node, self._clock.monotonic()):
            self._observe(other, ends_at)
        highest = self._nodes.highest(self._clock.monotonic())
        if highest is not None and (node.head is None or node.head < highest):
            self._observe(node, ends_at)
        return highest is None or (node.head is not None and node.head >= highest)

    def _observe(self, node: Node, ends_at: float) -> None:
        try:
            self._ask(node, "eth_blockNumber", (), ends_at)
        except (_NoAnswerError, RpcError):
            logger.debug("no block number", chain=self._chain.name, position=node.position)

    # ── Methods ─────────────────────────────────────────────────────────────────────────────────

    def head(self) -> Head:
        """Return the chain's head, which this process reads once for a part of a block."""
        return head_of(self._chain, self._clock.monotonic(), lambda: Head(self))

    def fees(self) -> ChainFees:
        """Return the base fee of the next block and the tip to offer, in wei: what recent blocks took or the node
        suggests, whichever is more, and the former apart.

        A chain without EIP-1559 has a gas price alone, which counts as the tip.
        """
        if self._chain.is_legacy:
            return ChainFees(0, self.ask_nodes("eth_gasPrice", (), _number))
        fees = self.ask_nodes("eth_feeHistory", (hex(5), "latest", [50]), _fees)
        try:
            suggested = self.ask_nodes("eth_maxPriorityFeePerGas", (), _number, rounds=1)
        except UpstreamUnavailableError:
            return fees
        return replace(fees, priority_fee_per_gas=max(fees.priority_fee_per_gas, suggested))

    def estimate_gas(self, sender: str, call: Call) -> int:
        """Return the gas that the call would use now; raises RpcError when it would revert."""
        transaction = {"from": sender, "data": "0x" + call.data.hex(), "value": hex(call.value)}
        if call.to:
            transaction["to"] = call.to
        return self.ask_nodes(ESTIMATE, (transaction,), _gas)

    def eth_call(self, to: str, data: bytes) -> bytes:
        """Return what a read-only call returns at the latest block; raises RpcError when it reverts."""
        return self.ask(to, data, lambda answer: answer)

    def ask[Value](self, to: str, data: bytes, decode: Callable[[bytes], Value], block: str = "latest") -> Value:
        """Return what a read-only call returns as of a block, decoded; an answer that can't be is no answer."""
        call = {"to": to, "data": "0x" + data.hex()}
        return self.ask_nodes(CALL, (call, block), lambda answer: decode(_bytes(answer)))

    def create_call[Value](self, code: str, decode: Callable[[bytes], Value], gas: int | None = None) -> Value:
        """Return what creation code returns that is run at the latest block without being deployed, decoded.

        Args:
            code: Hexadecimal, with its arguments.
            decode: Reads the answer.
            gas: The most that it may use up; None where the node decides.
        """
        call = {"data": code} | ({"gas": hex(gas)} if gas else {})
        return self.ask_nodes(CALL, (call, "latest"), lambda answer: decode(_bytes(answer)))

    def code_at(self, address: str) -> bytes:
        """Return the runtime code of a contract, empty where there is none."""
        return self.ask_nodes("eth_getCode", (address, "latest"), _bytes, missing=lambda code: not code)

    def transaction_count(self, address: str, block: str = "pending") -> int:
        """Return the next nonce of an account as the node sees it."""
        return self.ask_nodes("eth_getTransactionCount", (address, block), _number, missing=lambda _: True)

    def balance(self, address: str) -> int:
        """Return the balance in wei at the latest block."""
        return self.ask_nodes("eth_getBalance", (address, "latest"), _number)

    def block_number(self) -> int:
        """Return the number of the latest block."""
        return self.ask_nodes("eth_blockNumber", (), _number)

    def block_gas_limit(self) -> int:
        """Return the gas that all transactions of the latest block could use."""
        return self.ask_nodes("eth_getBlockByNumber", ("latest", False), lambda block: _number(block["gasLimit"]))

    def block_hash(self, number: int) -> str | None:
        """Return the hash of the block that is canonical at ``number`` now."""
        return self.ask_nodes(
            "eth_getBlockByNumber",
            (hex(number), False),
            lambda block: _hash_of(block, number),
            missing=lambda found: found is None,
        )

    def receipt(self, transaction_hash: str, offered: int = 0) -> Receipt | None:
        """Return the receipt, or None while the transaction is not in a block.

        Args:
            transaction_hash: The transaction.
            offered: What it offered in wei per unit of gas: its price where the receipt does not say it.
        """
        return self.ask_nodes(
            "eth_getTransactionReceipt",
            (transaction_hash,),
            lambda answer: _receipt(answer, offered) if _is_of(answer, transaction_hash) else None,
            missing=lambda found: found is None,
        )

    def knows(self, transaction_hash: str) -> bool:
        """Return whether a node has the transaction, in a block or waiting."""
        return self.ask_nodes(
            "eth_getTransactionByHash",
            (transaction_hash,),
            lambda found: _is_of(found, transaction_hash),
            missing=lambda known: not known,
        )

    def transaction(self, transaction_hash: str) -> Sent | None:
        """Return what a transaction does that a node has, in a block or waiting; None while none has it."""
        return self.ask_nodes(
            "eth_getTransactionByHash",
            (transaction_hash,),
            lambda found: _sent(found) if _is_of(found, transaction_hash) else None,
            missing=lambda found: found is None,
        )

    def send_raw(self, raw: str) -> str:
        """Broadcast signed bytes; returns their hash, raises RpcError with what the nodes' pools say."""
        return self.ask_nodes(SEND, (raw,), _hash)


def decode_with[Value](decode: Callable[[Any], Value], result: Any) -> Value:
    """Read an answer; one that is not of the method's shape is no answer."""
    try:
        return decode(result)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise _NoAnswerError("the answer makes no sense") from error


def _classified(method: str, response: httpx.Response, answer: Any) -> Exception:
    """Return the exception for an answer without result: ``RpcError`` where a node refused what was asked."""
    refusal = refusal_of(method, response.status_code, answer, response.text)
    classification = classify(refusal)
    if classification.verdict in (Verdict.LATER, Verdict.NEXT_ADDRESS):
        never = classification.verdict is Verdict.NEXT_ADDRESS
        return _NoAnswerError(refusal.message[:_MAX_REASON], is_load=classification.is_load, never=never)
    return RpcError(refusal, classification)


def _number(text: Any) -> int:
    """Read a quantity; a text without prefix would be read as another number than it means."""
    if not isinstance(text, str) or not _QUANTITY.fullmatch(text):
        raise ValueError("not a quantity")
    return int(text, 16)


def _is_of(answer: Any, transaction_hash: str) -> bool:
    """Whether an answer is about a transaction; None says that there is none.

    Raises:
        ValueError: It is about another one.
    """
    if answer is None:
        return False
    found = answer.get("transactionHash") or answer["hash"]
    if found.lower() != transaction_hash.lower():
        raise ValueError("of another transaction")
    return True


def _gas(text: Any) -> int:
    gas = _number(text)
    if gas < _MIN_GAS:
        raise ValueError("no transaction uses so little")
    return gas


def _hash(text: Any) -> str:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError("not a hash")
    return text


def _bytes(text: Any) -> bytes:
    if not text.startswith("0x"):
        raise ValueError("not hexadecimal")
    return bytes.fromhex(text[2:])


def _fees(history: Any) -> ChainFees:
    tips = sorted(_number(rewards[0]) for rewards in history.get("reward") or [] if rewards)
    base_fee = _number(history["baseFeePerGas"][-1])
    tip = tips[len(tips) // 2] if tips else 0
    return ChainFees(base_fee_per_gas=base_fee, priority_fee_per_gas=tip, mined_tip=tip)


def _hash_of(block: Any, number: int) -> str | None:
    if block is None:
        return None
    if _number(block.get("number", hex(number))) != number:
        raise ValueError("of another block")
    return str(block["hash"])


def _sent(answer: Any) -> Sent:
    # A few nodes call it data.
    return Sent(answer.get("to"), _bytes(answer.get("input") or answer.get("data") or "0x"))


def _receipt(answer: Any, offered: int) -> Receipt | None:
    if not answer.get("blockHash"):
        return None
    price = answer.get("effectiveGasPrice")
    return Receipt(
        transaction_hash=str(answer["transactionHash"]),
        block_number=_number(answer["blockNumber"]),
        block_hash=str(answer["blockHash"]),
        succeeded=_number(answer["status"]) == 1,
        gas_used=_number(answer["gasUsed"]),
        effective_gas_price=_number(price) if price else offered,
        contract_address=answer.get("contractAddress"),
        l1_fee=_number(answer.get("l1Fee") or "0x0"),
    )
