"""Ethereum addresses as text."""

import pytest
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import assume, given
from hypothesis import strategies as st

from slipway.addresses import keccak256, parse_address, to_checksum
from slipway.errors import ValidationFailedError

ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@given(st.binary(max_size=300))
def test_digest_is_keccak256(data: bytes) -> None:
    assert keccak256(data) == keccak(data)


@given(st.binary(min_size=20, max_size=20))
def test_checksum_is_eip_55(data: bytes) -> None:
    text = "0x" + data.hex()
    expected = to_checksum_address(text)
    assert to_checksum(text) == expected
    for spelling in (text, "0x" + text[2:].upper(), expected):
        assert parse_address(spelling, "wallet") == expected


@given(st.binary(min_size=20, max_size=20), st.integers(2, 41))
def test_one_letter_in_the_wrong_case_is_refused(data: bytes, position: int) -> None:
    right = to_checksum_address(data)
    wrong = right[:position] + right[position].swapcase() + right[position + 1 :]
    assume(wrong != right and wrong[2:] not in (wrong[2:].lower(), wrong[2:].upper()))
    with pytest.raises(ValidationFailedError, match="checksum"):
        parse_address(wrong, "wallet")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        ADDRESS[2:],
        ADDRESS[:-1],
        ADDRESS + "0",
        "0X" + ADDRESS[2:],
        ADDRESS[:-1] + "g",
        " " + ADDRESS,
        ADDRESS + "\n",
        "0x" + "١" * 40,  # Arabic-Indic digits
        "0x" + "０" * 40,  # full-width digits
        "vitalik.eth",
    ],
)
def test_what_is_no_address_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(ValidationFailedError) as caught:
        parse_address(text, "user_address")
    assert caught.value.details is not None
    assert caught.value.details["fields"][0]["field"] == "user_address"
