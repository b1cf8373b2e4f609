"""Slipway's small ABI encoder, held to eth-abi."""

from typing import Any

import eth_abi
import eth_utils
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.chain.abi import call_data, encode

ARGUMENTS = st.lists(
    st.one_of(
        st.tuples(st.just("string"), st.text(st.characters(exclude_categories=["Cs"]), max_size=100)),
        st.tuples(st.just("uint256"), st.integers(0, 2**256 - 1)),
        st.tuples(st.just("address"), st.binary(min_size=20, max_size=20).map(eth_utils.to_checksum_address)),
    ),
    max_size=6,
)


@given(ARGUMENTS)
def test_encodes_as_eth_abi_does(arguments: list[tuple[str, Any]]) -> None:
    kinds = [kind for kind, _ in arguments]
    values = [value for _, value in arguments]
    assert encode(kinds, values) == eth_abi.encode(kinds, values)
    signature = f"anything({','.join(kinds)})"
    selector = eth_utils.function_signature_to_4byte_selector(signature)
    assert call_data(signature, values) == selector + eth_abi.encode(kinds, values)


@pytest.mark.parametrize(
    ("kind", "value"), [("string", 1), ("uint256", "1"), ("address", 1), ("bytes32", "0x00"), ("bool", 1)]
)
def test_other_types_are_refused(kind: str, value: Any) -> None:
    with pytest.raises(TypeError, match="cannot encode"):
        encode([kind], [value])


@pytest.mark.parametrize("number", [-1, 2**256])
def test_numbers_outside_256_bits_are_refused(number: int) -> None:
    with pytest.raises(OverflowError):
        encode(["uint256"], [number])


def test_as_many_values_as_types() -> None:
    with pytest.raises(ValueError, match="zip"):
        encode(["string", "string"], ["one"])
