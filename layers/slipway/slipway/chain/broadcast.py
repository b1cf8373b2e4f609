"""Sending signed transactions and watching them: what a node's answer means, and what to do next.

The same bytes may be sent any number of times, so every doubt is resolved by sending them again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pynamodb.expressions.update import Action

from slipway.budgets.store import unspend
from slipway.chain.head import Head
from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.models import Progress, Receipt, TransactionState
from slipway.chain.rpc_errors import Verdict
from slipway.chain.rules import confirmation_pause, confirmations_pause, is_confirmed
from slipway.chain.store import TransactionItem, chain_configuration, fee_cap, remember_least_tip
from slipway.chains import Chain
from slipway.errors import DeploymentFailedError, UpstreamUnavailableError
from slipway.jobs.gas import Served, add_gas
from slipway.observability import logger
from slipway.store import Transaction, condition_held
from slipway.times import from_text, now_text

# A transaction that waited for this many blocks is stuck: it is signed again with higher fees.
STUCK_BLOCKS = 6
# How long after its job's deadline a transaction may take to be called off.
CLOSING_SECONDS = 600


class NotTakenError(UpstreamUnavailableError):
    """No node took a transaction's bytes, or has them; sending them again may work."""


def broadcast(rpc: JsonRpc, item: TransactionItem) -> None:
    """Send a transaction's bytes, for the first time or again.

    Nodes may have these bytes already, or another transaction at their nonce; then the chain decides. So it does after
    any other refusal, if the chain knows the bytes or has used their nonce. Where they pay too little, that is written
    down, and ``transaction_state`` says that the transaction is stuck, so that it is signed again with higher fees.
    The job's owner sees why no node took them.

    Raises:
        NotTakenError: No node took them now; sending them again may work.
        UpstreamUnavailableError: No node answered, or the store did not.
        DeploymentFailedError: A node says that they can never be valid, and none knows them.
    """
    actions: list[Action] = []
    refusal: str | None = None
    try:
        rpc.send_raw(item.raw)
    except RpcError as error:
        if error.classification.verdict is Verdict.FINAL and not _is_taken(rpc, item):
            raise DeploymentFailedError(
                f"The node refuses the transaction: {error.rpc_message}",
                details={"transaction_hash": item.transaction_hash},
            ) from error
        if error.classification.verdict is Verdict.PAY_MORE:
            refusal = rpc.scrubbed(error.rpc_message)
            actions += _underpriced(rpc.chain, item, error.classification.least_tip)
    except UpstreamUnavailableError as error:
        if not _is_taken(rpc, item):
            if not _pays_too_little(rpc, item):
                _note(item, _refused(item, error.message))
                raise NotTakenError(error.message) from error
            logger.warning("refused, and under the network's fees", reason=error.message)
            refusal = error.message
            actions += _underpriced(rpc.chain, item)
    actions += _refused(item, refusal)
    if item.broadcast_at is None:
        actions += [TransactionItem.broadcast_at.set(now_text()), TransactionItem.status.set("broadcast")]
    _note(item, actions)


def _refused(item: TransactionItem, refusal: str | None) -> list[Action]:
    if refusal == item.refusal:
        return []
    return [TransactionItem.refusal.set(refusal) if refusal else TransactionItem.refusal.remove()]


def _note(item: TransactionItem, actions: list[Action]) -> None:
    if actions:
        # Signed again meanwhile, what was sent is not the newest any more.
        newest = TransactionItem.transaction_hash == item.transaction_hash
        condition_held(lambda: item.update(actions=actions, condition=newest))


def _is_taken(rpc: JsonRpc, item: TransactionItem) -> bool:
    """Return whether a refusal is beside the point: nodes have the bytes, or the nonce is used by whichever."""
    return rpc.knows(item.transaction_hash) or rpc.transaction_count(item.signer, "latest") > item.nonce


def _pays_too_little(rpc: JsonRpc, item: TransactionItem) -> bool:
    """Return whether the network asks more than a transaction offers, however the refusal was worded."""
    network, offered = rpc.fees(), item.fees
    least_tip = network.priority_fee_per_gas
    return network.base_fee_per_gas > offered.max_fee_per_gas or least_tip > offered.max_priority_fee_per_gas


def _underpriced(chain: Chain, item: TransactionItem, least_tip: int = 0) -> list[Action]:
    # What no signature may offer is one node's affair, and none of the next jobs'.
    if least_tip and least_tip <= fee_cap(chain, chain_configuration(chain.chain_id)):
        remember_least_tip(chain.chain_id, least_tip)
    return [TransactionItem.underpriced.set(item.transaction_hash), TransactionItem.least_tip.set(least_tip)]


def mined(rpc: JsonRpc, item: TransactionItem) -> Receipt | None:
    """Return the receipt of whichever signature of a transaction is in a block; raises UpstreamUnavailableError."""
    # Any of them may be the one that a miner took; the newest is the likeliest.
    for transaction_hash in reversed(item.hashes):
        receipt = rpc.receipt(transaction_hash, item.fees.max_fee_per_gas)
        if receipt:
            return receipt
    return None


def transaction_state(
    rpc: JsonRpc, chain: Chain, item: TransactionItem, polls: int, moment: datetime
) -> TransactionState:
    """Return how far a transaction is; see ``transaction_states``."""
    return transaction_states(rpc, chain, [item], polls, moment)[0]


