"""What a node's refusal of a transaction leads to, as it is written down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from slipway.chain.broadcast import broadcast, transaction_state
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import Progress
from slipway.chain.nodes import forget_heads
from slipway.chain.plans import Plan, PlannedCall
from slipway.chain.signing import ChainSigning
from slipway.chain.store import ChainConfiguration, TransactionItem, chain_configuration, transaction_for
from slipway.chain.write_ahead import WriteAhead
from slipway.chains import GWEI, Chain
from slipway.errors import DeploymentFailedError, SignerUnfundedError, UpstreamUnavailableError
from slipway.times import now, to_text
from tests.support.keys import LocalSigner
from tests.support.nodes import FakeNode, RefusalError

pytestmark = pytest.mark.usefixtures("slipway")


class Jobs:
    """Jobs that want one transaction each, on a chain whose node answers as a test says."""

    def __init__(self, **changes: Any) -> None:
        entry = {"chain_id": 31337, "name": "anvil", "rpc_urls": ["http://node"], "max_fee_per_gas": 200 * GWEI}
        self.chain = Chain.from_json(entry | changes)
        self.node = FakeNode(
            eth_getTransactionCount="0x7",
            eth_getBalance=hex(10**18),
            eth_sendRawTransaction="0xhash",
            eth_getTransactionReceipt=None,
            eth_getTransactionByHash=None,
        )
        self.rpc = JsonRpc(self.chain, self.node.client())
        self.signing = ChainSigning(
            self.chain, self.rpc, WriteAhead([LocalSigner("0x" + "51" * 32)], self.chain, self.rpc)
        )

    def sign(self, job: str = "job") -> TransactionItem:
        creation = PlannedCall("deploy", None, code=b"\x60\x00")
        (item,) = self.signing.sign(Plan(job, (creation,), (), chain_configuration(self.chain.chain_id)))
        return item

    def bump(self, job: str = "job") -> TransactionItem:
        self.signing.sign_again(self.signing.stuck([self.stored(job)]), ())
        return self.stored(job)

    @staticmethod
    def stored(job: str = "job") -> TransactionItem:
        item = transaction_for(job, "deploy")
        assert item
        return item

    def refuse(self, message: str, code: int = -32000) -> None:
        def answer(params: list[Any]) -> Any:
            raise RefusalError(code, message)

        self.node.answers["eth_sendRawTransaction"] = answer

    def progress(self, job: str = "job") -> Progress:
        return transaction_state(self.rpc, self.chain, self.stored(job), 0, now()).progress


def test_a_transaction_that_pays_too_little_is_stuck_at_once_and_pays_what_is_wanted_after_a_bump() -> None:
    jobs = Jobs(priority_fee_per_gas=1)
    jobs.sign()
    jobs.refuse("transaction gas price below minimum: gas tip cap 1, minimum needed 25000000000")
    broadcast(jobs.rpc, jobs.stored())
    assert jobs.progress() is Progress.STUCK
    bumped = jobs.bump()
    assert bumped.fees.max_priority_fee_per_gas == 25 * GWEI
    assert bumped.fees.max_fee_per_gas >= 25 * GWEI
    # The new signature is another one: nobody has refused it.
    assert jobs.progress() is Progress.MISSING
    jobs.node.answers["eth_sendRawTransaction"] = "0xhash"
    broadcast(jobs.rpc, jobs.stored())
    assert jobs.progress() is Progress.MISSING
    # The next job knows, and one a day later tries what the network asks then.
    assert jobs.sign("second").fees.max_priority_fee_per_gas == 25 * GWEI
    key = ChainConfiguration.key(31337)
    ChainConfiguration(*key).update(actions=[ChainConfiguration.least_tip_at.set(to_text(now() - timedelta(days=2)))])
    assert jobs.sign("third").fees.max_priority_fee_per_gas == GWEI


def test_a_base_fee_over_the_maximum_is_a_bump_and_not_the_same_bytes_again() -> None:
    jobs = Jobs()
    first = jobs.sign()
    jobs.refuse("max fee per gas less than block base fee: address 0x00, maxFeePerGas: 3, baseFee: 30000000000")
    jobs.node.answers["eth_feeHistory"] = {"baseFeePerGas": [hex(30 * GWEI)], "reward": []}
    broadcast(jobs.rpc, first)
    assert jobs.progress() is Progress.STUCK
    assert jobs.bump().fees.max_fee_per_gas >= 60 * GWEI


def test_under_the_base_fee_it_is_stuck_however_that_is_worded() -> None:
    jobs = Jobs()
    first = jobs.sign()
    jobs.refuse("bitte mehr bezahlen")
    jobs.node.answers["eth_feeHistory"] = {"baseFeePerGas": [hex(30 * GWEI)], "reward": []}
    broadcast(jobs.rpc, first)
    assert jobs.progress() is Progress.STUCK
    assert jobs.bump().fees.max_fee_per_gas >= 60 * GWEI


def test_over_the_cap_it_waits_and_is_refused_no_worse_a_second_time() -> None:
    jobs = Jobs(max_fee_per_gas=20 * GWEI)
    first = jobs.sign()
    jobs.refuse("transaction underpriced: minimum needed 25000000000")
    for _ in range(2):
        broadcast(jobs.rpc, jobs.stored())
        assert jobs.progress() is Progress.STUCK
        assert jobs.bump().transaction_hash == first.transaction_hash


def test_a_tip_over_the_cap_is_not_remembered_and_one_under_it_only_while_there_is_room() -> None:
    jobs = Jobs(max_fee_per_gas=20 * GWEI)
    jobs.sign()
    jobs.refuse("transaction underpriced: minimum needed 25000000000")
    broadcast(jobs.rpc, jobs.stored())
    assert jobs.sign("next").fees.max_priority_fee_per_gas == GWEI
    # Under the cap, but over it together with twice the base fee of a gwei.
    jobs.refuse("transaction underpriced: minimum needed 19000000000")
    broadcast(jobs.rpc, jobs.stored("next"))
    assert jobs.sign("third").fees.max_priority_fee_per_gas == GWEI
    jobs.refuse("transaction underpriced: minimum needed 17000000000")
    broadcast(jobs.rpc, jobs.stored("third"))
    assert jobs.sign("fourth").fees.max_priority_fee_per_gas == 17 * GWEI


def test_a_rollup_is_asked_what_it_charges_besides_gas_and_that_is_paid_and_reserved() -> None:
    jobs = Jobs(l1_fee="op-stack")
    asked = []

    def oracle(params: list[Any]) -> str:
        asked.append(params[0])
        return f"0x{10**17:064x}"

    jobs.node.answers["eth_call"] = oracle
    jobs.sign()
    item = jobs.stored()
    # Half as much again, since it moves until the transaction is mined.
    gas = int(item.call["gas_limit"]) * item.fees.max_fee_per_gas
    assert item.budget["amount"] == gas + 15 * 10**16
    assert asked[0]["to"] == "0x420000000000000000000000000000000000000F"
    assert "6000" in asked[0]["data"]
    forget_heads()
    jobs.node.answers["eth_getBalance"] = hex(gas + 14 * 10**16)
    with pytest.raises(SignerUnfundedError):
        jobs.sign("poor")
    jobs.node.answers["eth_call"] = "0x"
    with pytest.raises(UpstreamUnavailableError):
        jobs.sign("no oracle")


def test_an_absurd_suggestion_of_one_node_keeps_nothing_from_being_signed() -> None:
    jobs = Jobs()
    jobs.node.answers["eth_maxPriorityFeePerGas"] = hex(10**15)
    assert jobs.sign().fees.max_priority_fee_per_gas == GWEI


def test_a_signature_that_is_not_the_newest_any_more_leaves_no_trace() -> None:
    jobs = Jobs()
    old = jobs.sign()
    broadcast(jobs.rpc, old)
    stale = jobs.stored()
    newest = jobs.bump()
    jobs.refuse("transaction underpriced")
    broadcast(jobs.rpc, stale)
    assert jobs.stored().broadcast_at is None
    assert jobs.stored().transaction_hash == newest.transaction_hash
    assert jobs.progress() is Progress.MISSING


def test_what_may_be_there_is_looked_for() -> None:
    jobs = Jobs()
    item = jobs.sign()
    jobs.refuse("nonce too low: next nonce 8, tx nonce 7")
    broadcast(jobs.rpc, item)
    assert jobs.stored().status == "broadcast"
    jobs.node.answers["eth_getTransactionByHash"] = {"hash": item.transaction_hash}
    assert jobs.progress() is Progress.PENDING


@pytest.mark.parametrize("message", ["insufficient funds for gas * price + value", "huh?", "exceeds block gas limit"])
def test_what_is_taken_later_leaves_no_trace(message: str) -> None:
    jobs = Jobs()
    item = jobs.sign()
    jobs.refuse(message)
    with pytest.raises(UpstreamUnavailableError):
        broadcast(jobs.rpc, item)
    assert jobs.stored().status == "signed"


def test_what_no_node_will_ever_take_fails() -> None:
    jobs = Jobs()
    item = jobs.sign()
    jobs.refuse("intrinsic gas too low: gas 21000, minimum needed 53000")
    with pytest.raises(DeploymentFailedError, match="intrinsic gas") as caught:
        broadcast(jobs.rpc, item)
    assert caught.value.details == {"transaction_hash": item.transaction_hash}


def test_a_chain_without_eip_1559_gets_legacy_transactions_and_legacy_bumps() -> None:
    jobs = Jobs(fee_model="legacy")
    jobs.node.answers["eth_gasPrice"] = hex(3 * GWEI)
    item = jobs.sign()
    assert (item.fees.max_fee_per_gas, item.fees.is_legacy) == (3 * GWEI, True)
    jobs.refuse("transaction underpriced: minimum needed 5000000000")
    broadcast(jobs.rpc, item)
    bumped = jobs.bump()
    assert (bumped.fees.max_fee_per_gas, bumped.fees.is_legacy) == (5 * GWEI, True)
    # What closes a nonce follows the same rules.
    jobs.signing.close_nonce(item.signer, 7)
    closing = jobs.stored()
    assert closing.cancel_hashes == [closing.transaction_hash]
    assert closing.fees.is_legacy
    assert closing.fees.max_fee_per_gas * 10 >= 55 * GWEI


def test_what_closes_a_gap_pays_what_a_node_wanted() -> None:
    jobs = Jobs(priority_fee_per_gas=1)
    item = jobs.sign()
    jobs.refuse("transaction underpriced: minimum needed 25000000000")
    broadcast(jobs.rpc, item)
    jobs.signing.close_nonce(item.signer, 9)
    key = TransactionItem.key(31337, item.signer, 9)
    assert TransactionItem.get(*key).fees.max_priority_fee_per_gas == 25 * GWEI


def test_stuck_is_still_reported_by_time() -> None:
    jobs = Jobs(block_seconds=1)
    item = jobs.sign()
    broadcast(jobs.rpc, item)
    jobs.stored().update(actions=[TransactionItem.broadcast_at.set(to_text(now() - timedelta(seconds=7)))])
    assert jobs.progress() is Progress.STUCK
