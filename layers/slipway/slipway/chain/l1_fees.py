"""What a rollup charges besides gas, for carrying a transaction's bytes to the chain below it.

Source: the OP stack's specification of L1 cost, and its predeployed contract GasPriceOracle.
"""

from collections.abc import Sequence

from slipway.chain.abi import call_data, words
from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.models import Call
from slipway.errors import UpstreamUnavailableError

_ORACLE = "0x420000000000000000000000000000000000000F"
# A transaction's other fields, as bytes that no compression makes smaller; the oracle adds the signature's.
_OTHER_FIELDS = bytes(range(1, 101))
# The fee moves with the chain below until the transaction is mined.
_MARGIN_PERCENT = 50


def most_l1_fee(expected: int) -> int:
    """Return the most wei that is likely to be charged where ``expected`` is charged now."""
    return expected + expected * _MARGIN_PERCENT // 100


def expected_l1_fees(rpc: JsonRpc, calls: Sequence[Call]) -> tuple[int, ...]:
    """Return the wei that transactions with these calls would be charged besides gas now, for each.

    Raises:
        UpstreamUnavailableError: No node answered, or the chain has no such oracle.
    """
    if rpc.chain.l1_fee is None:
        return (0,) * len(calls)
    try:
        return tuple(rpc.ask(_ORACLE, _question(call), lambda answer: words(answer)[0]) for call in calls)
    except RpcError as error:
        raise UpstreamUnavailableError(f"{rpc.chain.name} says no L1 fee: {error.rpc_message}") from error


def _question(call: Call) -> bytes:
    return call_data("getL1Fee(bytes)", (_OTHER_FIELDS + call.data,))
