"""Fees, gas and confirmations."""

import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.chain.models import ChainFees, Fees, Receipt
from slipway.chain.rules import (
    bumped_fees,
    confirmation_pause,
    confirmations_pause,
    estimated_seconds,
    fees_under_cap,
    first_pause,
    gas_limit,
    is_confirmed,
)
from slipway.chains import Chain, read_chains
from slipway.errors import InsufficientGasError

WEI = st.integers(0, 10**13)


def _chain(**changes: object) -> Chain:
    entry = {"chain_id": 1, "name": "test", "rpc_urls": ["http://node"], "max_fee_per_gas": "1", **changes}
    return Chain.from_json(entry)


def _receipt(block: int) -> Receipt:
    return Receipt("0x01", block, "0x02", True, 21_000, 1, None)


chains = st.builds(
    lambda tip, multiplier: _chain(priority_fee_per_gas=tip, base_fee_multiplier=str(multiplier)),
    st.integers(0, 10**11),
    st.fractions(1, 4, max_denominator=100),
)


@given(WEI, WEI, chains, WEI)
def test_fees_are_under_the_cap_or_refused_and_never_clamped(base: int, tip: int, chain: Chain, cap: int) -> None:
    uncapped = fees_under_cap(ChainFees(base, tip), chain, 10**30)
    assert uncapped.max_priority_fee_per_gas == max(tip, chain.priority_fee_per_gas, 1)
    # Mineable while the base fee grows by the chain's multiplier.
    grown = base * chain.base_fee_multiplier
    assert grown + uncapped.max_priority_fee_per_gas - 1 < uncapped.max_fee_per_gas
    assert uncapped.max_fee_per_gas <= grown + uncapped.max_priority_fee_per_gas
    if uncapped.max_fee_per_gas <= cap:
        assert fees_under_cap(ChainFees(base, tip), chain, cap) == uncapped
    else:
        with pytest.raises(InsufficientGasError):
            fees_under_cap(ChainFees(base, tip), chain, cap)


def test_a_fee_at_the_cap_passes_and_one_wei_more_does_not() -> None:
    chain = _chain(priority_fee_per_gas=1, base_fee_multiplier=2)
    assert fees_under_cap(ChainFees(10, 0), chain, 21) == Fees(21, 1)
    with pytest.raises(InsufficientGasError) as caught:
        fees_under_cap(ChainFees(10, 0), chain, 20)
    assert caught.value.details == {"max_fee_per_gas": "21", "cap": "20"}
    assert caught.value.retry_after is not None
    assert caught.value.retry_after >= 30


