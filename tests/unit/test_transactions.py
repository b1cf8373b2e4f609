"""Bytes and hashes of transactions, held to eth-account and web3."""

from dataclasses import replace
from typing import Any

import pytest
import rlp as reference  # type: ignore[import-untyped]
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_keys.datatypes import PrivateKey
from eth_typing import HexAddress, HexStr
from hypothesis import given
from hypothesis import strategies as st
from web3.types import Nonce
from web3.utils.address import get_create_address

from slipway.addresses import to_checksum
from slipway.chain.models import Call, Fees, UnsignedTransaction
from slipway.chain.store import TransactionItem
from slipway.chain.transactions import contract_address, rlp, signed, signing_digest

KEYS = st.integers(1, 2**250).map(lambda number: number.to_bytes(32, "big"))
ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda data: to_checksum("0x" + data.hex()))
WEI = st.integers(0, 2**90)


@st.composite
def transactions(draw: st.DrawFn) -> UnsignedTransaction:
    tip = draw(WEI)
    return UnsignedTransaction(
        chain_id=draw(st.integers(1, 2**40)),
        nonce=draw(st.integers(0, 2**40)),
        fees=Fees(tip + draw(WEI), tip),
        call=Call(
            to=draw(st.none() | ADDRESSES),
            data=draw(st.binary(max_size=200)),
            gas_limit=draw(st.integers(21_000, 30_000_000)),
            value=draw(WEI),
        ),
    )


def _as_dictionary(transaction: UnsignedTransaction) -> dict[str, object]:
    return {
        "type": 2,
        "chainId": transaction.chain_id,
        "nonce": transaction.nonce,
        "maxFeePerGas": transaction.fees.max_fee_per_gas,
        "maxPriorityFeePerGas": transaction.fees.max_priority_fee_per_gas,
        "gas": transaction.call.gas_limit,
        "value": transaction.call.value,
        "data": transaction.call.data,
        **({"to": transaction.call.to} if transaction.call.to else {}),
    }


@given(transactions(), KEYS)
def test_digest_bytes_and_hash_are_those_of_eth_account(transaction: UnsignedTransaction, key: bytes) -> None:
    expected = Account.from_key(key).sign_transaction(_as_dictionary(transaction))
    assert signing_digest(transaction) == bytes(TypedTransaction.from_dict(_as_dictionary(transaction)).hash())
    ours = signed(transaction, expected.v, expected.r, expected.s)
    assert ours.raw == expected.raw_transaction.to_0x_hex()
    assert ours.transaction_hash == expected.hash.to_0x_hex()


@given(transactions(), KEYS)
def test_legacy_bytes_are_those_of_eth_account(transaction: UnsignedTransaction, key: bytes) -> None:
    price = transaction.fees.max_fee_per_gas
    legacy = replace(transaction, fees=Fees(price, price, is_legacy=True))
    dictionary = {
        name: value for name, value in _as_dictionary(transaction).items() if name != "type" and "Fee" not in name
    }
    expected = Account.from_key(key).sign_transaction({**dictionary, "gasPrice": price})
    y_parity = (expected.v - 35) % 2
    assert PrivateKey(key).sign_msg_hash(signing_digest(legacy)).vrs == (y_parity, expected.r, expected.s)
    ours = signed(legacy, y_parity, expected.r, expected.s)
    assert ours.raw == expected.raw_transaction.to_0x_hex()
    assert ours.transaction_hash == expected.hash.to_0x_hex()
    item = TransactionItem(raw=ours.raw, max_fee_per_gas=str(price), max_priority_fee_per_gas=str(price))
    assert item.fees == legacy.fees


@given(ADDRESSES, st.integers(0, 2**60))
def test_contract_address_is_that_of_web3(sender: str, nonce: int) -> None:
    assert contract_address(sender, nonce) == get_create_address(HexAddress(HexStr(sender)), Nonce(nonce))


@pytest.mark.parametrize(
    ("nonce", "address"),
    [
        (0, "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"),
        (1, "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8"),
        (2, "0xf778b86fa74e846c4f0a1fbd1335fe81c00a0c91"),
        (3, "0xfffd933a0bc612844eaf0c6fe3e5b8e9b6c1d19c"),
    ],
)
def test_contract_address_of_known_creations(nonce: int, address: str) -> None:
    assert contract_address("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0", nonce).lower() == address


ITEMS = st.recursive(
    st.binary(max_size=300) | st.binary(min_size=1, max_size=1) | st.integers(0, 2**256),
    lambda items: st.lists(items, max_size=8),
    max_leaves=20,
)


@given(ITEMS)
def test_encodings_are_those_of_the_reference(item: Any) -> None:
    assert rlp(item) == reference.encode(item)


@pytest.mark.parametrize("length", [0, 1, 55, 56, 255, 256, 65_535, 65_536, 70_000])
def test_lengths_at_their_borders(length: int) -> None:
    for item in (bytes(length), b"\xff" * length, [b""] * length):
        assert rlp(item) == reference.encode(item)
