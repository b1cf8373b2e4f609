"""What a node's answer to a transaction means, and what a look at the chain finds."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.chains import chain_entry
from slipway.chain.broadcast import apply_deadline, broadcast, transaction_state, transaction_states
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import Progress
from slipway.chain.nodes import forget_nodes
from slipway.chain.store import TransactionItem
from slipway.chains import Chain
from slipway.errors import DeploymentFailedError, UpstreamUnavailableError
from slipway.times import now, to_text
from tests.support.clock import ManualClock
from tests.support.nodes import FakeNode, RefusalError

CHAIN = Chain.from_json(
    chain_entry("http://node.test", chain_id=1, max_fee_per_gas="1", confirmations=3, block_seconds=10)
)
FIRST, SECOND, CANCEL = "0x" + "01" * 32, "0x" + "02" * 32, "0x" + "03" * 32


def _item(*, sent_seconds_ago: float = 1, hashes: tuple[str, ...] = (FIRST,), **changes: Any) -> TransactionItem:
    """Return a transaction that was broadcast before: nothing has to be written, nor a refusal that is ``refusal``."""
    moment = to_text(now() - timedelta(seconds=sent_seconds_ago))
    return TransactionItem(
        *TransactionItem.key(1, "0xsigner", 7),
        signer="0xsigner",
        nonce=7,
        raw="0xraw",
        transaction_hash=hashes[-1],
        hashes=list(hashes),
        signed_at=moment,
        broadcast_at=moment,
        max_fee_per_gas="1",
        max_priority_fee_per_gas="1",
        **changes,
    )


def _rpc(**answers: Any) -> tuple[JsonRpc, FakeNode]:
    nothing = {
        "eth_chainId": "0x1",
        "eth_getTransactionByHash": None,
        "eth_getTransactionCount": "0x7",
        "eth_feeHistory": {"baseFeePerGas": ["0x1"], "reward": []},
        "eth_maxPriorityFeePerGas": "0x1",
    }
    forget_nodes()
    node = FakeNode(**nothing | answers)
    return JsonRpc(CHAIN, node.client()), node


def _receipt(transaction_hash: str = FIRST, *, block: int = 98, block_hash: str = "0xb", status: str = "0x1") -> Any:
    receipt = {
        "transactionHash": transaction_hash,
        "blockNumber": hex(block),
        "blockHash": block_hash,
        "status": status,
        "gasUsed": "0x1",
        "effectiveGasPrice": "0x1",
    }
    return lambda params: receipt if params[0] == transaction_hash else None


def _refuses(message: str) -> Any:
    def answer(params: list[Any]) -> Any:
        raise RefusalError(-32000, message)

    return answer


@pytest.mark.parametrize(
    "message",
    [
        "already known",
        "AlreadyKnown",
        "known transaction: 0xabc",
        "Transaction with the same hash was already imported.",
        "tx already in mempool",
        "nonce too low: next nonce 8, tx nonce 7",
        "Nonce is too low",
        "OldNonce",
        "replacement transaction underpriced",
        "Replacement transaction underpriced",
    ],
)
def test_a_node_that_has_it_or_another_at_its_nonce_leaves_the_receipt_to_decide(message: str) -> None:
    rpc, node = _rpc(eth_sendRawTransaction=_refuses(message))
    broadcast(rpc, _item())
    assert [method for method, _ in node.asked] == ["eth_sendRawTransaction"]


@pytest.mark.parametrize(
    "message",
    [
        "insufficient funds for gas * price + value: balance 0",
        "txpool is full",
        "mempool is full",
        "exceeds block gas limit",
        "request timeout",
        "please try again later",
        # Nodes that keep no gaps: the earlier nonce is on its way.
        "nonce too high",
        "Nonce too high. Expected nonce to be 5 but got 7.",
        "future transaction tries to replace pending",
        "gapped-nonce tx from delegated accounts",
    ],
)
def test_what_may_pass_later_is_tried_later(message: str) -> None:
    rpc, _ = _rpc(eth_sendRawTransaction=_refuses(message))
    with pytest.raises(UpstreamUnavailableError):
        broadcast(rpc, _item(refusal=f"No node of testnet answered eth_sendRawTransaction: {message}"))


@pytest.mark.parametrize("message", ["huh?", "invalid transaction", "unknown error", "rejected"])
def test_words_that_nobody_listed_are_tried_later(message: str) -> None:
    rpc, _ = _rpc(eth_sendRawTransaction=_refuses(message))
    with pytest.raises(UpstreamUnavailableError):
        broadcast(rpc, _item(refusal=f"No node of testnet answered eth_sendRawTransaction: {message}"))


@pytest.mark.parametrize("message", ["invalid sender", "intrinsic gas too low", "invalid chain id for signer"])
def test_what_can_never_pass_fails_the_launch_with_its_hash(message: str) -> None:
    rpc, _ = _rpc(eth_sendRawTransaction=_refuses(message))
    with pytest.raises(DeploymentFailedError) as caught:
        broadcast(rpc, _item())
    assert caught.value.details == {"transaction_hash": FIRST}


@pytest.mark.parametrize("message", ["huh?", "internal error", "intrinsic gas too low", "method not found", "429"])
@pytest.mark.parametrize("there", [{"eth_getTransactionByHash": {"hash": FIRST}}, {"eth_getTransactionCount": "0x8"}])
def test_bytes_that_are_there_and_nonces_that_are_used_are_looked_at_whatever_the_node_says(
    message: str, there: dict[str, Any]
) -> None:
    rpc, _ = _rpc(eth_sendRawTransaction=_refuses(message), **there)
    broadcast(rpc, _item())


def test_a_refusal_for_good_is_none_while_nobody_can_look() -> None:
    rpc, _ = _rpc(
        eth_sendRawTransaction=_refuses("intrinsic gas too low"), eth_getTransactionByHash=_refuses("internal error")
    )
    with pytest.raises(UpstreamUnavailableError):
        broadcast(rpc, _item())


def _state(item: TransactionItem | None = None, **answers: Any) -> Any:
    standard = {
        "eth_getTransactionReceipt": None,
        "eth_getTransactionByHash": {"hash": FIRST},
        "eth_blockNumber": hex(100),
        "eth_getBlockByNumber": {"hash": "0xb"},
        # What is in a block counts.
        "eth_getTransactionCount": hex(8 if "eth_getTransactionReceipt" in answers else 7),
    }
    rpc, _ = _rpc(**{**standard, **answers})
    return transaction_state(rpc, CHAIN, item or _item(), 0, now())


def test_confirmed_with_enough_blocks_on_it() -> None:
    found = _state(eth_getTransactionReceipt=_receipt(block=98))
    assert found.progress is Progress.CONFIRMED
    assert found.receipt.transaction_hash == FIRST


def test_pending_with_too_few_blocks_on_it() -> None:
    found = _state(eth_getTransactionReceipt=_receipt(block=99))
    assert found.progress is Progress.PENDING
    assert found.pause_seconds >= 1


def test_pending_again_when_its_block_was_reorganised_away() -> None:
    found = _state(eth_getTransactionReceipt=_receipt(), eth_getBlockByNumber={"hash": "0xother"})
    assert found.progress is Progress.PENDING
    assert _state(eth_getTransactionReceipt=_receipt(), eth_getBlockByNumber=None).progress is Progress.PENDING


def test_reverted_only_when_it_is_confirmed() -> None:
    assert _state(eth_getTransactionReceipt=_receipt(block=100, status="0x0")).progress is Progress.PENDING
    found = _state(eth_getTransactionReceipt=_receipt(status="0x0"))
    assert found.progress is Progress.REVERTED
    with pytest.raises(DeploymentFailedError) as caught:
        apply_deadline(now() + timedelta(seconds=1), found, _item(), now())
    assert caught.value.details == {"transaction_hash": FIRST}


def _counts(latest: int, confirmed: int) -> Any:
    """How many transactions of the account the chain has, at the latest block and at the newest confirmed one, 98."""
    return lambda params: hex({"pending": latest, "latest": latest, hex(98): confirmed}[params[1]])


@pytest.mark.parametrize(
    ("latest", "confirmed", "progress"), [(7, 7, "missing"), (8, 7, "missing"), (8, 8, "void"), (12, 11, "void")]
)
def test_void_when_a_confirmed_block_used_its_nonce_and_none_of_its_signatures_is_mined(
    latest: int, confirmed: int, progress: str
) -> None:
    counts = _counts(latest, confirmed)
    assert _state(eth_getTransactionByHash=None, eth_getTransactionCount=counts).progress == progress
    # A node that still shows it says nothing of the nonce until it should long have been mined.
    shown = {"eth_getTransactionCount": counts}
    assert _state(**shown).progress is Progress.PENDING
    assert _state(_item(sent_seconds_ago=65), **shown).progress == progress.replace("missing", "stuck")
    # One of our own signatures used it.
    shown = {"eth_getTransactionCount": _counts(max(latest, 8), confirmed)}
    mined = _state(_item(hashes=(FIRST, SECOND)), eth_getTransactionReceipt=_receipt(FIRST), **shown)
    assert mined.progress is Progress.CONFIRMED


def test_a_node_that_has_no_history_leaves_it_open_whether_a_nonce_was_used_elsewhere() -> None:
    def pruned(params: list[Any]) -> str:
        if params[1] in ("latest", "pending"):
            return hex(8)
        raise RefusalError(-32000, "missing trie node")

    with pytest.raises(UpstreamUnavailableError):
        _state(eth_getTransactionByHash=None, eth_getTransactionCount=pruned)


def test_pending_while_nodes_have_it() -> None:
    assert _state().progress is Progress.PENDING


def test_missing_when_no_node_has_it() -> None:
    assert _state(eth_getTransactionByHash=None).progress is Progress.MISSING


def test_stuck_after_six_blocks() -> None:
    assert _state(_item(sent_seconds_ago=55)).progress is Progress.PENDING
    assert _state(_item(sent_seconds_ago=65)).progress is Progress.STUCK


def test_any_of_the_signatures_may_be_the_one_that_was_mined() -> None:
    found = _state(_item(hashes=(FIRST, SECOND)), eth_getTransactionReceipt=_receipt(FIRST))
    assert found.progress is Progress.CONFIRMED
    assert found.receipt.transaction_hash == FIRST


def test_cancelled_when_the_transaction_that_does_nothing_was_mined() -> None:
    item = _item(hashes=(FIRST, CANCEL), cancel_hashes=[CANCEL])
    assert _state(item, eth_getTransactionReceipt=_receipt(CANCEL)).progress is Progress.CANCELLED
    # The launch's own won the race for the nonce.
    assert _state(item, eth_getTransactionReceipt=_receipt(FIRST)).progress is Progress.CONFIRMED


def test_a_node_that_cannot_answer_is_asked_again_later() -> None:
    """As geth says while it indexes; that is no word on the transaction."""
    for method in ("eth_getTransactionReceipt", "eth_getTransactionByHash"):
        with pytest.raises(UpstreamUnavailableError):
            _state(**{method: _refuses("transaction indexing is in progress")})


def _launches(launches: int, signers: int, node: FakeNode) -> list[Progress]:
    """Look at the creation and the registration of each of so many launches, as its own execution does."""
    found = []
    for number in range(launches):
        account = f"0xsigner{number % signers}"
        items = [_item(hashes=(f"0x{2 * number + which:064x}",)) for which in range(2)]
        for which, item in enumerate(items):
            item.signer, item.nonce = account, 2 * number + which
        rpc = JsonRpc(CHAIN, node.client())
        found += [entry.progress for entry in transaction_states(rpc, CHAIN, items, 0, now())]
    return found


def test_one_look_at_the_head_serves_all_launches_that_wait_for_it() -> None:
    counts = {"latest": "0x0", "pending": hex(500)}
    _, node = _rpc(eth_getTransactionCount=lambda params: counts[params[1]])
    assert set(_launches(100, 3, node)) == {Progress.PENDING}
    # The block's number, and of each account what is mined and what waits: not one call for each launch.
    asked = Counter(method for method, _ in node.asked)
    assert asked == {"eth_blockNumber": 1, "eth_getTransactionCount": 6}
    # Once they are mined, each has its receipts, and the block that all are in is asked once whether it is canonical.
    forget_nodes()
    node.asked.clear()
    counts["latest"] = hex(500)
    node.answers |= {
        "eth_getTransactionReceipt": lambda params: _receipt(params[0])(params),
        "eth_getBlockByNumber": {"hash": "0xb"},
    }
    assert set(_launches(100, 3, node)) == {Progress.CONFIRMED}
    asked = Counter(method for method, _ in node.asked)
    assert asked.pop("eth_getTransactionReceipt") == 200
    assert asked == {"eth_blockNumber": 1, "eth_getTransactionCount": 3, "eth_getBlockByNumber": 1}


def test_what_waits_at_the_same_time_asks_once_and_a_failure_is_not_kept() -> None:
    begun, asked = threading.Event(), []

    def answers(params: list[Any]) -> str:
        asked.append(params)
        begun.wait(10)
        if len(asked) == 1:
            raise RefusalError(-32004, "method not supported")
        return hex(7)

    head = _rpc(eth_getTransactionCount=answers)[0].head()
    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(head.transaction_count, "0xsigner") for _ in range(8)]
        begun.set()
        failures = [future.exception() for future in waiting]
    assert all(failure is None or isinstance(failure, UpstreamUnavailableError) for failure in failures)
    assert isinstance(failures[0], UpstreamUnavailableError)
    assert head.transaction_count("0xsigner") == 7
    assert len(asked) == 2


def test_a_look_at_the_head_is_of_the_past_after_a_quarter_of_a_block() -> None:
    clock, numbers = ManualClock(), iter(range(100, 200))
    forget_nodes()
    node = FakeNode(eth_chainId="0x1", eth_blockNumber=lambda _: hex(next(numbers)))
    chain = replace(CHAIN, block_seconds=4)
    rpc = JsonRpc(chain, node.client(), clock=clock)
    assert rpc.head().number == rpc.head().number == 100
    clock.seconds += 0.9
    assert rpc.head().number == 100
    clock.seconds += 0.1
    assert rpc.head().number == 101
