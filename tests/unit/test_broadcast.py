"""What a node's answer to a transaction means, and what a look at the chain finds."""

from datetime import timedelta
from typing import Any

import pytest

from slipway.chain.broadcast import broadcast, held_to, look
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import Progress
from slipway.chain.store import TransactionItem
from slipway.chains import Chain
from slipway.errors import DeploymentFailedError, UpstreamUnavailableError
from slipway.times import now, to_text
from tests.support.nodes import FakeNode, RefusalError

CHAIN = Chain.from_json(
    {
        "chain_id": 1,
        "name": "testnet",
        "rpc_urls": ["http://node.test"],
        "max_fee_per_gas": "1",
        "confirmations": 3,
        "block_seconds": 10,
    }
)
FIRST, SECOND, CANCEL = "0x" + "01" * 32, "0x" + "02" * 32, "0x" + "03" * 32


def _item(*, sent_seconds_ago: float = 1, hashes: tuple[str, ...] = (FIRST,), **changes: Any) -> TransactionItem:
    """A transaction that was broadcast before, so that nothing has to be written."""
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
        broadcast(rpc, _item())


@pytest.mark.parametrize("message", ["huh?", "invalid transaction", "unknown error", "rejected"])
def test_words_that_nobody_listed_are_tried_later(message: str) -> None:
    rpc, _ = _rpc(eth_sendRawTransaction=_refuses(message))
    with pytest.raises(UpstreamUnavailableError):
        broadcast(rpc, _item())


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


def _look(item: TransactionItem | None = None, **answers: Any) -> Any:
    standard = {
        "eth_getTransactionReceipt": None,
        "eth_getTransactionByHash": {"hash": FIRST},
        "eth_blockNumber": hex(100),
        "eth_getBlockByNumber": {"hash": "0xb"},
        "eth_getTransactionCount": hex(7),
    }
    rpc, _ = _rpc(**{**standard, **answers})
    return look(rpc, CHAIN, item or _item(), 0, now())


def test_confirmed_with_enough_blocks_on_it() -> None:
    found = _look(eth_getTransactionReceipt=_receipt(block=98))
    assert found.progress is Progress.CONFIRMED
    assert found.receipt.transaction_hash == FIRST


def test_pending_with_too_few_blocks_on_it() -> None:
    found = _look(eth_getTransactionReceipt=_receipt(block=99))
    assert found.progress is Progress.PENDING
    assert found.pause_seconds >= 1


def test_pending_again_when_its_block_was_reorganised_away() -> None:
    found = _look(eth_getTransactionReceipt=_receipt(), eth_getBlockByNumber={"hash": "0xother"})
    assert found.progress is Progress.PENDING
    assert _look(eth_getTransactionReceipt=_receipt(), eth_getBlockByNumber=None).progress is Progress.PENDING


def test_reverted_only_when_it_is_confirmed() -> None:
    assert _look(eth_getTransactionReceipt=_receipt(block=100, status="0x0")).progress is Progress.PENDING
    found = _look(eth_getTransactionReceipt=_receipt(status="0x0"))
    assert found.progress is Progress.REVERTED
    with pytest.raises(DeploymentFailedError) as caught:
        held_to(now() + timedelta(seconds=1), found, _item(), now())
    assert caught.value.details == {"transaction_hash": FIRST}


def _counts(latest: int, confirmed: int) -> Any:
    """How many transactions of the account the chain has, at the latest block and at the newest confirmed one, 98."""
    return lambda params: hex({"latest": latest, hex(98): confirmed}[params[1]])


@pytest.mark.parametrize(
    ("latest", "confirmed", "progress"), [(7, 7, "missing"), (8, 7, "missing"), (8, 8, "void"), (12, 11, "void")]
)
def test_void_when_a_confirmed_block_used_its_nonce_and_none_of_its_signatures_is_mined(
    latest: int, confirmed: int, progress: str
) -> None:
    counts = _counts(latest, confirmed)
    assert _look(eth_getTransactionByHash=None, eth_getTransactionCount=counts).progress == progress
    # A node that still shows it says nothing of the nonce until it should long have been mined.
    shown = {"eth_getTransactionCount": counts}
    assert _look(**shown).progress is Progress.PENDING
    assert _look(_item(sent_seconds_ago=65), **shown).progress == progress.replace("missing", "stuck")
    # One of our own signatures used it.
    mined = _look(_item(hashes=(FIRST, SECOND)), eth_getTransactionReceipt=_receipt(FIRST), **shown)
    assert mined.progress is Progress.CONFIRMED


def test_a_node_that_has_no_history_leaves_it_open_whether_a_nonce_was_used_elsewhere() -> None:
    def pruned(params: list[Any]) -> str:
        if params[1] == "latest":
            return hex(8)
        raise RefusalError(-32000, "missing trie node")

    with pytest.raises(UpstreamUnavailableError):
        _look(eth_getTransactionByHash=None, eth_getTransactionCount=pruned)


def test_pending_while_nodes_have_it() -> None:
    assert _look().progress is Progress.PENDING


def test_missing_when_no_node_has_it() -> None:
    assert _look(eth_getTransactionByHash=None).progress is Progress.MISSING


def test_stuck_after_six_blocks() -> None:
    assert _look(_item(sent_seconds_ago=55)).progress is Progress.PENDING
    assert _look(_item(sent_seconds_ago=65)).progress is Progress.STUCK


def test_any_of_the_signatures_may_be_the_one_that_was_mined() -> None:
    found = _look(_item(hashes=(FIRST, SECOND)), eth_getTransactionReceipt=_receipt(FIRST))
    assert found.progress is Progress.CONFIRMED
    assert found.receipt.transaction_hash == FIRST


def test_cancelled_when_the_transaction_that_does_nothing_was_mined() -> None:
    item = _item(hashes=(FIRST, CANCEL), cancel_hashes=[CANCEL])
    assert _look(item, eth_getTransactionReceipt=_receipt(CANCEL)).progress is Progress.CANCELLED
    # The launch's own won the race for the nonce.
    assert _look(item, eth_getTransactionReceipt=_receipt(FIRST)).progress is Progress.CONFIRMED


def test_a_node_that_cannot_tell_is_asked_again_later() -> None:
    """As geth says while it indexes; that is no word on the transaction."""
    for method in ("eth_getTransactionReceipt", "eth_getTransactionByHash"):
        with pytest.raises(UpstreamUnavailableError):
            _look(**{method: _refuses("transaction indexing is in progress")})
