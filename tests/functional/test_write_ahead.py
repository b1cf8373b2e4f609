"""Exactly-once signing: nonces, bytes and the job's own change written together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from slipway.chain.broadcast import release_unspent_budget
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import ChainFees, Fees, Receipt, SignedTransaction, UnsignedTransaction
from slipway.chain.nodes import forget_heads
from slipway.chain.plans import Change, Check, Create, Created, Plan, PlannedCall, SignedValue, Update
from slipway.chain.rules import bumped_fees
from slipway.chain.signing import ChainSigning
from slipway.chain.store import (
    ChainConfiguration,
    SignerNonce,
    TransactionItem,
    stored_nonce,
    transaction_at,
    transaction_for,
)
from slipway.chain.transactions import contract_address
from slipway.chain.write_ahead import Quote, WriteAhead
from slipway.chains import Chain
from slipway.errors import (
    BudgetExceededError,
    ConflictError,
    DeploymentFailedError,
    SignerUnfundedError,
    WriteContentionError,
)
from slipway.jobs.store import JobEvent, job_event
from slipway.store import ConditionsFailedError, ControlItem, Transaction
from tests.support.clock import ManualClock
from tests.support.installation import Installation
from tests.support.keys import LocalSigner
from tests.support.nodes import GWEI, FakeNode

CHAIN = Chain.from_json(
    {"chain_id": 31337, "name": "anvil", "rpc_urls": ["http://node"], "max_fee_per_gas": str(100 * GWEI)}
)
KEYS = ["0x" + f"{number:02x}" * 32 for number in (0x51, 0x52, 0x53)]
FEES = Fees(200, 100)
CODE = b"\x60\x00"
STAND_IN = "0x" + "77" * 20
REGISTRY = "0x" + "88" * 20
START = 7

pytestmark = pytest.mark.usefixtures("slipway")


def _call(purpose: str) -> PlannedCall:
    return PlannedCall(purpose, None, code=CODE, gas_limit=100_000)


def _plan(job_id: str = "job", *purposes: str, **more: Any) -> Plan:
    calls = tuple(_call(purpose) for purpose in purposes or ("deploy",))
    return Plan(job_id, calls, **{"changes": (), "configuration": ChainConfiguration(), **more})


def _write_ahead(*signers: LocalSigner, count: int = START) -> WriteAhead:
    node = FakeNode(eth_getTransactionCount=hex(count))
    return WriteAhead(signers, CHAIN, JsonRpc(CHAIN, node.client()), ManualClock())


def _sign(ahead: WriteAhead, plan: Plan) -> list[TransactionItem]:
    """Sign with the first account of the pool, at fixed fees."""
    if written := ahead.written(plan):
        return written
    signed = ahead.sign(plan, ahead.pool(plan)[0], Quote(FEES, (100_000,) * len(plan.calls)))
    assert signed
    return signed


def _found(job_id: str, purpose: str = "deploy") -> TransactionItem:
    found = transaction_for(job_id, purpose)
    assert found
    return found


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
    (first,) = _sign(ahead, _plan())
    (again,) = _sign(ahead, _plan())
    assert (again.raw, again.transaction_hash, again.nonce) == (first.raw, first.transaction_hash, START)
    assert signer.signatures == 1
    assert Account.recover_transaction(first.raw) == signer.address
    assert first.contract_address == contract_address(signer.address, START)
    assert _found("job").raw == first.raw


def test_jobs_and_purposes_get_nonces_of_their_own_without_gaps() -> None:
    ahead = _write_ahead(LocalSigner(KEYS[0]))
    items = [item for job in "abc" for purpose in ("deploy", "register") for item in _sign(ahead, _plan(job, purpose))]
    assert [int(item.nonce) for item in items] == list(range(START, START + 6))
    assert stored_nonce(31337, items[0].signer) == START + 6


def test_the_calls_of_a_plan_take_consecutive_nonces_in_one_write_and_know_what_each_other_creates() -> None:
    signer = LocalSigner(KEYS[0])
    register = PlannedCall(
        "register", REGISTRY, function="register(string,address)", arguments=("m", Created("deploy", STAND_IN))
    )
    job = ControlItem("JOB", "X")
    job.save()
    values = {"owner_sort": SignedValue("register", "transaction_hash")}
    data = {
        "address": SignedValue("deploy", "contract_address"),
        "nonces": {"register": SignedValue("register", "nonce")},
    }
    changes: tuple[Change, ...] = (
        Check("job", job, ControlItem.pk.exists()),
        Update("detail", JobEvent("JOB", "DETAIL"), values),
        Create("event", job_event("JOB", "signed", "Signed", data)),
    )
    signed = _sign(_write_ahead(signer), Plan("job", (_call("deploy"), register), changes, ChainConfiguration()))
    assert [(item.purpose, int(item.nonce)) for item in signed] == [("deploy", START), ("register", START + 1)]
    created = contract_address(signer.address, START)
    sent = bytes.fromhex(signed[1].call["data"])
    assert signed[0].contract_address == created
    assert signed[1].contract_address is None
    assert sent[36 + 12 : 68].hex() == created[2:].lower()
    assert register.call().data[36 + 12 : 68].hex() == STAND_IN[2:]
    (event,) = JobEvent.query("JOB", JobEvent.sk.startswith("EVENT#"))
    assert event.data == {"address": created, "nonces": {"register": START + 1}}
    assert JobEvent.get("JOB", "DETAIL").owner_sort == signed[1].transaction_hash
    assert stored_nonce(31337, signer.address) == START + 2


def test_a_job_that_loses_the_nonces_signs_anew_and_its_first_signatures_are_nowhere() -> None:
    signer = InterruptedSigner(KEYS[0])
    ahead = _write_ahead(signer)
    signer.meanwhile = lambda: _sign(ahead, _plan("other"))
    items = _sign(ahead, _plan("slow", "deploy", "register"))
    assert [int(_found("other").nonce), *(int(item.nonce) for item in items)] == [START, START + 1, START + 2]
    written = {entry.raw for entry in TransactionItem.query(items[0].pk, TransactionItem.sk.startswith("TRANSACTION#"))}
    assert written == {*(item.raw for item in items), _found("other").raw}


def test_a_job_that_races_itself_has_one_transaction() -> None:
    signer = InterruptedSigner(KEYS[0])
    ahead = _write_ahead(signer)
    quick: list[TransactionItem] = []
    signer.meanwhile = lambda: quick.extend(_sign(ahead, _plan("job", "deploy", "register")))
    slow = _sign(ahead, _plan("job", "deploy", "register"))
    assert [item.raw for item in slow] == [item.raw for item in quick]
    assert stored_nonce(31337, signer.address) == START + 2


def test_a_failed_condition_of_the_job_reserves_nothing() -> None:
    ahead = _write_ahead(LocalSigner(KEYS[0]))
    job = Update("job", SignerNonce("JOB", "X"), {"next_nonce": 1}, SignerNonce.pk.exists())
    with pytest.raises(ConditionsFailedError, match="job"):
        _sign(ahead, _plan(changes=(job,)))
    assert transaction_for("job", "deploy") is None
    assert transaction_at(31337, LocalSigner(KEYS[0]).address, START) is None


def _signing(signers: list[LocalSigner], rich: set[str]) -> ChainSigning:
    forget_heads()

    def balance(params: list[Any]) -> str:
        return hex(10**18 if params[0] in rich else 0)

    node = FakeNode(eth_getTransactionCount=hex(START), eth_getBalance=balance)
    rpc = JsonRpc(CHAIN, node.client())
    return ChainSigning(CHAIN, rpc, WriteAhead(signers, CHAIN, rpc, ManualClock()))


def test_an_account_that_cannot_pay_is_passed_over() -> None:
    signers = [LocalSigner(key) for key in KEYS]
    rich = signers[1].address
    for job in "abcdef":
        (signed,) = _signing(signers, {rich}).sign(_plan(job))
        assert signed.signer == rich
    with pytest.raises(SignerUnfundedError):
        _signing(signers, set()).sign(_plan("z"))
    assert transaction_for("z", "deploy") is None


def test_jobs_are_spread_over_the_pool() -> None:
    signers = [LocalSigner(key) for key in KEYS]
    signing = _signing(signers, {signer.address for signer in signers})
    used = {signing.sign(_plan(f"job-{number}"))[0].signer for number in range(20)}
    assert used == {signer.address for signer in signers}


def test_a_job_that_is_elsewhere_by_now_learns_so_and_nothing_is_signed() -> None:
    signers = [LocalSigner(KEYS[0])]
    gone = Check("job", ControlItem("JOB", "X"), ControlItem.pk.exists())
    with pytest.raises(ConflictError):
        _signing(signers, {signers[0].address}).sign(_plan(changes=(gone,)))
    assert transaction_for("job", "deploy") is None


def test_gas_of_a_day_stays_under_the_budget_and_what_was_not_spent_comes_back() -> None:
    signers = [LocalSigner(key) for key in KEYS]
    signing = _signing(signers, {signer.address for signer in signers})
    (first,) = signing.sign(_plan("a"))
    reserved = int(first.budget["amount"])
    assert reserved == first.call["gas_limit"] * int(first.max_fee_per_gas) > 0
    signing.chain = replace(CHAIN, gas_budget_per_day=2 * reserved)
    (second,) = signing.sign(_plan("b"))
    with pytest.raises(BudgetExceededError):
        signing.sign(_plan("c"))
    assert transaction_for("c", "deploy") is None
    assert signing.sign(_plan("a"))[0].raw == first.raw
    mined = Receipt(
        second.transaction_hash, 1, "0x1", succeeded=True, gas_used=0, effective_gas_price=1, contract_address=None
    )
    release_unspent_budget(second, mined)
    assert signing.sign(_plan("c"))


def test_a_transaction_over_the_gas_limit_is_not_signed() -> None:
    signer = LocalSigner(KEYS[0])
    signing = _signing([signer], {signer.address})
    signing.chain = replace(CHAIN, gas_limit=1)
    with pytest.raises(DeploymentFailedError, match="more gas"):
        signing.sign(_plan())
    assert transaction_for("job", "deploy") is None


def test_a_pool_of_its_own_signs_and_the_others_only_sign_again() -> None:
    signers = [LocalSigner(key) for key in KEYS]
    ahead = WriteAhead(signers, CHAIN, JsonRpc(CHAIN, FakeNode().client()), ManualClock(), pool=signers[-1:])
    assert ahead.pool(_plan()) == signers[-1:]
    assert ahead._signer(signers[0].address) is signers[0]


class RobbedSigner(LocalSigner):
    """Each time that it has signed, another job has taken the nonce."""

    def sign(self, transaction: UnsignedTransaction) -> SignedTransaction:
        taken = SignerNonce(*SignerNonce.key(31337, self.address))
        taken.update([SignerNonce.next_nonce.set(transaction.nonce + 1)])
        return super().sign(transaction)


def test_a_pool_that_is_always_busy_is_contention() -> None:
    signer = RobbedSigner(KEYS[0])
    with pytest.raises(WriteContentionError):
        _signing([signer], {signer.address}).sign(_plan())
    assert transaction_for("job", "deploy") is None


def _void(item: TransactionItem) -> TransactionItem:
    item.status = "void"
    return item


def test_what_is_settled_without_effect_is_signed_anew_at_new_nonces_and_written_as_settled() -> None:
    signer = LocalSigner(KEYS[0])
    ahead = _write_ahead(signer)
    old = _sign(ahead, _plan("job", "deploy", "register"))
    new = _sign(ahead, _plan("job", "deploy", "register", replaces=tuple(_void(item) for item in old)))
    assert [int(item.nonce) for item in new] == [START + 2, START + 3]
    assert [_found("job", purpose).raw for purpose in ("deploy", "register")] == [item.raw for item in new]
    assert [transaction_at(31337, signer.address, START + offset).status for offset in range(2)] == ["void", "void"]  # type: ignore[union-attr]


def test_two_that_sign_anew_at_once_have_one_transaction() -> None:
    signer = InterruptedSigner(KEYS[0])
    ahead = _write_ahead(signer)
    (old,) = _sign(ahead, _plan())
    again = _plan(replaces=(_void(old),))
    quick: list[TransactionItem] = []
    signer.meanwhile = lambda: quick.extend(_sign(ahead, again))
    assert [item.raw for item in _sign(ahead, again)] == [item.raw for item in quick]
    assert stored_nonce(31337, signer.address) == START + 2


def test_what_was_signed_again_meanwhile_is_not_replaced() -> None:
    ahead = _write_ahead(LocalSigner(KEYS[0]))
    (old,) = _sign(ahead, _plan())
    ahead.sign_again([(_found("job"), Fees(900, 500))], ())
    plan = _plan(replaces=(_void(old),))
    assert ahead.sign(plan, ahead.pool(plan)[0], Quote(FEES, (100_000,))) is None
    assert _found("job").status == "signed"


def test_nonces_that_were_used_elsewhere_are_passed_over_when_something_is_signed_anew() -> None:
    signer = LocalSigner(KEYS[0])
    (old,) = _sign(_write_ahead(signer), _plan())
    (new,) = _sign(_write_ahead(signer, count=START + 5), _plan(replaces=(_void(old),)))
    assert int(new.nonce) == START + 5


def _bumped(item: TransactionItem) -> Fees:
    fees = bumped_fees(item.fees, ChainFees(0, 0), CHAIN, 10**18)
    assert fees
    return fees


def test_a_bump_is_the_same_nonce_and_call_with_higher_fees() -> None:
    ahead = _write_ahead(LocalSigner(KEYS[0]))
    (bumped,) = _sign(ahead, _plan())
    old_hash, old_fees = bumped.transaction_hash, bumped.fees
    ahead.sign_again([(bumped, _bumped(bumped))], ())
    assert int(bumped.nonce) == START
    assert bumped.hashes == [old_hash, bumped.transaction_hash]
    assert bumped.fees.max_fee_per_gas > old_fees.max_fee_per_gas
    assert bumped.broadcast_at is None
    assert bytes.fromhex(bumped.call["data"]) == CODE
    assert _found("job").transaction_hash == bumped.transaction_hash
    assert stored_nonce(31337, bumped.signer) == START + 1
    assert list(bumped.cancel_hashes) == []


def test_of_two_bumps_at_once_one_is_written() -> None:
    signer = InterruptedSigner(KEYS[0])
    ahead = _write_ahead(signer)
    (found,) = _sign(ahead, _plan())
    other = _found("job")
    signer.meanwhile = lambda: ahead.sign_again([(other, Fees(900, 500))], ())
    ahead.sign_again([(found, Fees(300, 200))], ())
    assert found.fees == Fees(900, 500)
    assert len(found.hashes) == 2


def test_a_cancellation_holds_the_nonce_and_does_nothing() -> None:
    ahead = _write_ahead(LocalSigner(KEYS[0]))
    items = _sign(ahead, _plan("job", "deploy", "register"))
    ahead.sign_again([(item, _bumped(item)) for item in items], (), cancel=True)
    for cancelled in items:
        assert (cancelled.call["to"], cancelled.call["data"], cancelled.call["value"]) == (cancelled.signer, "", "0")
        assert list(cancelled.cancel_hashes) == [cancelled.transaction_hash]
    # A bump of a cancellation cancels too.
    ahead.sign_again([(item, _bumped(item)) for item in items], ())
    for again in items:
        assert len(again.cancel_hashes) == 2
        assert again.call["data"] == ""


def test_a_gap_is_closed_once() -> None:
    signer = LocalSigner(KEYS[0])
    ahead = _write_ahead(signer)
    closed = ahead.close_gap(signer.address, 5, FEES)
    again = ahead.close_gap(signer.address, 5, Fees(900, 500))
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
