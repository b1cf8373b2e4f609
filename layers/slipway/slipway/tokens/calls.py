"""What a launch does on chain: creation of the token, its registration, and the question whether a model has one."""

from slipway.chain.abi import call_data, encode
from slipway.chain.contracts import load
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.plans import Created, PlannedCall
from slipway.tokens.models import ZERO_ADDRESS


def creation(name: str, symbol: str, controller: str) -> PlannedCall:
    """Create a HokusaiToken; constructor ``(string name, string symbol, address controller)``."""
    bytecode = bytes.fromhex(load("HokusaiToken").bytecode[2:])
    arguments = encode(("string", "string", "address"), (name, symbol, controller))
    return PlannedCall("deploy", None, code=bytecode + arguments)


def registration(registry: str, model_id: str, token: str | Created) -> PlannedCall:
    """Register a token with the ModelRegistry."""
    return PlannedCall("register", registry, function="register(string,address)", arguments=(model_id, token))


def registered_token(rpc: JsonRpc, registry: str, model_id: str) -> str | None:
    """The token that the registry has for a model, in lower case, or None."""
    answer = rpc.eth_call(registry, call_data("tokenOf(string)", (model_id,)))
    address = "0x" + answer[-20:].hex()
    return None if address == ZERO_ADDRESS else address
