"""Transactions: their bytes, digests and hashes, and the address of a contract before it exists.

Sources: EIP-1559, EIP-2718, EIP-155 for legacy transactions, EIP-2 (low s), and the Yellow Paper for CREATE addresses.
"""

import rlp  # type: ignore[import-untyped]

from slipway.addresses import keccak256, to_checksum
from slipway.chain.models import SignedTransaction, UnsignedTransaction

_TYPE = b"\x02"


def _fields(transaction: UnsignedTransaction) -> list[object]:
    call, fees = transaction.call, transaction.fees
    body = [call.gas_limit, bytes.fromhex(call.to[2:]) if call.to else b"", call.value, call.data]
    if fees.is_legacy:
        return [transaction.nonce, fees.max_fee_per_gas, *body]
    return [transaction.chain_id, transaction.nonce, fees.max_priority_fee_per_gas, fees.max_fee_per_gas, *body, []]


def signing_digest(transaction: UnsignedTransaction) -> bytes:
    """Return the 32 bytes to sign."""
    fields = _fields(transaction)
    if transaction.fees.is_legacy:
        return keccak256(rlp.encode([*fields, transaction.chain_id, 0, 0]))
    return keccak256(_TYPE + rlp.encode(fields))


def signed(transaction: UnsignedTransaction, y_parity: int, r: int, s: int) -> SignedTransaction:
    """Return the transaction with its signature, as it is broadcast."""
    fields = _fields(transaction)
    if transaction.fees.is_legacy:
        raw = rlp.encode([*fields, transaction.chain_id * 2 + 35 + y_parity, r, s])
    else:
        raw = _TYPE + rlp.encode([*fields, y_parity, r, s])
    return SignedTransaction(raw="0x" + raw.hex(), transaction_hash="0x" + keccak256(raw).hex())


def contract_address(sender: str, nonce: int) -> str:
    """Return where a contract lands that ``sender`` creates with ``nonce``."""
    return to_checksum("0x" + keccak256(rlp.encode([bytes.fromhex(sender[2:]), nonce]))[12:].hex())
