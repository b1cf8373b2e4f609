"""Slipway's small ABI encoder, held to eth-abi."""

from typing import Any

import pytest
from eth_abi.abi import encode as web3_encode
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from slipway.chain.abi import address_of, call_data, encode, string_at, words

ADDRESS = st.binary(min_size=20, max_size=20).map(to_checksum_address)
ARGUMENTS = st.lists(
    st.one_of(
        st.tuples(st.just("string"), st.text(st.characters(exclude_categories=["Cs"]), max_size=100)),
        st.tuples(st.just("uint256"), st.integers(0, 2**256 - 1)),
        st.tuples(st.just("uint8"), st.integers(0, 255)),
        st.tuples(st.just("bytes32"), st.binary(min_size=32, max_size=32)),
        st.tuples(st.just("address"), ADDRESS),
        st.tuples(st.just("address[]"), st.lists(ADDRESS, max_size=5)),
        st.tuples(st.just("uint256[]"), st.lists(st.integers(0, 2**256 - 1), max_size=5)),
    ),
    max_size=6,
)


@given(ARGUMENTS)
def test_encodes_as_eth_abi_does(arguments: list[tuple[str, Any]]) -> None:
    kinds = [kind for kind, _ in arguments]
    values = [value for _, value in arguments]
    assert encode(kinds, values) == web3_encode(kinds, values)
    signature = f"anything({','.join(kinds)})"
    selector = function_signature_to_4byte_selector(signature)
    assert call_data(signature, values) == selector + web3_encode(kinds, values)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", 1),
        ("uint256", "1"),
        ("address", 1),
        ("bytes32", "0x00"),
        ("bytes32", bytes(31)),
        ("bool", 1),
        ("address[]", [1]),
        ("uint256[]", ["1"]),
    ],
)
def test_other_types_are_refused(kind: str, value: Any) -> None:
    with pytest.raises(TypeError, match="cannot encode"):
        encode([kind], [value])


@pytest.mark.parametrize(("kind", "number"), [("uint256", -1), ("uint256", 2**256), ("uint8", -1), ("uint8", 256)])
def test_numbers_that_do_not_fit_are_refused(kind: str, number: int) -> None:
    with pytest.raises(OverflowError):
        encode([kind], [number])


@pytest.mark.parametrize(("kind", "value"), [("address", "0x" + "1" * 39), ("address[]", ["0x" + "11" * 21])])
def test_addresses_that_are_none_are_refused(kind: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"address|hexadecimal"):
        encode([kind], [value])


def test_as_many_values_as_types() -> None:
    with pytest.raises(ValueError, match="zip"):
        encode(["string", "string"], ["one"])


@given(st.lists(st.integers(0, 2**256 - 1), max_size=12))
def test_words_are_read_as_eth_abi_reads_them(numbers: list[int]) -> None:
    answer = web3_encode(["uint256"] * len(numbers), numbers)
    assert words(answer) == numbers
    with pytest.raises(ValueError, match="32 bytes"):
        words(answer + b"x")


@given(st.binary(min_size=20, max_size=20))
def test_an_address_is_read_from_its_word(address: bytes) -> None:
    (word,) = words(web3_encode(["address"], [address]))
    assert address_of(word) == "0x" + address.hex()
    with pytest.raises(ValueError, match="20 bytes"):
        address_of(word + 2**160)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=70)


@given(st.integers(0, 2**256 - 1), TEXT, TEXT)
def test_strings_are_read_as_eth_abi_reads_them(number: int, one: str, other: str) -> None:
    answer = web3_encode(["string", "uint256", "string"], [one, number, other])
    assert (string_at(answer, 0), string_at(answer, 2)) == (one, other)


@given(st.binary(max_size=200), st.integers(0, 4))
def test_what_is_no_answer_gives_a_string_or_a_value_error(answer: bytes, position: int) -> None:
    try:
        assert isinstance(string_at(answer, position), str)
    except ValueError:
        return