def transaction_states(
    rpc: JsonRpc, chain: Chain, items: Sequence[TransactionItem], polls: int, moment: datetime
) -> list[TransactionState]:
    """Return how far each of a job's transactions is.

    A receipt counts as confirmed only if its block is still canonical, so a reorganisation sends it back to pending. A
    transaction is void when its nonce was used by one that Slipway did not sign, in a block that is confirmed: the same
    key was used elsewhere, and none of our signatures can be mined any more.

    Args:
        rpc: The chain's nodes.
        chain: How many confirmations it takes.
        items: The transactions.
        polls: How often they were read before, for the pause.
        moment: The present.

    Raises:
        UpstreamUnavailableError: No node answered.
    """
    if not items:
        return []
    # Before the receipts: what is in no block up to this one was not overlooked.
    head = rpc.head()
    latest = head.number

    def state_of(item: TransactionItem) -> TransactionState:
        pause = confirmation_pause(chain, polls)
        # While the account's next nonce is this one, none of its signatures is in a block.
        receipt = mined(rpc, item) if head.transaction_count(item.signer) > item.nonce else None
        if receipt is None:
            return TransactionState(_unmined(rpc, chain, item, head, moment), pause)
        if not is_confirmed(receipt, latest, chain):
            return TransactionState(Progress.PENDING, confirmations_pause(receipt, latest, chain), receipt)
        if head.block_hash(receipt.block_number) != receipt.block_hash:
            return TransactionState(Progress.PENDING, pause, receipt)
        if receipt.transaction_hash in item.cancel_hashes:
            return TransactionState(Progress.CANCELLED, 0, receipt)
        return TransactionState(Progress.CONFIRMED if receipt.succeeded else Progress.REVERTED, 0, receipt)

    return [state_of(item) for item in items]


def _unmined(rpc: JsonRpc, chain: Chain, item: TransactionItem, head: Head, moment: datetime) -> Progress:
    waited = moment - from_text(item.broadcast_at or item.signed_at)
    is_stuck = waited > timedelta(seconds=chain.block_seconds * STUCK_BLOCKS)
    known = _is_waiting(item, head) or rpc.knows(item.transaction_hash)
    if (is_stuck or not known) and _is_used_elsewhere(chain, item, head):
        return Progress.VOID
    is_stuck = is_stuck or item.underpriced == item.transaction_hash
    # A node that keeps forgetting it, because it pays too little for the pool, wants higher fees as well.
    if not known and not (is_stuck and item.broadcast_at):
        return Progress.MISSING
    return Progress.STUCK if is_stuck else Progress.PENDING


def _is_waiting(item: TransactionItem, head: Head) -> bool:
    """Return whether a pool has what was signed for a nonce once; of several signatures it may have the first."""
    if len(item.hashes) > 1 or head.transaction_count(item.signer) > item.nonce:
        return False
    return head.transaction_count(item.signer, "pending") > item.nonce


def _is_used_elsewhere(chain: Chain, item: TransactionItem, head: Head) -> bool:
    """Return whether a confirmed block used the nonce of a transaction that is in no block up to the head."""
    confirmed = head.number - chain.confirmations + 1
    if confirmed < 0 or head.transaction_count(item.signer) <= item.nonce:
        return False
    return head.transaction_count(item.signer, hex(confirmed)) > item.nonce


def apply_deadline(
    deadline: datetime, found: TransactionState, item: TransactionItem, moment: datetime, served: Served | None = None
) -> TransactionState:
    """Return a transaction's state within a job's time: past ``deadline`` what no block took is to be called off, once.

    What was called off is written down as such, and what that cost for whom it was ``served``.

    Raises:
        DeploymentFailedError: It reverted, was called off, or was still not settled ``CLOSING_SECONDS`` after the
            deadline.
        UpstreamUnavailableError: The store did not answer.
    """
    if found.progress in (Progress.CONFIRMED, Progress.VOID):
        return found
    if found.progress is Progress.REVERTED and found.receipt:
        raise DeploymentFailedError(
            "The transaction was mined and reverted", details={"transaction_hash": found.receipt.transaction_hash}
        )
    if found.progress is Progress.CANCELLED:
        settle(write := Transaction(), item, "cancelled", found.receipt, served)
        write.commit()
        raise DeploymentFailedError(f"The chain did not take the transaction in time; it was called off{item.because}")
    if moment > deadline + timedelta(seconds=CLOSING_SECONDS):
        raise DeploymentFailedError(
            f"The chain neither took nor dropped the transaction; it is being closed{item.because}",
            details={"transaction_hash": item.transaction_hash},
        )
    if moment > deadline and found.receipt is None and not item.cancel_hashes:
        return TransactionState(Progress.EXPIRED, found.pause_seconds)
    return found


def release_unspent_budget(item: TransactionItem, receipt: Receipt) -> None:
    """Give back to the day's budget what was reserved for a transaction and is not spent; best effort."""
    if item.budget:
        unspend(item.budget, max(0, int(item.budget["amount"]) - receipt.cost))


def settle(
    write: Transaction, item: TransactionItem, status: str, receipt: Receipt | None, served: Served | None
) -> None:
    """Add to a job's change how its transaction ended, and what that cost.

    Args:
        write: The job's change.
        item: The transaction.
        status: One of ``slipway.chain.store.SETTLED``.
        receipt: None if it was not mined.
        served: Whose job it was; None where that is not known any more.
    """
    settled = [TransactionItem.status.set(status)]
    write.update(f"transaction:{item.purpose}", TransactionItem(item.pk, item.sk), settled)
    if receipt and served:
        add_gas(
            write,
            served,
            job_id=item.job_id,
            purpose="cancel" if receipt.transaction_hash in item.cancel_hashes else item.purpose,
            chain_id=int(item.chain_id),
            transaction_hash=receipt.transaction_hash,
            gas=receipt.gas_used,
            cost=receipt.cost,
            signed_at=item.signed_at,
        )
