"""What ``reconcile`` does for deployer accounts: sends again what nodes lost, and closes nonces that nobody serves."""

from collections.abc import Callable
from typing import Protocol

from slipway.chain.broadcast import STUCK_BLOCKS, broadcast, mined
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import Receipt
from slipway.chain.rules import is_confirmed
from slipway.chain.store import (
    TransactionItem,
    chain_configuration,
    stored_nonce,
    transaction_at,
    use_nonces_up_to,
)
from slipway.chains import Chain
from slipway.observability import logger, record
from slipway.settings import ChainSettings
from slipway.store import upstream_errors
from slipway.times import from_text, now

_MOST_NONCES = 50
_SETTLED = ("confirmed", "cancelled")


class Owner(Protocol):
    """Whose transactions some are: what a kind of job knows of them."""

    def is_over(self, item: TransactionItem) -> bool:
        """Whether the transaction's job has ended, so that closing the nonce is all that is left."""
        ...

    def send(self, item: TransactionItem) -> None:
        """Send it again, unless the job has ended meanwhile."""
        ...

    def settled(self, item: TransactionItem, receipt: Receipt) -> None:
        """The job is over and this is what became of its transaction: ``confirmed`` or ``cancelled``, and mined so."""
        ...


def deployer_accounts(settings: ChainSettings) -> list[tuple[int, str]]:
    """Chain id and address of each account of the pool: the same accounts sign on every chain, the tokens' first."""
    token_chain = settings.token_chain_id
    chains = [token_chain, *sorted(set(settings.chains) - {token_chain})]
    registrars = chain_configuration(token_chain).registrars
    return [(chain_id, address) for chain_id in chains for address in registrars]


class SignerReconcile:
    """Mends what was left behind on one chain.

    Args:
        chain: The chain.
        rpc: Its nodes.
        owner_of: Tells whose a transaction is.
    """

    def __init__(self, chain: Chain, rpc: JsonRpc, owner_of: Callable[[TransactionItem], Owner]) -> None:
        self._chain = chain
        self._rpc = rpc
        self._owner_of = owner_of

    def inspect(self, address: str) -> list[int]:
        """Compare an account's stored next nonce with the chain's, and mend what needs no signature.

        Behind the chain: the account was used elsewhere, so those nonces are given up for good. Ahead of it: each
        nonce between was given out and may still be mined, so none is used again; its bytes are sent again if a node
        lost them.

        Returns:
            Nonces that need a signature to be closed: nothing holds them, or the job that does has ended.
        """
        stored = stored_nonce(self._chain.chain_id, address)
        record("SignerBalance", self._rpc.balance(address) / 10**18)
        if stored is None:
            return []
        next_nonce = self._rpc.transaction_count(address, "latest")
        if next_nonce > stored:
            logger.warning("account used elsewhere", signer=address, stored=stored, mined=next_nonce)
            use_nonces_up_to(self._chain.chain_id, address, stored, next_nonce)
            return []
        self._settle(address, next_nonce)
        to_close = []
        for nonce in range(next_nonce, min(stored, next_nonce + _MOST_NONCES)):
            item = transaction_at(self._chain.chain_id, address, nonce)
            if item is None:
                to_close.append(nonce)
                continue
            owner = self._owner_of(item)
            if not owner.is_over(item):
                if not self._rpc.knows(item.transaction_hash):
                    owner.send(item)
            elif self._is_closing(item):
                self._send_closing(item)
            else:
                to_close.append(nonce)
        return to_close

    def send_closing(self, address: str, nonce: int) -> None:
        """Send what closes a nonce. What a job that is over had signed there is not sent any more."""
        item = transaction_at(self._chain.chain_id, address, nonce)
        if item:
            self._send_closing(item)

    def _send_closing(self, item: TransactionItem) -> None:
        if item.transaction_hash in item.cancel_hashes and not self._rpc.knows(item.transaction_hash):
            broadcast(self._rpc, item)

    def _is_closing(self, item: TransactionItem) -> bool:
        """Whether a transaction that closes the nonce was signed so lately that it may still be mined."""
        age = (now() - from_text(item.signed_at)).total_seconds()
        return bool(item.cancel_hashes) and age < self._chain.block_seconds * STUCK_BLOCKS

    def _settle(self, address: str, next_nonce: int) -> None:
        """Tell the owners of transactions whose job ended before they were mined what became of them."""
        for nonce in range(max(0, next_nonce - _MOST_NONCES), next_nonce):
            item = transaction_at(self._chain.chain_id, address, nonce)
            if item is None or item.status in _SETTLED:
                continue
            owner = self._owner_of(item)
            if not owner.is_over(item):
                continue
            receipt = mined(self._rpc, item)
            if receipt is None or not is_confirmed(receipt, self._rpc.block_number(), self._chain):
                continue
            status = "cancelled" if receipt.transaction_hash in item.cancel_hashes else "confirmed"
            item.status = status
            owner.settled(item, receipt)
            with upstream_errors():
                item.update(actions=[TransactionItem.status.set(status)])
