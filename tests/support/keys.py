"""Keys in memory that answer as AWS KMS does, and accounts that sign as it would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from eth_account import Account

from slipway.chain.models import SignedTransaction, UnsignedTransaction
from slipway.chain.transactions import signed, signing_digest

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class FakeKms:
    """The two calls of KMS's client that Slipway makes, for one key.

    ``high_s`` chooses which of a signature's twins is answered: real KMS answers either.
    """

    def __init__(self, curve: ec.EllipticCurve, secret: int | None = None, *, high_s: bool | None = None) -> None:
        self.key = ec.derive_private_key(secret, curve) if secret else ec.generate_private_key(curve)
        self.high_s = high_s
        self.public_key_calls = 0

    @property
    def client(self) -> KMSClient:
        """Itself, for those who ask for boto3's client and call no more of it."""
        return cast("KMSClient", self)

    def get_public_key(self, *, KeyId: str) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        """Return the key as DER."""
        self.public_key_calls += 1
        return {"PublicKey": self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)}

    def sign(self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str) -> dict[str, Any]:  # noqa: N803
        """Return a DER signature over the message, or over a digest as it is."""
        assert SigningAlgorithm == "ECDSA_SHA_256"
        if MessageType == "DIGEST":
            assert len(Message) == 32
            signature = self.key.sign(Message, ec.ECDSA(Prehashed(hashes.SHA256())))
        else:
            assert MessageType == "RAW"
            signature = self.key.sign(Message, ec.ECDSA(hashes.SHA256()))
        if self.high_s is not None:
            r, s = decode_dss_signature(signature)
            if (s > SECP256K1_ORDER // 2) is not self.high_s:
                signature = encode_dss_signature(r, SECP256K1_ORDER - s)
        return {"Signature": signature}


class LocalSigner:
    """A deployer account whose key is in memory, for tests of what happens around signing."""

    def __init__(self, private_key: str) -> None:
        self._account = Account.from_key(private_key)
        self.signatures = 0

    @property
    def address(self) -> str:
        """The account's address."""
        return str(self._account.address)

    def sign(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """Sign one transaction."""
        self.signatures += 1
        signature = self._account.unsafe_sign_hash(signing_digest(transaction))
        return signed(transaction, signature.v - 27, signature.r, signature.s)