@given(WEI, WEI, WEI, WEI, chains, WEI)
def test_a_bump_raises_both_fees_by_a_tenth_within_the_cap(
    tip: int, over: int, base: int, network_tip: int, chain: Chain, cap: int
) -> None:
    signed = Fees(tip + over, tip)
    bumped = bumped_fees(signed, ChainFees(base, network_tip), chain, cap)
    if bumped is None:
        least = max(
            signed.max_fee_per_gas + -(-signed.max_fee_per_gas // 8),
            int(base * chain.base_fee_multiplier) + max(network_tip, chain.priority_fee_per_gas, 1),
        )
        assert least > cap
        return
    assert bumped.max_fee_per_gas <= cap
    assert bumped.max_fee_per_gas * 10 >= signed.max_fee_per_gas * 11
    assert bumped.max_priority_fee_per_gas * 10 >= signed.max_priority_fee_per_gas * 11
    assert bumped.max_priority_fee_per_gas > signed.max_priority_fee_per_gas
    assert bumped.max_priority_fee_per_gas <= bumped.max_fee_per_gas
    assert bumped.max_fee_per_gas >= int(base * chain.base_fee_multiplier)


def test_a_bump_follows_a_network_that_became_dearer() -> None:
    chain = _chain(priority_fee_per_gas=1, base_fee_multiplier=2)
    assert bumped_fees(Fees(21, 1), ChainFees(1000, 50), chain, 10_000) == Fees(2050, 50)


@given(st.integers(21_000, 30_000_000))
def test_gas_limit_leaves_a_fifth(estimate: int) -> None:
    assert estimate * 1.19 < gas_limit(estimate) <= estimate * 1.2 + 1


@pytest.mark.parametrize(
    ("confirmations", "latest", "confirmed"),
    [(1, 10, True), (2, 10, False), (2, 11, True), (12, 20, False), (12, 21, True), (1, 9, False)],
)
def test_confirmations_count_the_block_itself(confirmations: int, latest: int, confirmed: bool) -> None:
    assert is_confirmed(_receipt(10), latest, _chain(confirmations=confirmations)) is confirmed


@given(st.floats(0.1, 120), st.integers(0, 10_000))
def test_pauses_are_whole_grow_and_stay_bounded(block_seconds: float, polls: int) -> None:
    chain = _chain(block_seconds=block_seconds)
    pause = confirmation_pause(chain, polls)
    assert isinstance(pause, int)
    assert 1 <= pause <= 60
    assert pause <= max(1, round(block_seconds * 4))
    assert confirmation_pause(chain, polls + 1) >= pause


@given(st.floats(0.1, 120), st.integers(1, 100))
def test_the_first_look_comes_when_the_next_blocks_transactions_are_confirmed(
    block_seconds: float, confirmations: int
) -> None:
    pause = first_pause(_chain(block_seconds=block_seconds, confirmations=confirmations))
    assert isinstance(pause, int)
    assert 1 <= pause <= 60
    if confirmations <= 4 and pause < 60:
        # Broadcast just after a block, a transaction is in the next one, whose own confirmation counts.
        assert block_seconds * confirmations <= pause < block_seconds * confirmations + 1
    # A node that forgot the transaction is noticed soon, however many confirmations it takes.
    assert pause <= max(1, block_seconds * 4 + 1)


def test_a_launch_is_estimated_by_its_blocks() -> None:
    assert estimated_seconds(_chain(block_seconds=12, confirmations=2), 2) == 72
    assert estimated_seconds(_chain(block_seconds=0.01, confirmations=1), 1) == 1


def test_a_chain_is_read_with_its_defaults() -> None:
    chain = _chain(explorer_url="https://explorer.test/", base_fee_multiplier=1.5)
    assert chain.confirmations == 2
    assert chain.priority_fee_per_gas == 10**9
    assert chain.base_fee_multiplier == Fraction(3, 2)
    assert chain.explorer_transaction_url("0xab") == "https://explorer.test/tx/0xab"
    assert _chain().explorer_transaction_url("0xab") is None


@pytest.mark.parametrize("missing", ["chain_id", "name", "rpc_urls", "max_fee_per_gas"])
def test_a_chain_without_its_essentials_is_refused(missing: str) -> None:
    entry = {"chain_id": 1, "name": "test", "rpc_urls": ["http://node"], "max_fee_per_gas": "1"}
    del entry[missing]
    with pytest.raises(KeyError, match=f"{missing} is missing"):
        Chain.from_json(entry)


@pytest.mark.parametrize("entries", [None, {}, "x", 1, ["x"], [1], [None], [[]]])
def test_what_describes_no_chains_is_refused(entries: Any) -> None:
    with pytest.raises(ValueError, match="chain"):
        read_chains(entries)


NUMBERS = (
    "confirmations",
    "block_seconds",
    "max_fee_per_gas",
    "priority_fee_per_gas",
    "base_fee_multiplier",
    "gas_limit",
    "gas_budget_per_day",
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gas_cap": 1, "colour": "red"}, "unknown fields: colour, gas_cap"),
        ({"fee_model": "legacy", "priority_fee_per_gas": 1}, "legacy has no priority_fee_per_gas"),
        ({"fee_model": "legacy", "base_fee_multiplier": 2}, "legacy has no base_fee_multiplier"),
        ({"fee_model": "eip-1559"}, "fee_model is eip1559 or legacy"),
        ({"l1_fee": "arbitrum"}, "l1_fee is op-stack"),
        ({"testnet": False, "confirmations": 0}, "confirmations is at least 1"),
        ({"confirmations": -1}, "confirmations is not negative"),
        ({"block_seconds": 0}, "block_seconds"),
        ({"max_fee_per_gas": -1}, "a fee is not negative"),
        ({"base_fee_multiplier": "0.5"}, "base_fee_multiplier is at least 1"),
        ({"testnet": "no"}, "testnet is true or false"),
        ({"rpc_urls": ["http://node", "http://node"]}, "an address twice"),
        ({"rpc_urls": [""]}, "rpc_urls is a list of addresses"),
        ({"rpc_urls": "http://node"}, "rpc_urls is a list of addresses"),
        ({"rpc_urls": ["ws://node"]}, "rpc_urls is a list of addresses"),
        ({"name": None}, "name is a text"),
        ({"explorer_url": "explorer.test"}, "explorer_url is an address"),
        *(({name: "http://a-key"}, f"{name} is not a number") for name in NUMBERS),
        *(({name: None}, f"{name} is not a number") for name in NUMBERS),
        *(({name: []}, f"{name} is not a number") for name in NUMBERS),
        *(({name: True}, f"{name} is not a number") for name in NUMBERS),
        *(({name: 1.5}, f"{name} is not a number") for name in ("confirmations", "max_fee_per_gas", "gas_limit")),
    ],
)
def test_a_chain_that_cannot_work_is_refused_by_name(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        _chain(**changes)
    assert str(caught.value).startswith("chain 1: ")
    assert not re.search("http://[a-z]|a-key", str(caught.value))


def test_a_testnet_may_do_without_confirmations() -> None:
    assert _chain(confirmations=0).confirmations == 0


def test_chains_that_contradict_each_other_are_refused() -> None:
    entry = {"chain_id": 5, "name": "test", "rpc_urls": ["http://node"], "max_fee_per_gas": "1"}
    assert list(read_chains([entry, {**entry, "chain_id": 6}])) == [5, 6]
    with pytest.raises(ValueError, match="chain 5: described twice"):
        read_chains([entry, {**entry, "chain_id": "5"}])
    with pytest.raises(ValueError, match="chain 5: rpc_urls has no address"):
        read_chains([{**entry, "rpc_urls": []}])


@given(WEI, WEI, WEI)
def test_a_chain_without_eip_1559_pays_one_price(price: int, signed: int, cap: int) -> None:
    chain, network = _chain(fee_model="legacy"), ChainFees(0, price)
    fees = fees_under_cap(network, chain, 10**30)
    assert fees == Fees(max(price, 1), max(price, 1), is_legacy=True)
    bumped = bumped_fees(Fees(signed, signed, is_legacy=True), network, chain, cap)
    if bumped:
        assert bumped.is_legacy
        assert bumped.max_fee_per_gas == bumped.max_priority_fee_per_gas
        assert bumped.max_fee_per_gas * 10 >= signed * 11
        assert bumped.max_fee_per_gas > signed


@given(st.integers(1, 10), st.integers(1, 30), st.integers(0, 9))
def test_a_mined_transaction_is_looked_at_again_when_it_can_be_confirmed(
    confirmations: int, block_seconds: int, after: int
) -> None:
    chain = _chain(confirmations=confirmations, block_seconds=block_seconds)
    pause = confirmations_pause(_receipt(100), 100 + after, chain)
    assert 1 <= pause <= 60
    blocks = pause // block_seconds
    if pause < 60 and not is_confirmed(_receipt(100), 100 + after, chain):
        assert is_confirmed(_receipt(100), 100 + after + blocks, chain)
        assert not is_confirmed(_receipt(100), 100 + after + blocks - 1, chain)
