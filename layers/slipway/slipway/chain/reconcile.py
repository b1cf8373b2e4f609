"""What ``reconcile`` does for deployer accounts: sends again what nodes lost, and closes nonces that nobody serves."""

import time
from collections.abc import Callable
from typing import Protocol

from slipway.chain.broadcast import STUCK_BLOCKS, broadcast, settle, transaction_state
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import FINAL, Receipt
from slipway.chain.store import (
    TransactionItem,
    chain_configuration,
    settle_nonces_up_to,
    signer_nonce,
    transaction_at,
    use_nonces_up_to,
)
from slipway.chains import Chain
from slipway.configuration import ChainSettings
from slipway.jobs.gas import Served
from slipway.observability import logger, record
from slipway.store import Transaction
from slipway.times import Clock, from_text, now

_MAX_NONCES = 50
# Between two checks of an account's balance: whatever a minute's jitter does, one falls into any five minutes.
_BALANCE_SECONDS = 225


class Owner(Protocol):
    """Whose transactions some are: what a kind of job knows of them."""

    def is_over(self, item: TransactionItem) -> bool:
        """Whether the transaction's job has ended, so that closing the nonce is all that is left."""
        ...

    def send(self, item: TransactionItem) -> None:
        """Send it again, unless the job has ended meanwhile."""
        ...

    def served(self, item: TransactionItem) -> Served | None:
        """Return whose job it was, None where that is not known any more."""
        ...

    def settled(self, item: TransactionItem, receipt: Receipt | None) -> None:
        """Note what became of a transaction whose job is over, by its status; without receipt it can't be mined."""
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
        clock: Passes the time.
    """

    def __init__(
        self,
        chain: Chain,
        rpc: JsonRpc,
        owner_of: Callable[[TransactionItem], Owner],
        clock: Clock = time,
    ) -> None:
        self._chain = chain
        self._rpc = rpc
        self._owner_of = owner_of
        self._clock = clock
        self._balance_due: dict[str, float] = {}

    def inspect(self, address: str) -> list[int]:
        """Compare an account's stored next nonce with the chain's, and mend what needs no signature.

        Behind the chain: the account was used elsewhere, so those nonces are given up for good. Ahead of it: each
        nonce between was given out and may still be mined, so none is used again; its bytes are sent again if a node
        lost them.

        Returns:
            Nonces that need a signature to be closed: nothing holds them, or the job that does has ended.
        """
        self._measure_balance(address)
        account = signer_nonce(self._chain.chain_id, address)
        if account is None:
            return []
        stored, next_nonce = int(account.next_nonce), self._rpc.transaction_count(address, "latest")
        if next_nonce > stored:
            logger.warning("nonce used externally", signer=address, stored=stored, mined=next_nonce)
            use_nonces_up_to(self._chain.chain_id, address, stored, next_nonce)
            return []
        self._settle(address, max(int(account.settled_nonce), next_nonce - _MAX_NONCES), next_nonce)
        to_close = []
        for nonce in range(next_nonce, min(stored, next_nonce + _MAX_NONCES)):
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
        age = (now(self._clock) - from_text(item.signed_at)).total_seconds()
        return bool(item.cancel_hashes) and age < self._chain.block_seconds * STUCK_BLOCKS

    def _measure_balance(self, address: str) -> None:
        moment = self._clock.monotonic()
        if moment >= self._balance_due.get(address, moment):
            record("SignerBalance", self._rpc.balance(address) / 10**18)
            self._balance_due[address] = moment + _BALANCE_SECONDS

    def _settle(self, address: str, first: int, next_nonce: int) -> None:
        """Tell the owners of transactions whose job ended before they were mined what became of them."""
        settled = first
        for nonce in range(first, next_nonce):
            item = transaction_at(self._chain.chain_id, address, nonce)
            if (item is None or item.settled or self._settle_one(item)) and settled == nonce:
                settled += 1
        if settled > first:
            settle_nonces_up_to(self._chain.chain_id, address, settled)

    def _settle_one(self, item: TransactionItem) -> bool:
        """Return whether it is known now what became of a transaction whose nonce was used."""
        owner = self._owner_of(item)
        if not owner.is_over(item):
            return False
        found = transaction_state(self._rpc, self._chain, item, 0, now(self._clock))
        if found.progress not in FINAL:
            return False
        item.status = str(found.progress)
        owner.settled(item, found.receipt)
        settle(write := Transaction(), item, item.status, found.receipt, owner.served(item) if found.receipt else None)
        write.commit()
        return True
