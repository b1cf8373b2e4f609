"""Pure encodings of the escrow: a job's key on chain, permits."""

import math
import uuid
from decimal import Decimal
from typing import Any

from slipway.addresses import keccak256
from slipway.chain.abi import encode
from slipway.errors import ValidationFailedError
from slipway.escrow.models import Permit, PermitDomain

# How long a permit holds that the wallet is asked to sign.
PERMIT_SECONDS = 3600
# A deposit can't be estimated before its approval is mined. Held to the contract by its tests; the newest fork asks
# 414,000 of a first deposit, far more than those before it did.
DEPOSIT_GAS = 500_000
APPROVE_GAS = 120_000

_DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_DOMAIN_FIELDS = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
_PERMIT_FIELDS = [
    {"name": "owner", "type": "address"},
    {"name": "spender", "type": "address"},
    {"name": "value", "type": "uint256"},
    {"name": "nonce", "type": "uint256"},
    {"name": "deadline", "type": "uint256"},
]


# Over the price that a caller allows: it is reckoned with blocks of 6.1 s, and Akash's may come faster.
_PRICE_MARGIN = Decimal("1.1")


def units_of(usd: Decimal, decimals: int) -> int:
    """Return US dollars in the token's base units, rounded up: 1 US dollar is 1 token, here and nowhere else."""
    units: int = math.ceil(usd * 10**decimals)
    return units


def agreed_price(usd_per_hour: Decimal, decimals: int) -> int:
    """Return what a depositor agrees to for each hour begun, in base units, by the highest price of a bid."""
    return units_of(usd_per_hour * _PRICE_MARGIN, decimals)


def job_key(job_id: str) -> bytes:
    """Return a job's 32 bytes on chain: the UUID's sixteen, then zeros, so that an event names the job."""
    return uuid.UUID(job_id).bytes + bytes(16)


def domain_separator(domain: PermitDomain) -> bytes:
    """Return the hash by which a token names its domain (EIP-712)."""
    hashes = [keccak256(text.encode()) for text in (_DOMAIN, domain.name, domain.version)]
    kinds = ("bytes32", "bytes32", "bytes32", "uint256", "address")
    return keccak256(encode(kinds, (*hashes, domain.chain_id, domain.token)))


def permit_typed_data(domain: PermitDomain, owner: str, spender: str, value: int, nonce: int, deadline: int) -> Any:
    """Return what a wallet signs to let ``spender`` take ``value`` base units (EIP-2612); more than 2^53 is text."""
    return {
        "types": {"EIP712Domain": _DOMAIN_FIELDS, "Permit": _PERMIT_FIELDS},
        "primaryType": "Permit",
        "domain": {
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id,
            "verifyingContract": domain.token,
        },
        "message": {
            "owner": owner,
            "spender": spender,
            "value": str(value),
            "nonce": str(nonce),
            "deadline": deadline,
        },
    }


def signature_parts(permit: Permit) -> tuple[int, bytes, bytes]:
    """v, r and s of a signature; wallets write v as 27 and 28, or as 0 and 1.

    Raises:
        ValidationFailedError: v is none of these.
    """
    signature = bytes.fromhex(permit.signature[2:])
    v = signature[64] + 27 if signature[64] < 2 else signature[64]
    if v not in (27, 28):
        raise ValidationFailedError.of_field("permit.signature", "must end in 1b or 1c, or in 00 or 01")
    return v, signature[:32], signature[32:64]
