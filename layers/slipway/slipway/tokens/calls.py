"""What a launch does on chain: the token's creation, its registration, its first supply; and what the chain says of
tokens."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from slipway.addresses import keccak256, to_checksum
from slipway.amounts import base_units
from slipway.chain.abi import address_of, call_data, encode, string_at, words
from slipway.chain.contracts import load
from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.models import Call
from slipway.chain.plans import Created, PlannedCall
from slipway.chain.reads import read_together
from slipway.tokens.models import DECIMALS, ZERO_ADDRESS
from slipway.tokens.rules import shares


def creation(name: str, symbol: str, controller: str) -> PlannedCall:
    """Create a HokusaiToken; constructor ``(string name, string symbol, address controller)``."""
    bytecode = bytes.fromhex(load("HokusaiToken").bytecode[2:])
    arguments = encode(("string", "string", "address"), (name, symbol, controller))
    return PlannedCall("deploy", None, code=bytecode + arguments)


class Version(IntEnum):
    """Versions of ModelRegistry: what each knows that those before it did not, as it announces by ERC-165."""

    FIRST = 0
    REFUSES_EMPTY = 1
    KEEPS_TERMS = 2


_REGISTER = {
    Version.FIRST: "register(string,address)",
    Version.REFUSES_EMPTY: "register(string,address)",
    Version.KEEPS_TERMS: "register(string,address,address,uint256,bytes32)",
}


@dataclass(frozen=True)
class Terms:
    """Under which terms a token is launched. Amounts are in base units.

    Attributes:
        steward: The wallet that may have tokens minted.
        max_supply: How many there may be.
        shares: Who gets how much of the first supply.
    """

    steward: str
    max_supply: int
    shares: Mapping[str, int]

    @classmethod
    def of(
        cls, steward: str, initial: str | None, most: str | None, allocations: Iterable[Mapping[str, str]]
    ) -> "Terms":
        """Return the terms of a launch by its request, whose supplies are in whole tokens.

        Without a maximum, nothing is minted after the first supply.
        """
        return cls(
            steward,
            base_units(most or initial or "0", DECIMALS),
            shares(initial, allocations, steward) if initial else {},
        )

    @property
    def lists(self) -> tuple[list[str], list[int]]:
        """Recipients and amounts, as the contracts take them."""
        return [*self.shares], [*self.shares.values()]

    @property
    def distribution(self) -> bytes:
        """What the registration commits the token to."""
        return keccak256(encode(("address[]", "uint256[]"), self.lists)) if self.shares else bytes(32)


def launch(
    registry: str, manager: str, version: Version, name: str, symbol: str, model_id: str, terms: Terms
) -> list[PlannedCall]:
    """Return all that a launch does, in the order of the nonces; a registry of a version before terms gets none."""
    # The manager is a contract without a model, as the token will be.
    created = Created("deploy", stand_in=manager)
    kept = terms if version is Version.KEEPS_TERMS else None
    planned = [creation(name, symbol, manager), registration(registry, model_id, created, kept)]
    if not kept or not terms.shares:
        return planned
    code = bytes.fromhex(load("FirstSupply").bytecode[2:])
    rehearsal = code + encode(("string", "string", "address[]", "uint256[]"), (name, symbol, *terms.lists))
    return [*planned, replace(distribution(manager, created, terms), rehearsal=rehearsal)]


def registration(registry: str, model_id: str, token: str | Created, terms: Terms | None) -> PlannedCall:
    """Register a token with the ModelRegistry; without terms, with one of a version that keeps none."""
    version = Version.KEEPS_TERMS if terms else Version.FIRST
    kept = (terms.steward, terms.max_supply, terms.distribution) if terms else ()
    return PlannedCall("register", registry, function=_REGISTER[version], arguments=(model_id, token, *kept))


def distribution(manager: str, token: str | Created, terms: Terms) -> PlannedCall:
    """Mint the first supply."""
    function = "distribute(address,address[],uint256[])"
    return PlannedCall("distribute", manager, function=function, arguments=(token, *terms.lists))


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


class Registries:
    """What versions registries are of, asked once: the code at an address does not change."""

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc
        self._known: dict[str, Version] = {}

    def version(self, registry: str) -> Version:
        """Return the version of a registry; raises UpstreamUnavailableError."""
        if registry not in self._known:
            announced = (one for one in (Version.KEEPS_TERMS, Version.REFUSES_EMPTY) if self._announces(registry, one))
            self._known[registry] = next(announced, Version.FIRST)
        return self._known[registry]

    def _announces(self, registry: str, version: Version) -> bool:
        identifier = keccak256(_REGISTER[version].encode())[:4]
        call = keccak256(b"supportsInterface(bytes4)")[:4] + identifier.ljust(32, b"\0")
        return any(self._rpc.eth_call(registry, call))


@dataclass(frozen=True)
class TokenStatus:
    """``TokenManager.statusOf``, as of one block: amounts in base units, addresses by EIP-55, None for nobody."""

    steward: str | None
    max_supply: int
    total_supply: int
    distributed: bool


def token_status(rpc: JsonRpc, manager: str, token: str) -> TokenStatus:
    """Return what a manager and its registry know of a token, by one call.

    Raises:
        RpcError: The manager is of a version before stewards.
        UpstreamUnavailableError: No node answered.
    """

    def decode(answer: bytes) -> TokenStatus:
        steward, _, most, total, distributed = words(answer)
        return TokenStatus(_address_or_none(steward), most, total, bool(distributed))

    return rpc.ask(manager, call_data("statusOf(address)", (token,)), decode)


def _address_or_none(word: int) -> str | None:
    return to_checksum(address_of(word)) if word else None


def mint(manager: str, token: str, to: str, amount: int) -> Call:
    """Mint tokens, as their steward."""
    return Call(manager, call_data("mint(address,address,uint256)", (token, to, amount)), 0)


def token_name(rpc: JsonRpc, address: str) -> str | None:
    """Return the name of the token at an address, None if there is none."""
    try:
        return rpc.ask(address, call_data("name()", ()), lambda answer: string_at(answer, 0) if answer else None)
    except RpcError:
        return None
