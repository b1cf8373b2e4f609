"""Exactly-once signing: nonces, bytes and the job's own change written together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account

from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import Call, ChainFees, Fees, SignedTransaction, UnsignedTransaction
from slipway.chain.rules import bumped_fees
from slipway.chain.store import SignerNonce, TransactionItem, stored_nonce, transaction_at, transaction_for
from slipway.chain.transactions import contract_address
from slipway.chain.write_ahead import Intent, WriteAhead
from slipway.chains import Chain
from slipway.errors import SignerUnfundedError, WriteContentionError
from slipway.store import ConditionsFailedError, ControlItem, Transaction
from tests.support.installation import Installation
from tests.support.keys import LocalSigner
from tests.support.nodes import FakeNode

CHAIN = Chain.from_json({"chain_id": 31337, "name": "anvil", "rpc_urls": ["http://node"], "max_fee_per_gas": "1"})
KEYS = ["0x" + f"{number:02x}" * 32 for number in (0x51, 0x52, 0x53)]
FEES = Fees(200, 100)
CALL = Call(None, b"\x60\x00", 100_000)
START = 7

pytestmark = pytest.mark.usefixtures("slipway")


def _intent(job_id: str = "job", purpose: str = "deploy", prepare: Any = None) -> Intent:
    return Intent(job_id, purpose, CHAIN, prepare or (lambda sender: (CALL, FEES)))


def _nothing_else(write: Transaction, item: TransactionItem) -> None:
    return None


def _write_ahead(*signers: LocalSigner) -> WriteAhead:
    node = FakeNode(eth_getTransactionCount=hex(START))
    return WriteAhead(signers, JsonRpc(CHAIN, node.client()))


class InterruptedSigner(LocalSigner):
    """Somebody else does something while it signs for the first time."""

    def __init__(self, private_key: str) -> None:
        super().__init__(private_key)
        self.meanwhile: Callable[[], Any] | None = None

    def sign(self, transaction: UnsignedTransaction) -> SignedTransaction:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return super().sign(transaction)


def test_signing_again_gives_the_same_bytes() -> None:
    signer = LocalSigner(KEYS[0])
    ahead = _write_ahead(signer)
    first = ahead.sign_once(_intent(), _nothing_else)
    again = ahead.sign_once(_intent(prepare=lambda sender: pytest.fail("asked again")), _nothing_else)
    assert (again.raw, again.transaction_hash, again.nonce) == (first.raw, first.transaction_hash, START)
    assert signer.signatures == 1
    assert Account.recover_transaction(first.raw) == signer.address
    assert first.contract_address == contract_address(signer.address, START)
    assert transaction_for("job", "deploy").raw == first.raw


def test_jobs_and_purposes_get_nonces_of_their_own_without_gaps() -> None:
    ahead = _write_ahead(LocalSigner(KEYS[0]))
    items = [
        ahead.sign_once(_intent(job, purpose), _nothing_else) for job in "abc" for purpose in ("deploy", "register")
    ]
    assert [int(item.nonce) for item in items] == list(range(START, START + 6))
    assert stored_nonce(31337, items[0].signer) == START + 6


def test_a_job_that_loses_the_nonce_signs_anew_and_its_first_signature_is_nowhere() -> None:
    signer = InterruptedSigner(KEYS[0])
    ahead = _write_ahead(signer)
    signer.meanwhile = lambda: ahead.sign_once(_intent("other"), _nothing_else)
    item = ahead.sign_once(_intent("slow"), _nothing_else)
    assert (int(transaction_for("other", "deploy").nonce), int(item.nonce)) == (START, START + 1)
    written = {entry.raw for entry in TransactionItem.query(item.pk, TransactionItem.sk.startswith("TRANSACTION#"))}
    assert written == {item.raw, transaction_for("other", "deploy").raw}


def test_a_job_that_races_itself_has_one_transaction() -> None:
    signer = InterruptedSigner(KEYS[0])
    ahead = _write_ahead(signer)
    quick: list[TransactionItem] = []
    signer.meanwhile = lambda: quick.append(ahead.sign_once(_intent(), _nothing_else))
    slow = ahead.sign_once(_intent(), _nothing_else)
    assert slow.raw == quick[0].raw
    assert stored_nonce(31337, signer.address) == START + 1


def test_a_failed_condition_of_the_job_reserves_nothing() -> None:
    ahead = _write_ahead(LocalSigner(KEYS[0]))

    def also(write: Transaction, item: TransactionItem) -> None:
        write.update("job", SignerNonce("JOB", "X"), [SignerNonce.next_nonce.set(1)], SignerNonce.pk.exists())

    with pytest.raises(ConditionsFailedError, match="job"):
        ahead.sign_once(_intent(), also)
    assert transaction_for("job", "deploy") is None
    assert transaction_at(31337, LocalSigner(KEYS[0]).address, START) is None


def test_an_account_that_cannot_pay_is_passed_over() -> None:
    signers = [LocalSigner(key) for key in KEYS]
    rich = signers[1].address

    def prepare(sender: str) -> tuple[Call, Fees]:
        if sender != rich:
            raise SignerUnfundedError("no")
        return CALL, FEES

    for job in "abcdef":
        assert _write_ahead(*signers).sign_once(_intent(job, prepare=prepare), _nothing_else).signer == rich

    def poor(sender: str) -> tuple[Call, Fees]:
        raise SignerUnfundedError("no")

    with pytest.raises(SignerUnfundedError):
        _write_ahead(*signers).sign_once(_intent("z", prepare=poor), _nothing_else)
    assert transaction_for("z", "deploy") is None


def test_jobs_are_spread_over_the_pool() -> None:
    signers = [LocalSigner(key) for key in KEYS]
    ahead = _write_ahead(*signers)
    used = {ahead.sign_once(_intent(f"job-{number}"), _nothing_else).signer for number in range(20)}
    assert used == {signer.address for signer in signers}


def test_a_pool_that_is_always_busy_is_contention(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slipway.chain.write_ahead.time.sleep", lambda seconds: None)
    monkeypatch.setattr("slipway.chain.nonce_queue._STALLED_SECONDS", 0)
    ahead = _write_ahead(LocalSigner(KEYS[0]))

    def always_first(write: Transaction, item: TransactionItem) -> None:
        key = SignerNonce.key(31337, item.signer)
        SignerNonce(*key).update(actions=[SignerNonce.next_nonce.set(int(item.nonce) + 1)])

    with pytest.raises(WriteContentionError):
        ahead.sign_once(_intent(), always_first)
    assert transaction_for("job", "deploy") is None


def _bumped(item: TransactionItem) -> Fees:
    fees = bumped_fees(item.fees, ChainFees(0, 0), CHAIN, 10**18)
    assert fees
    return fees


def test_a_bump_is_the_same_nonce_and_call_with_higher_fees() -> None:
    ahead = _write_ahead(LocalSigner(KEYS[0]))
    first = ahead.sign_once(_intent(), _nothing_else)
    old_hash, old_fees = first.transaction_hash, first.fees
    bumped = ahead.sign_again(first, _bumped(first), lambda *_: None)
    assert int(bumped.nonce) == START
    assert bumped.hashes == [old_hash, bumped.transaction_hash]
    assert bumped.fees.max_fee_per_gas > old_fees.max_fee_per_gas
    assert bumped.broadcast_at is None
    assert bytes.fromhex(bumped.call["data"]) == CALL.data
    assert transaction_for("job", "deploy").transaction_hash == bumped.transaction_hash
    assert stored_nonce(31337, bumped.signer) == START + 1
    assert list(bumped.cancel_hashes) == []


def test_of_two_bumps_at_once_one_is_written() -> None:
    signer = InterruptedSigner(KEYS[0])
    ahead = _write_ahead(signer)
    item = ahead.sign_once(_intent(), _nothing_else)
    other = transaction_for("job", "deploy")
    signer.meanwhile = lambda: ahead.sign_again(other, Fees(900, 500), lambda *_: None)
    found = ahead.sign_again(item, Fees(300, 200), lambda *_: None)
    assert found.fees == Fees(900, 500)
    assert len(found.hashes) == 2


def test_a_cancellation_holds_the_nonce_and_does_nothing() -> None:
    ahead = _write_ahead(LocalSigner(KEYS[0]))
    item = ahead.sign_once(_intent(), _nothing_else)
    cancelled = ahead.sign_again(item, _bumped(item), lambda *_: None, cancel=True)
    assert (cancelled.call["to"], cancelled.call["data"], cancelled.call["value"]) == (item.signer, "", "0")
    assert list(cancelled.cancel_hashes) == [cancelled.transaction_hash]
    # A bump of a cancellation cancels too.
    again = ahead.sign_again(cancelled, _bumped(cancelled), lambda *_: None)
    assert len(again.cancel_hashes) == 2
    assert again.call["data"] == ""


def test_a_gap_is_closed_once() -> None:
    signer = LocalSigner(KEYS[0])
    ahead = _write_ahead(signer)
    closed = ahead.close_gap(CHAIN, signer.address, 5, FEES)
    again = ahead.close_gap(CHAIN, signer.address, 5, Fees(900, 500))
    assert again.raw == closed.raw
    assert list(closed.cancel_hashes) == [closed.transaction_hash]
    assert Account.recover_transaction(closed.raw) == signer.address


def test_a_transaction_of_writes_is_all_or_nothing(slipway: Installation) -> None:
    write = Transaction()
    write.create("new", ControlItem("A", "1"))
    write.check("gone", ControlItem, "B", "1", ControlItem.pk.exists())
    with pytest.raises(ConditionsFailedError) as caught:
        write.commit()
    assert set(caught.value.failed) == {"gone"}
    assert "A" not in {item["pk"] for item in slipway.items("control")}
