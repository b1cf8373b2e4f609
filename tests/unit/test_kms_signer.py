"""Signatures of a key in KMS, recovered as a node would."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_keys.datatypes import PublicKey
from hexbytes import HexBytes
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.chain.kms_signer import KmsSigner, ethereum_address
from slipway.chain.models import Call, Fees, UnsignedTransaction
from tests.support.keys import SECP256K1_ORDER, FakeKms

SECRET = int("a1" * 32, 16)


def _transaction(nonce: int) -> UnsignedTransaction:
    return UnsignedTransaction(31337, nonce, Fees(2 * 10**9, 10**9), Call(None, b"\x60\x00", 100_000))


def _signature(raw: str) -> dict[str, int]:
    parsed = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    return {name: int(parsed[name]) for name in ("v", "r", "s")}


@pytest.mark.parametrize("high_s", [False, True])
@settings(max_examples=20)
@given(nonces=st.lists(st.integers(0, 10**6), min_size=1, max_size=3))
def test_a_node_recovers_the_account_from_a_low_s(high_s: bool, nonces: list[int]) -> None:
    signer = KmsSigner(FakeKms(ec.SECP256K1(), SECRET, high_s=high_s).client, "key")
    for nonce in nonces:
        signed = signer.sign(_transaction(nonce))
        assert Account.recover_transaction(signed.raw) == signer.address
        assert _signature(signed.raw)["s"] <= SECP256K1_ORDER // 2


def test_both_parities_come_out_right() -> None:
    signer = KmsSigner(FakeKms(ec.SECP256K1(), SECRET).client, "key")
    parities = set()
    for nonce in range(40):
        signed = signer.sign(_transaction(nonce))
        assert Account.recover_transaction(signed.raw) == signer.address
        parities.add(_signature(signed.raw)["v"])
    assert parities == {0, 1}


def test_the_address_is_that_of_the_key() -> None:
    kms = FakeKms(ec.SECP256K1(), SECRET)
    assert ethereum_address(kms.client, "key") == Account.from_key(SECRET.to_bytes(32, "big")).address
    numbers = kms.key.public_key().public_numbers()
    point = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    assert ethereum_address(kms.client, "key") == PublicKey(point).to_checksum_address()


def test_the_public_key_is_asked_for_once() -> None:
    kms = FakeKms(ec.SECP256K1(), SECRET)
    signer = KmsSigner(kms.client, "key")
    for nonce in range(3):
        signer.sign(_transaction(nonce))
    assert kms.public_key_calls == 1


def test_a_signature_of_another_key_is_refused() -> None:
    kms = FakeKms(ec.SECP256K1(), SECRET)
    signer = KmsSigner(kms.client, "key")
    assert signer.address
    kms.key = ec.generate_private_key(ec.SECP256K1())
    with pytest.raises(ValueError, match="does not belong"):
        signer.sign(_transaction(1))


def test_a_key_on_another_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="secp256k1"):
        ethereum_address(FakeKms(ec.SECP256R1()).client, "key")
