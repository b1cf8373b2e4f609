"""Exactly-once signing: nonces, signed bytes and the job's own change are written together, before any broadcast.

A job's purpose (``deploy``, ``register``) takes one nonce, and whoever asks again gets the same bytes. It takes another
nonce only when the first transaction is settled without effect. Signatures made for nonces that another job took first
are dropped without leaving this process.
"""

import random
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Protocol

from slipway.budgets.store import Budget
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import Call, Fees, SignedTransaction, UnsignedTransaction
from slipway.chain.nonce_queue import NonceQueue
from slipway.chain.plans import Change, Plan, add_changes
from slipway.chain.store import (
    SignerNonce,
    TransactionIntent,
    TransactionItem,
    call_from_json,
    call_to_json,
    stored_nonce,
    transaction_at,
    transactions_serving,
    use_nonces_up_to,
)
from slipway.chain.transactions import contract_address
from slipway.chains import Chain
from slipway.errors import ConflictError, WriteContentionError
from slipway.observability import logger
from slipway.store import ConditionsFailedError, Transaction, upstream_errors
from slipway.times import Clock, now_text

# Tries with one account before the next one is taken: its nonces may be held by something else.
_TRIES = 5
_TRANSFER_GAS = 21_000


class Signer(Protocol):
    """What signs: ``KmsSigner``, or a key in memory in tests."""

    @property
    def address(self) -> str:
        """The account's address, EIP-55."""

    def sign(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """Sign one transaction."""


@dataclass(frozen=True)
class Quote:
    """What a plan's transactions offer and may use when one account sends them, and what a rollup charges besides."""

    fees: Fees
    gas_limits: tuple[int, ...]
    l1_fees: tuple[int, ...] = ()

    @property
    def costs(self) -> list[int]:
        """The most wei that each can cost."""
        charges = zip_longest(self.gas_limits, self.l1_fees, fillvalue=0)
        return [limit * self.fees.max_fee_per_gas + l1_fee for limit, l1_fee in charges]

    @property
    def cost(self) -> int:
        """The most wei that they can cost together."""
        return sum(self.costs)


def self_transfer(address: str) -> Call:
    """Return a transfer of nothing to oneself: the cheapest way to use up a nonce."""
    return Call(to=address, data=b"", gas_limit=_TRANSFER_GAS)


class WriteAhead:
    """Reserves nonces and signs, for a pool of accounts on one chain.

    Args:
        signers: Every account that may have signed: a transaction is signed again by its own.
        chain: The chain.
        rpc: Asked for an account's nonce when the account is used for the first time, or was used elsewhere.
        clock: Passes the time.
        pool: Those that new transactions are signed with, all by default.
    """

    def __init__(
        self,
        signers: Sequence[Signer],
        chain: Chain,
        rpc: JsonRpc,
        clock: Clock = time,
        pool: Sequence[Signer] | None = None,
    ) -> None:
        self._signers = signers
        self._pool = signers if pool is None else pool
        self._chain = chain
        self._rpc = rpc
        self._clock = clock

    def pool(self, plan: Plan) -> list[Signer]:
        """Return the accounts in the order in which the plan's job should try them."""
        start = zlib.crc32(f"{plan.job_id}#{plan.calls[0].purpose}".encode()) % max(1, len(self._pool))
        return [*self._pool[start:], *self._pool[:start]]

    @staticmethod
    def written(plan: Plan) -> list[TransactionItem] | None:
        """Return the plan's transactions if they are signed already, by an earlier call or another execution."""
        found = transactions_serving(plan.job_id, [call.purpose for call in plan.calls])
        replaced = {(item.pk, item.sk) for item in plan.replaces}
        written = [item for item in found if (item.pk, item.sk) not in replaced]
        return written if len(written) == len(plan.calls) else None

    def sign(
        self, plan: Plan, signer: Signer, quote: Quote, budget: Budget | None = None
    ) -> list[TransactionItem] | None:
        """Sign a plan's transactions with one account, and write them with the job's changes.

        Args:
            plan: What is to be signed.
            signer: The account.
            priced: What it offers.
            budget: The chain's, from which the most that it can cost is reserved in the same write.

        Returns:
            The transactions as they stand, whether this call or another one wrote them; None when others keep taking
            the account's nonces.

        Raises:
            BudgetExceededError: Others spent what was left of the budget.
            ConditionsFailedError: One of the job's own conditions failed; nothing was written.
        """
        if plan.replaces:
            self._catch_up(signer.address)
        with NonceQueue(self._chain.chain_id, signer.address, len(plan.calls), self._rpc, self._clock) as queue:
            for attempt in range(_TRIES):
                # Signed while others are served, for the nonces that will be left; a wrong guess is signed anew.
                items = self._signed(plan, signer, quote, queue.expected)
                nonce = queue.wait()
                if nonce.next_nonce != items[0].nonce:
                    items = self._signed(plan, signer, quote, int(nonce.next_nonce))
                write = Transaction()
                _spend(write, budget, items, quote, within=not plan.promised)
                self._reserve(write, plan, items, nonce, queue.ticket)
                add_changes(write, plan.changes, items)
                try:
                    write.commit()
                    queue.served = True
                    return items
                except ConditionsFailedError as error:
                    if any(name.startswith(("intent:", "replaced:")) for name in error.failed):
                        return self.written(plan)
                    _require_passing(error, quote, None if plan.promised else budget)
                except WriteContentionError:
                    pass
                self._clock.sleep(random.uniform(0, 0.05 * (attempt + 1)))  # noqa: S311 (jitter, not a secret)
                queue.refresh()
        return None

    def _catch_up(self, address: str) -> None:
        """Pass over nonces that the account used elsewhere, so that none of them is signed for once more."""
        used, stored = self._rpc.transaction_count(address, "latest"), stored_nonce(self._chain.chain_id, address)
        if stored is not None and used > stored:
            use_nonces_up_to(self._chain.chain_id, address, stored, used)

    def sign_again(
        self, stuck: Sequence[tuple[TransactionItem, Fees]], changes: Sequence[Change], *, cancel: bool = False
    ) -> None:
        """Sign a job's transactions again at their nonces with higher fees, written before they are broadcast.

        Args:
            stuck: The transactions as they were read, which are brought up to date, and the new fees of each.
            changes: The job's own changes.
            cancel: Replace them by self-transfers, so that the nonces are used up and the job's are not mined, or were
                already.
        """
        write, renewed = Transaction(), []
        for item, offered in stuck:
            call = self_transfer(item.signer) if cancel else call_from_json(item.call)
            unsigned = UnsignedTransaction(int(item.chain_id), int(item.nonce), offered, call)
            signed = self._signer(item.signer).sign(unsigned)
            actions = [
                TransactionItem.raw.set(signed.raw),
                TransactionItem.transaction_hash.set(signed.transaction_hash),
                TransactionItem.hashes.set([*item.hashes, signed.transaction_hash]),
                TransactionItem.call.set(call_to_json(call)),
                TransactionItem.max_fee_per_gas.set(str(offered.max_fee_per_gas)),
                TransactionItem.max_priority_fee_per_gas.set(str(offered.max_priority_fee_per_gas)),
                TransactionItem.signed_at.set(now_text(self._clock)),
                TransactionItem.broadcast_at.remove(),
            ]
            if cancel or item.cancel_hashes:
                actions.append(TransactionItem.cancel_hashes.set([*item.cancel_hashes, signed.transaction_hash]))
            write.update(
                f"transaction:{item.purpose}",
                TransactionItem(item.pk, item.sk),
                actions,
                condition=TransactionItem.transaction_hash == item.transaction_hash,
            )
            renewed.append(TransactionItem(**{**item.attribute_values, "transaction_hash": signed.transaction_hash}))
        add_changes(write, changes, renewed)
        try:
            write.commit()
        except ConditionsFailedError:
            logger.info("fee bump lost race", hashes=[item.transaction_hash for item, _ in stuck])
        for item, _ in stuck:
            with upstream_errors():
                item.refresh(consistent_read=True)

    def close_gap(self, address: str, nonce: int, fees: Fees) -> TransactionItem:
        """Use up a nonce that nothing holds though later ones are given out, so that those can be mined.

        Returns:
            The transaction that holds the nonce now.
        """
        item = self._item("reconcile", "close", self._signer(address), nonce, fees, self_transfer(address))
        item.cancel_hashes = [item.transaction_hash]
        write = Transaction()
        write.create("transaction", item)
        try:
            write.commit()
        except ConditionsFailedError:
            return transaction_at(self._chain.chain_id, address, nonce) or item
        return item

    def _signer(self, address: str) -> Signer:
        for signer in self._signers:
            if signer.address == address:
                return signer
        raise ConflictError("The account is not in the deployer pool any more")

    def _signed(self, plan: Plan, signer: Signer, quote: Quote, first_nonce: int) -> list[TransactionItem]:
        """Sign the calls for consecutive nonces; a later one may need the address of what an earlier one creates."""
        items: list[TransactionItem] = []
        created: dict[str, str] = {}
        for offset, (planned, gas_limit) in enumerate(zip(plan.calls, quote.gas_limits, strict=True)):
            nonce = first_nonce + offset
            if planned.to is None:
                created[planned.purpose] = contract_address(signer.address, nonce)
            call = planned.call(gas_limit, created)
            items.append(self._item(plan.job_id, planned.purpose, signer, nonce, quote.fees, call))
        return items

    def _item(self, job_id: str, purpose: str, signer: Signer, nonce: int, fees: Fees, call: Call) -> TransactionItem:
        chain_id, address = self._chain.chain_id, signer.address
        signed = signer.sign(UnsignedTransaction(chain_id, nonce, fees, call))
        return TransactionItem(
            *TransactionItem.key(chain_id, address, nonce),
            chain_id=chain_id,
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
            signed_at=now_text(self._clock),
            contract_address=None if call.to else contract_address(address, nonce),
        )

    @staticmethod
    def _reserve(
        write: Transaction, plan: Plan, items: Sequence[TransactionItem], nonce: SignerNonce, ticket: int
    ) -> None:
        """Add that the nonces are taken, if they are still the account's next and the purposes are free."""
        replaced = {item.purpose: item for item in plan.replaces}
        for item in items:
            write.create(f"transaction:{item.purpose}", item)
            old = replaced.get(item.purpose)
            unless = TransactionIntent.points_to(old) if old else None
            write.create(f"intent:{item.purpose}", TransactionIntent.to(item), or_if=unless)
        for old in plan.replaces:
            settled = [TransactionItem.status.set(old.status)]
            unchanged = TransactionItem.transaction_hash == old.transaction_hash
            write.update(f"replaced:{old.purpose}", TransactionItem(old.pk, old.sk), settled, condition=unchanged)
        served = [SignerNonce.next_nonce.set(int(items[-1].nonce) + 1)]
        if ticket > nonce.served_ticket:
            served.append(SignerNonce.served_ticket.set(ticket))
        write.update("nonce", nonce, served, condition=SignerNonce.next_nonce == int(items[0].nonce))


def _spend(
    write: Transaction, budget: Budget | None, items: Sequence[TransactionItem], quote: Quote, *, within: bool
) -> None:
    """Add that the most that the transactions can cost is reserved, ``within`` the ceilings; each knows its part."""
    spent = budget.spend(write, quote.cost, within=within) if budget else None
    for item, cost in zip(items, quote.costs, strict=True):
        item.budget = spent and {**spent, "amount": cost}


def _require_passing(error: ConditionsFailedError, quote: Quote, budget: Budget | None) -> None:
    """Raise a failure that another try does not mend: the job's own condition, or a budget that is used up."""
    if not any(name.startswith(("nonce", "transaction:", "budget:")) for name in error.failed):
        raise error
    if budget and (refusal := budget.refusal(quote.cost, error.failed)):
        raise refusal from error
