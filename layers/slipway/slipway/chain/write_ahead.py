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
from slipway.chain.models import Call, Fees, SignedTransaction, UnsignedTransaction
from slipway.chain.nonce_queue import NonceLine
from slipway.chain.store import (
    SignerNonce,
    TransactionIntent,
    TransactionItem,
    call_from_json,
    call_to_json,
    transaction_at,
    transaction_for,
)
from slipway.chain.transactions import contract_address
from slipway.chains import Chain
from slipway.errors import ConflictError, DeploymentFailedError, SignerUnfundedError, WriteContentionError
from slipway.observability import logger
from slipway.store import ConditionsFailedError, Transaction, upstream_errors
from slipway.times import now_text

# Tries with one account before the next one is taken: its nonce may be held by something else.
_TRIES = 5
_ACCOUNTS = 4
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
        signers: The pool. A job uses the account its id points to, and waits in line for that account's nonce.
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
        if existing := transaction_for(intent.job_id, intent.purpose):
            return existing
        try:
            for passed_over in range(_ACCOUNTS):
                signer, call, fees = self._payer(intent, passed_over)
                if item := self._sign_in_turn(intent, signer, call, fees, also):
                    return item
        except DeploymentFailedError:
            # Another call may have signed it meanwhile, and the chain refuses what it has done already.
            if existing := transaction_for(intent.job_id, intent.purpose):
                return existing
            raise
        raise WriteContentionError("Every deployer account is busy; try again", retry_after=2)

    def _sign_in_turn(
        self,
        intent: Intent,
        signer: Signer,
        call: Call,
        fees: Fees,
        also: Callable[[Transaction, TransactionItem], None],
    ) -> TransactionItem | None:
        """Sign with one account; None when others keep taking its nonce."""
        chain_id, address = intent.chain.chain_id, signer.address
        with NonceLine(chain_id, address, lambda: self._rpc.transaction_count(address)) as line:
            for attempt in range(_TRIES):
                # Signed while others are served, for the nonce that will be left; a wrong guess is signed anew.
                item = self._signed_item(intent, signer, call, fees, line.expected)
                nonce = line.wait()
                if nonce.next_nonce != item.nonce:
                    item = self._signed_item(intent, signer, call, fees, int(nonce.next_nonce))
                write = self._reservation(intent, item, nonce, line.ticket)
                also(write, item)
                try:
                    write.commit()
                    line.served = True
                    return item
                except ConditionsFailedError as error:
                    if "intent" in error.failed:
                        return transaction_for(intent.job_id, intent.purpose)
                    if not error.failed.keys() & {"nonce", "transaction"}:
                        raise
                except WriteContentionError:
                    pass
                time.sleep(random.uniform(0, 0.05 * (attempt + 1)))  # noqa: S311 (jitter, not a secret)
                line.look()
        return None

    def _payer(self, intent: Intent, passed_over: int) -> tuple[Signer, Call, Fees]:
        """The first account that can pay, from the one on that the job's id points to."""
        start = zlib.crc32(f"{intent.job_id}#{intent.purpose}".encode()) + passed_over
        unfunded: SignerUnfundedError | None = None
        for offset in range(len(self._signers)):
            signer = self._signers[(start + offset) % len(self._signers)]
            try:
                return signer, *intent.prepare(signer.address)
            except SignerUnfundedError as error:
                unfunded = error
        raise unfunded or ConflictError("The deployer pool is empty")

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

    def _signed_item(self, intent: Intent, signer: Signer, call: Call, fees: Fees, nonce: int) -> TransactionItem:
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
    def _reservation(intent: Intent, item: TransactionItem, nonce: SignerNonce, ticket: int) -> Transaction:
        write = Transaction()
        write.create("transaction", item)
        write.create(
            "intent",
            TransactionIntent(
                *TransactionIntent.key(intent.job_id, intent.purpose),
                chain_id=item.chain_id,
                signer=item.signer,
                nonce=item.nonce,
            ),
        )
        served = [SignerNonce.next_nonce.set(int(item.nonce) + 1)]
        if ticket > nonce.served_ticket:
            served.append(SignerNonce.served_ticket.set(ticket))
        write.update("nonce", nonce, served, condition=SignerNonce.next_nonce == int(item.nonce))
        return write
