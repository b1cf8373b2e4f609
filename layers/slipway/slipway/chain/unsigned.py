"""Transactions that a user's own wallet completes, signs and sends: Slipway holds no user's key."""

from pydantic import BaseModel

from slipway.chain.models import Call


class UnsignedCreation(BaseModel):
    """The creation of a contract that lacks nonce, fees and signature, in the forms that wallets and libraries take.

    ``value`` is a hexadecimal quantity in wei, ``gas`` a limit with head-room.
    """

    data: str
    value: str = "0x0"
    chainId: int  # noqa: N815 (the name that wallets know)
    gas: int
    description: str


class UnsignedTransaction(UnsignedCreation):
    """A call of a contract, likewise."""

    to: str


def unsigned(call: Call, gas: int, chain_id: int, description: str) -> UnsignedTransaction:
    """Return a call as a wallet takes it."""
    data = "0x" + call.data.hex()
    return UnsignedTransaction(to=str(call.to), data=data, chainId=chain_id, gas=gas, description=description)
