"""EIP-1559 transactions: their bytes, digests and hashes, and the address of a contract before it exists.

Sources: EIP-1559, EIP-2718, EIP-2 (low s), and the Yellow Paper for CREATE addresses.
"""

import rlp  # type: ignore[import-untyped]

from slipway.addresses import keccak256, to_checksum
from slipway.chain.models import SignedTransaction, UnsignedTransaction

_TYPE = b"\x02"


def _fields(transaction: UnsignedTransaction) -> list[object]:
    call = transaction.call
    return [
        transaction.chain_id,
        transaction.nonce,
        transaction.fees.max_priority_fee_per_gas,
        transaction.fees.max_fee_per_gas,
        call.gas_limit,
        bytes.fromhex(call.to[2:]) if call.to else b"",
        call.value,
        call.data,
        [],
    ]


def signing_digest(transaction: UnsignedTransaction) -> bytes:
    """The 32 bytes to sign."""
    return keccak256(_TYPE + rlp.encode(_fields(transaction)))


def signed(transaction: UnsignedTransaction, y_parity: int, r: int, s: int) -> SignedTransaction:
    """The transaction with its signature, as it is broadcast."""
    raw = _TYPE + rlp.encode([*_fields(transaction), y_parity, r, s])
    return SignedTransaction(raw="0x" + raw.hex(), transaction_hash="0x" + keccak256(raw).hex())


def contract_address(sender: str, nonce: int) -> str:
    """Where a contract lands that ``sender`` creates with ``nonce``."""
    return to_checksum("0x" + keccak256(rlp.encode([bytes.fromhex(sender[2:]), nonce]))[12:].hex())
