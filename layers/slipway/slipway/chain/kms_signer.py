"""secp256k1 signatures by a key that never leaves AWS KMS.

KMS answers DER without a recovery id and may answer a high s; Ethereum wants the low one (EIP-2) and the parity, which
is found by recovering the address.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from coincurve import PublicKey
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from slipway.addresses import keccak256, to_checksum
from slipway.chain.models import SignedTransaction, UnsignedTransaction
from slipway.chain.transactions import signed, signing_digest

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def ethereum_address(kms: "KMSClient", key_id: str) -> str:
    """Address of the account that a KMS key (ECC_SECG_P256K1) controls."""
    public_key = load_der_public_key(kms.get_public_key(KeyId=key_id)["PublicKey"])
    if not isinstance(public_key, EllipticCurvePublicKey) or public_key.curve.name != "secp256k1":
        raise ValueError(f"{key_id} is not a secp256k1 key")
    return _address(public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def _address(point: bytes) -> str:
    """Return the address of an uncompressed public key (SEC 1, with its leading byte)."""
    return to_checksum("0x" + keccak256(point[1:])[12:].hex())


class KmsSigner:
    """Signs transactions of one account.

    Args:
        kms: boto3's KMS client.
        key_id: Id or ARN of an ECC_SECG_P256K1 key.
    """

    def __init__(self, kms: "KMSClient", key_id: str) -> None:
        self._kms = kms
        self._key_id = key_id

    @cached_property
    def address(self) -> str:
        """The account's address, in EIP-55 form."""
        return ethereum_address(self._kms, self._key_id)

    def sign(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """Sign one transaction.

        Raises:
            ValueError: The signature recovers to another account: the key is not the one we took the address of.
        """
        digest = signing_digest(transaction)
        answer = self._kms.sign(
            KeyId=self._key_id, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
        )
        r, s = decode_dss_signature(answer["Signature"])
        s = min(s, _ORDER - s)
        for y_parity in (0, 1):
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([y_parity])
            try:
                found = PublicKey.from_signature_and_message(signature, digest, hasher=None)
            except ValueError:
                # No point has this x, with this parity.
                continue
            if _address(found.format(compressed=False)) == self.address:
                return signed(transaction, y_parity, r, s)
        raise ValueError("KMS signed with a key that does not belong to this account")
