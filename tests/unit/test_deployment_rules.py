"""Purposes of a build's transactions, what creates a contract, and what became of an attempt."""

from typing import Any

import pytest
from eth_abi.abi import encode as web3_encode
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from slipway.builds.pipeline.rules import chain_and_attempt, creation_code, left_no_contract, purpose_of
from slipway.chain.models import Receipt
from slipway.errors import DeploymentFailedError

ADDRESS = st.binary(min_size=20, max_size=20).map(to_checksum_address)
# The argument as a generation writes it, and as eth-abi takes it.
ARGUMENT = st.one_of(
    st.tuples(st.just("string"), st.text("abc äßΩ漢", max_size=40).map(str.strip)).map(lambda a: (*a, a[1])),
    st.tuples(st.just("uint256"), st.integers(0, 2**256 - 1)).map(lambda a: (a[0], str(a[1]), a[1])),
    st.tuples(st.just("bytes32"), st.binary(min_size=32, max_size=32)).map(lambda a: (a[0], "0x" + a[1].hex(), a[1])),
    st.tuples(st.just("address"), ADDRESS).map(lambda a: (*a, a[1])),
    st.tuples(st.just("address[]"), st.lists(ADDRESS, max_size=4)).map(lambda a: (*a, a[1])),
)


def _argument(kind: str, value: Any) -> dict[str, Any]:
    return {"name": "any", "type": kind, "value": value}


@given(st.integers(1, 2**53), st.integers(1, 1000))
def test_a_purpose_reports_its_chain_and_attempt(chain_id: int, attempt: int) -> None:
    assert chain_and_attempt(purpose_of(chain_id, attempt)) == (chain_id, attempt)


@pytest.mark.parametrize(
    "purpose", ["deploy", "register", "close", "build", "build:", "build:1", "build:1:x", "other:1:1"]
)
def test_purposes_of_other_jobs_are_distinguished(purpose: str) -> None:
    assert chain_and_attempt(purpose) is None


@given(st.binary(max_size=50), st.lists(ARGUMENT, max_size=6))
def test_what_creates_a_contract_is_its_code_and_the_encoded_arguments(code: bytes, given_: list[Any]) -> None:
    arguments = [_argument(kind, value) for kind, value, _ in given_]
    encoded = web3_encode([kind for kind, _, _ in given_], [meant for _, _, meant in given_])
    assert creation_code("0x" + code.hex(), arguments) == code + encoded


@pytest.mark.parametrize(
    ("bytecode", "kind", "value"),
    [
        ("0x60", "uint256", "-1"),
        ("0x60", "uint256", "1e3"),
        ("0x60", "uint256", str(2**256)),
        ("0x60", "bytes32", "0x00"),
        ("0x60", "bytes32", "text"),
        ("0x60", "address", "0x00"),
        ("0x60", "address[]", "0x" + "11" * 20),
        ("0x60", "string", ["a"]),
        ("0x__$library$__", "uint256", "1"),
    ],
)
def test_what_makes_no_sense_fails_before_it_is_signed(bytecode: str, kind: str, value: Any) -> None:
    with pytest.raises(DeploymentFailedError):
        creation_code(bytecode, [_argument(kind, value)])


@pytest.mark.parametrize(
    ("transaction", "succeeded", "left_none"), [("a", True, False), ("a", False, True), ("b", True, True)]
)
def test_an_attempt_left_no_contract_when_it_reverted_or_its_nonce_was_closed(
    transaction: str, succeeded: bool, left_none: bool
) -> None:
    receipt = Receipt(transaction, 1, "0x01", succeeded, 1, 1, None)
    assert left_no_contract(receipt, ["b"]) is left_none
