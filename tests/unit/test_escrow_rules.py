"""Amounts, keys and permits of the escrow."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from slipway.amounts import MAX_UINT256, format_amount, parse_amount
from slipway.errors import ValidationFailedError
from slipway.escrow.models import DepositRequest, Permit, PermitDomain
from slipway.escrow.rules import (
    domain_separator,
    job_key,
    permit_typed_data,
    signature_parts,
)
from tests.support.wallets import ALICE, BOB

JOB = "3f0b9a52-6f0e-4a58-9d4c-2f1c5a7e8b90"
REQUEST = {"job_id": JOB, "amount": "10.5"}
PERMIT = {"deadline": 1, "signature": "0x" + "00" * 64 + "1b"}
DOMAIN = PermitDomain("USD Coin", "2", 31337, BOB.address)


def _wrong(**fields: Any) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        DepositRequest.model_validate({**REQUEST, **fields})
    return {".".join(str(part) for part in entry["loc"]) for entry in caught.value.errors()}


# ── Amounts ─────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(1, MAX_UINT256), st.integers(0, 77))
def test_amounts_are_reported_as_they_are_read(amount: int, decimals: int) -> None:
    text = format_amount(amount, decimals)
    assert Decimal(text) == Decimal(amount) / Decimal(10) ** decimals or len(str(amount)) > 28
    assert len(text.partition(".")[2]) == decimals
    assert parse_amount(DepositRequest.model_validate({**REQUEST, "amount": text}).amount, decimals) == amount


@pytest.mark.parametrize(
    ("text", "decimals", "amount"), [("1", 6, 10**6), ("0.000001", 6, 1), ("10.5", 6, 10_500_000), ("7", 0, 7)]
)
def test_whole_tokens_become_base_units(text: str, decimals: int, amount: int) -> None:
    assert parse_amount(text, decimals) == amount


@pytest.mark.parametrize(
    ("text", "decimals"),
    [("0", 6), ("0.000000", 6), ("0.0000001", 6), ("1.0000000", 6), ("1.5", 0), (str(MAX_UINT256), 1), ("9" * 100, 6)],
)
def test_amounts_that_the_token_can_not_hold(text: str, decimals: int) -> None:
    with pytest.raises(ValidationFailedError, match="amount"):
        parse_amount(text, decimals)


@pytest.mark.parametrize(
    "amount",
    [
        *(
            "",
            "-1",
            "+1",
            "01",
            "1.",
            ".5",
            "1,5",
            "1 000",
            " 1",
            "1\n",
            "1e6",
            "0x1",
            "NaN",
            "Infinity",
            "١",
            "9" * 101,
        ),
        *(1, 1.5, True, None, ["1"]),
    ],
)
def test_amounts_that_are_none(amount: Any) -> None:
    assert _wrong(amount=amount) == {"amount"}


# ── Jobs ────────────────────────────────────────────────────────────────────────────────────────


@given(st.uuids(), st.uuids())
def test_a_jobs_key_is_its_own_and_identifies_it(one: uuid.UUID, other: uuid.UUID) -> None:
    key = job_key(str(one))
    assert len(key) == 32
    assert uuid.UUID(bytes=key[:16]) == one
    assert (job_key(str(other)) == key) is (one == other)


def test_a_jobs_id_has_one_spelling() -> None:
    assert DepositRequest.model_validate({**REQUEST, "job_id": JOB.upper()}).job_id == JOB
    for job_id in ("", "1", JOB.replace("-", ""), f"{{{JOB}}}", f"urn:uuid:{JOB}", JOB + "0", JOB + "\n", 1, None):
        assert _wrong(job_id=job_id) == {"job_id"}


# ── Permits ─────────────────────────────────────────────────────────────────────────────────────


def test_the_domain_is_hashed_as_wallets_hash_it() -> None:
    typed = permit_typed_data(DOMAIN, ALICE.address, BOB.address, 1, 0, 2)
    assert encode_typed_data(full_message=typed).header == domain_separator(DOMAIN)


@given(st.integers(0, MAX_UINT256), st.integers(0, MAX_UINT256), st.integers(0, 2**63 - 1))
def test_the_message_is_the_permit_of_eip_2612(value: int, nonce: int, deadline: int) -> None:
    typed = permit_typed_data(DOMAIN, ALICE.address, BOB.address, value, nonce, deadline)
    type_hash = keccak(text="Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")
    parts = [bytes(12) + bytes.fromhex(account.address[2:]) for account in (ALICE, BOB)]
    parts += [number.to_bytes(32, "big") for number in (value, nonce, deadline)]
    assert encode_typed_data(full_message=typed).body == keccak(type_hash + b"".join(parts))


@given(st.integers(0, 2**64))
def test_a_signature_is_split_into_its_parts(deadline: int) -> None:
    typed = permit_typed_data(DOMAIN, ALICE.address, BOB.address, 1, 0, deadline)
    signed = Account.sign_typed_data(ALICE.key, full_message=typed)
    v, r, s = signature_parts(Permit(deadline=1, signature=signed.signature.to_0x_hex()))
    assert (v, int.from_bytes(r, "big"), int.from_bytes(s, "big")) == (signed.v, signed.r, signed.s)
    other_spelling = signed.signature[:64] + bytes([signed.v - 27])
    assert signature_parts(Permit(deadline=1, signature="0x" + other_spelling.hex()))[0] == signed.v


@pytest.mark.parametrize("last", ["02", "1a", "1d", "ff"])
def test_a_signature_with_another_v_is_none(last: str) -> None:
    with pytest.raises(ValidationFailedError, match="signature"):
        signature_parts(Permit(deadline=1, signature="0x" + "00" * 64 + last))


@pytest.mark.parametrize(
    ("permit", "field"),
    [
        ({**PERMIT, "deadline": "1"}, "permit.deadline"),
        ({**PERMIT, "deadline": 0}, "permit.deadline"),
        ({**PERMIT, "deadline": 2**63}, "permit.deadline"),
        ({**PERMIT, "deadline": True}, "permit.deadline"),
        ({**PERMIT, "signature": "0x1234"}, "permit.signature"),
        ({**PERMIT, "signature": "0x" + "zz" * 65}, "permit.signature"),
        ({**PERMIT, "private_key": "0x" + "11" * 32}, "permit.private_key"),
        ({"deadline": 1}, "permit.signature"),
        (True, "permit"),
    ],
)
def test_permits_that_are_none(permit: Any, field: str) -> None:
    assert _wrong(permit=permit) == {field}
