"""Transactions: their bytes, digests and hashes, and the address of a contract before it exists.

Sources: EIP-1559, EIP-2718, EIP-155 for legacy transactions, EIP-2 (low s), and the Yellow Paper for CREATE addresses
and RLP (appendix B).
"""

from collections.abc import Sequence

from slipway.addresses import keccak256, to_checksum
from slipway.chain.models import SignedTransaction, UnsignedTransaction

_TYPE = b"\x02"


type _Item = bytes | int | Sequence[_Item]


def rlp(item: _Item) -> bytes:
    """Return the recursive length prefix encoding of bytes, of a number that is not negative, or of a list of such."""
    if isinstance(item, int):
        item = item.to_bytes((item.bit_length() + 7) // 8, "big")
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < 0x80 else _prefixed(item, 0x80)
    return _prefixed(b"".join(map(rlp, item)), 0xC0)


def _prefixed(content: bytes, base: int) -> bytes:
    length = len(content)
    if length <= 55:
        return bytes([base + length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(size)]) + size + content


def _fields(transaction: UnsignedTransaction) -> list[_Item]:
    call, fees = transaction.call, transaction.fees
    body: list[_Item] = [call.gas_limit, bytes.fromhex(call.to[2:]) if call.to else b"", call.value, call.data]
    if fees.is_legacy:
        return [transaction.nonce, fees.max_fee_per_gas, *body]
    return [transaction.chain_id, transaction.nonce, fees.max_priority_fee_per_gas, fees.max_fee_per_gas, *body, []]


def signing_digest(transaction: UnsignedTransaction) -> bytes:
    """Return the 32 bytes to sign."""
    fields = _fields(transaction)
    if transaction.fees.is_legacy:
        return keccak256(rlp([*fields, transaction.chain_id, 0, 0]))
    return keccak256(_TYPE + rlp(fields))


def signed(transaction: UnsignedTransaction, y_parity: int, r: int, s: int) -> SignedTransaction:
    """Return the transaction with its signature, as it is broadcast."""
    fields = _fields(transaction)
    if transaction.fees.is_legacy:
        raw = rlp([*fields, transaction.chain_id * 2 + 35 + y_parity, r, s])
    else:
        raw = _TYPE + rlp([*fields, y_parity, r, s])
    return SignedTransaction(raw="0x" + raw.hex(), transaction_hash="0x" + keccak256(raw).hex())


def contract_address(sender: str, nonce: int) -> str:
    """Return where a contract lands that ``sender`` creates with ``nonce``."""
    return to_checksum("0x" + keccak256(rlp([bytes.fromhex(sender[2:]), nonce]))[12:].hex())
