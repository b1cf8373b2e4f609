"""Exactly-once signing: the nonce, the signed bytes and the job's own change are written together, before broadcast.

A job's purpose (``deploy``, ``register``) takes one nonce for ever. Whoever asks again gets the same bytes. Signatures
made for a nonce that another writer took first are dropped without leaving this process.
"""

import random
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import Call, Chain, Fees, SignedTransaction, UnsignedTransaction
from slipway.chain.store import (
    SignerNonce,
    TransactionIntent,
    TransactionItem,
    call_from_json,
    call_to_json,
    stored_nonce,
    transaction_at,
    transaction_for,
)
from slipway.chain.transactions import contract_address
from slipway.errors import ConflictError, SignerUnfundedError, WriteContentionError
from slipway.observability import logger
from slipway.store import ConditionsFailedError, Transaction, upstream_errors
from slipway.times import now_text

_TRIES = 20
_TRANSFER_GAS = 21_000


class Signer(Protocol):
    """What signs: ``KmsSigner``, or a key in memory in tests."""

    @property
    def address(self) -> str:
        """The account's address, EIP-55."""

    def sign(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """Sign one transaction."""


@dataclass(frozen=True)
class Intent:
    """What a job wants on chain, once.

    ``prepare`` is told the sender and gives the call and its fees: gas estimates depend on who sends.
    """

    job_id: str
    purpose: str
    chain: Chain
    prepare: Callable[[str], tuple[Call, Fees]]


def nothing(address: str) -> Call:
    """A transfer of nothing to oneself: the cheapest way to use up a nonce."""
    return Call(to=address, data=b"", gas_limit=_TRANSFER_GAS)


class WriteAhead:
    """Reserves nonces and signs, for a pool of accounts on one chain.

    Args:
        signers: The pool. A job starts at the account its id points to, so that concurrent jobs rarely meet.
        rpc: Asked for an account's nonce only when the account is used for the first time.
    """

    def __init__(self, signers: Sequence[Signer], rpc: JsonRpc) -> None:
        self._signers = signers
        self._rpc = rpc

    def sign_once(self, intent: Intent, also: Callable[[Transaction, TransactionItem], None]) -> TransactionItem:
        """Sign the intent's transaction, or give back the one signed before.

        Args:
            intent: What to do on chain.
            also: Adds the job's own changes to the transaction that reserves the nonce.

        Returns:
            The transaction as written; it may or may not have been broadcast.

        Raises:
            WriteContentionError: Other jobs kept taking the nonce.
            SignerUnfundedError: No account of the pool can pay.
            ConditionsFailedError: One of the job's own conditions failed; nothing was written.
        """
        start = zlib.crc32(intent.job_id.encode()) % len(self._signers)
        unfunded: set[str] = set()
        # Estimates hold while others take the nonce; asking the node again would only lose it once more.
        prepared: dict[str, tuple[Call, Fees]] = {}
        for attempt in range(_TRIES):
            if existing := transaction_for(intent.job_id, intent.purpose):
                return existing
            signer = self._signers[(start + attempt) % len(self._signers)]
            try:
                if signer.address not in prepared:
                    prepared[signer.address] = intent.prepare(signer.address)
            except SignerUnfundedError:
                unfunded.add(signer.address)
                if len(unfunded) == len(self._signers):
                    raise
                continue
            item = self._signed_item(intent, signer, *prepared[signer.address])
            write = self._reservation(intent, item)
            also(write, item)
            try:
                write.commit()
                return item
            except ConditionsFailedError as error:
                if not error.failed.keys() & {"nonce", "transaction", "intent"}:
                    raise
            except WriteContentionError:
                pass
            time.sleep(random.uniform(0, 0.05 * min(attempt + 1, 8)))  # noqa: S311 (jitter, not a secret)
        raise WriteContentionError("Every deployer account is busy; try again", retry_after=2)

    def sign_again(
        self, item: TransactionItem, fees: Fees, also: Callable[[Transaction, str], None], *, cancel: bool = False
    ) -> TransactionItem:
        """Sign a transaction again at the same nonce with higher fees, written before it is broadcast.

        Args:
            item: The transaction as it was read.
            fees: The new fees.
            also: Adds the job's own changes; is told the new hash.
            cancel: Replace it by a transaction that does nothing, so that the nonce is used up and the job's is not
                mined, or was already.

        Returns:
            The transaction as it stands now, whether this call or another one changed it.
        """
        signer = self._signer(item.signer)
        call = nothing(item.signer) if cancel else call_from_json(item.call)
        unsigned = UnsignedTransaction(int(item.chain_id), int(item.nonce), fees, call)
        signed = signer.sign(unsigned)
        actions = [
            TransactionItem.raw.set(signed.raw),
            TransactionItem.transaction_hash.set(signed.transaction_hash),
            TransactionItem.hashes.set([*item.hashes, signed.transaction_hash]),
            TransactionItem.call.set(call_to_json(call)),
            TransactionItem.max_fee_per_gas.set(str(fees.max_fee_per_gas)),
            TransactionItem.max_priority_fee_per_gas.set(str(fees.max_priority_fee_per_gas)),
            TransactionItem.signed_at.set(now_text()),
            TransactionItem.broadcast_at.remove(),
        ]
        if cancel or item.cancel_hashes:
            actions.append(TransactionItem.cancel_hashes.set([*item.cancel_hashes, signed.transaction_hash]))
        write = Transaction()
        write.update(
            "transaction",
            TransactionItem(item.pk, item.sk),
            actions,
            condition=TransactionItem.transaction_hash == item.transaction_hash,
        )
        also(write, signed.transaction_hash)
        try:
            write.commit()
        except ConditionsFailedError:
            logger.info("signed again elsewhere", transaction_hash=item.transaction_hash)
        with upstream_errors():
            item.refresh(consistent_read=True)
        return item

    def close_gap(self, chain: Chain, address: str, nonce: int, fees: Fees) -> TransactionItem:
        """Use up a nonce that nothing holds though later ones are given out, so that those can be mined.

        Returns:
            The transaction that holds the nonce now.
        """
        call = nothing(address)
        signed = self._signer(address).sign(UnsignedTransaction(chain.chain_id, nonce, fees, call))
        item = self._item(chain, address, nonce, fees, call, signed, job_id="reconcile", purpose="close")
        item.cancel_hashes = [signed.transaction_hash]
        write = Transaction()
        write.create("transaction", item)
        try:
            write.commit()
        except ConditionsFailedError:
            return transaction_at(chain.chain_id, address, nonce) or item
        return item

    def _signer(self, address: str) -> Signer:
        for signer in self._signers:
            if signer.address == address:
                return signer
        raise ConflictError("The account is not in the deployer pool any more")

    def _next_nonce(self, chain: Chain, address: str) -> int:
        stored = stored_nonce(chain.chain_id, address)
        if stored is not None:
            return stored
        key = SignerNonce.key(chain.chain_id, address)
        first = SignerNonce(*key, next_nonce=self._rpc.transaction_count(address))
        write = Transaction()
        write.create("nonce", first)
        try:
            write.commit()
        except ConditionsFailedError:
            return self._next_nonce(chain, address)
        return int(first.next_nonce)

    def _signed_item(self, intent: Intent, signer: Signer, call: Call, fees: Fees) -> TransactionItem:
        nonce = self._next_nonce(intent.chain, signer.address)
        unsigned = UnsignedTransaction(intent.chain.chain_id, nonce, fees, call)
        signed = signer.sign(unsigned)
        return self._item(
            intent.chain, signer.address, nonce, fees, call, signed, job_id=intent.job_id, purpose=intent.purpose
        )

    @staticmethod
    def _item(
        chain: Chain,
        address: str,
        nonce: int,
        fees: Fees,
        call: Call,
        signed: SignedTransaction,
        *,
        job_id: str,
        purpose: str,
    ) -> TransactionItem:
        return TransactionItem(
            *TransactionItem.key(chain.chain_id, address, nonce),
            chain_id=chain.chain_id,
            signer=address,
            nonce=nonce,
            job_id=job_id,
            purpose=purpose,
            raw=signed.raw,
            transaction_hash=signed.transaction_hash,
            hashes=[signed.transaction_hash],
            call=call_to_json(call),
            max_fee_per_gas=str(fees.max_fee_per_gas),
            max_priority_fee_per_gas=str(fees.max_priority_fee_per_gas),
            status="signed",
            signed_at=now_text(),
            contract_address=None if call.to else contract_address(address, nonce),
        )

    @staticmethod
    def _reservation(intent: Intent, item: TransactionItem) -> Transaction:
        nonce = int(item.nonce)
        write = Transaction()
        write.create("transaction", item)
        write.create(
            "intent",
            TransactionIntent(
                *TransactionIntent.key(intent.job_id, intent.purpose),
                chain_id=item.chain_id,
                signer=item.signer,
                nonce=nonce,
            ),
        )
        write.update(
            "nonce",
            SignerNonce(*SignerNonce.key(intent.chain.chain_id, item.signer)),
            [SignerNonce.next_nonce.set(nonce + 1)],
            condition=SignerNonce.next_nonce == nonce,
        )
        return write
