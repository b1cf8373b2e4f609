"""What a launch does on chain: creation of the token, its registration, and the question whether a model has one."""

from collections.abc import Sequence

from slipway.addresses import keccak256
from slipway.chain.abi import address_of, call_data, encode, string_at, words
from slipway.chain.contracts import load
from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.plans import Created, PlannedCall
from slipway.chain.reads import read_together
from slipway.tokens.models import ZERO_ADDRESS


def creation(name: str, symbol: str, controller: str) -> PlannedCall:
    """Create a HokusaiToken; constructor ``(string name, string symbol, address controller)``."""
    bytecode = bytes.fromhex(load("HokusaiToken").bytecode[2:])
    arguments = encode(("string", "string", "address"), (name, symbol, controller))
    return PlannedCall("deploy", None, code=bytecode + arguments)


_REGISTER = "register(string,address)"


def registration(registry: str, model_id: str, token: str | Created) -> PlannedCall:
    """Register a token with the ModelRegistry."""
    return PlannedCall("register", registry, function=_REGISTER, arguments=(model_id, token))


def registered_token(rpc: JsonRpc, registry: str, model_id: str) -> str | None:
    """Return the token that the registry has for a model, in lower case, or None."""
    return rpc.ask(registry, _token_of(model_id), _token_in)


def registered_tokens(rpc: JsonRpc, registry: str, model_ids: Sequence[str]) -> dict[str, str]:
    """Return the tokens that the registry has for models, in lower case, by one call; models without one are left out.

    Raises:
        UpstreamUnavailableError: No node answered.
    """
    answers = read_together(rpc, [(registry, _token_of(model_id)) for model_id in model_ids])
    found = zip(model_ids, answers, strict=True)
    return {model_id: token for model_id, answer in found if answer and (token := _token_in(answer))}


def _token_of(model_id: str) -> bytes:
    return call_data("tokenOf(string)", (model_id,))


def _token_in(answer: bytes) -> str | None:
    address = address_of(words(answer)[0])
    return None if address == ZERO_ADDRESS else address


def refuses_empty(rpc: JsonRpc, registry: str) -> bool:
    """Return whether a registry refuses a token without code, which it announces by ERC-165."""
    identifier = keccak256(_REGISTER.encode())[:4]
    call = keccak256(b"supportsInterface(bytes4)")[:4] + identifier.ljust(32, b"\0")
    return any(rpc.eth_call(registry, call))


def token_name(rpc: JsonRpc, address: str) -> str | None:
    """Return the name of the token at an address, None if there is none."""
    try:
        return rpc.ask(address, call_data("name()", ()), lambda answer: string_at(answer, 0) if answer else None)
    except RpcError:
        return None
