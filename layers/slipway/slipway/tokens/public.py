"""Launched tokens as anyone may read them: one read of the store and one call of the chain, kept for some seconds."""

import json
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

import httpx

from slipway.addresses import to_checksum
from slipway.amounts import format_amount, without_zeros
from slipway.chain.abi import address_of, call_data, words
from slipway.chain.contracts import load, load_input
from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.reads import read_together
from slipway.chain.store import ChainConfiguration, with_contracts
from slipway.chains import Chain
from slipway.configuration import chain_settings
from slipway.errors import NotFoundError, UpstreamUnavailableError
from slipway.network import public_client
from slipway.store import read_items
from slipway.times import Clock
from slipway.tokens.models import DECIMALS, ZERO_ADDRESS, TokenTransaction, TokenView, WalletAsset, WalletAssetOptions
from slipway.tokens.store import LaunchedToken, keep_steward, launched_token
from slipway.verification.models import Verification

# How long an answer is kept, here and by callers: a mint is seen as late as that.
TTL_SECONDS = 10
_MAX_KEPT = 500
_RPC_SECONDS = 1.5
CONTRACT = "HokusaiToken"


class PublicTokens:
    """The tokens of this installation.

    Args:
        chain: The chain that tokens live on.
        http: Client for its nodes.
        clock: Passes the time.
    """

    def __init__(self, chain: Chain, http: httpx.Client, clock: Clock = time) -> None:
        self._chain = chain
        self._rpc = JsonRpc(chain, http, deadline=_RPC_SECONDS, clock=clock)
        self._clock = clock
        self._kept: dict[str, tuple[float, TokenView]] = {}

    def view(self, address: str) -> TokenView:
        """Return a token with what its chain says of it now; a chain that does not answer leaves that part null.

        Args:
            address: In EIP-55 form.

        Raises:
            NotFoundError: No token of this installation has the address.
            UpstreamUnavailableError: The store did not answer.
        """
        kept = self._kept.get(address)
        if kept and self._clock.monotonic() < kept[0]:
            return kept[1]
        token, configuration = read_items(
            (LaunchedToken, LaunchedToken.key(address)),
            (ChainConfiguration, ChainConfiguration.key(self._chain.chain_id)),
        )
        token = _existing(token)
        facts = self._facts(address, str(with_contracts(configuration, self._chain).model_registry))
        found = _view(token, self._chain, facts)
        if found.owner and found.steward != token.steward:
            # It was handed over: from now on the new steward may mint.
            keep_steward(address, found.steward)
        if found.total_supply is not None:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[address] = (self._clock.monotonic() + TTL_SECONDS, found)
        return found

    def abi(self, address: str) -> list[dict[str, Any]]:
        """Return the token's ABI; raises NotFoundError as ``view`` does, and for one of an earlier version's source."""
        _of_this_source(_existing(launched_token(address)))
        return load(CONTRACT).abi

    def metadata(self, address: str) -> dict[str, Any]:
        """Return the compiler's standard-JSON input of the token's source; raises as ``abi`` does."""
        _of_this_source(_existing(launched_token(address)))
        found: dict[str, Any] = json.loads(load_input(CONTRACT))
        return found

    def _facts(self, address: str, registry: str) -> Sequence[bytes | None]:
        """Return total supply, owner, and terms of the registry, which one of an earlier version does not keep."""
        of_it = [(address, call_data("totalSupply()", ())), (address, call_data("owner()", ()))]
        try:
            return read_together(self._rpc, [*of_it, (registry, call_data("termsOf(address)", (address,)))])
        except (UpstreamUnavailableError, RpcError):
            return (None, None, None)


def _existing(token: LaunchedToken | None) -> LaunchedToken:
    if token is None:
        raise NotFoundError("There is no such token")
    return token


def _of_this_source(token: LaunchedToken) -> None:
    if token.source_hash != load(CONTRACT).source_hash:
        raise NotFoundError("The token was launched from the source of an earlier version, which is not kept")


def _view(token: LaunchedToken, chain: Chain, facts: Sequence[bytes | None]) -> TokenView:
    supply, owner, terms = (_words(fact) for fact in facts)
    address = token.token_address
    # Steward and maximum, in that order; all zero for a token of an earlier registry.
    is_registered = len(terms) > 1 and any(terms)
    return TokenView(
        address=address,
        chain_id=int(token.chain_id),
        model_id=token.model_id,
        name=token.token_name,
        symbol=token.token_symbol,
        decimals=DECIMALS,
        total_supply=whole(supply[0]) if supply else None,
        max_supply=whole(terms[1]) if is_registered else token.max_supply,
        steward=_address(terms[0]) if is_registered else None,
        owner=_address(owner[0]) if owner else None,
        transactions=[
            TokenTransaction(**entry, explorer_url=chain.explorer_transaction_url(entry["transaction_hash"]))
            for entry in token.transactions
        ],
        verification=Verification.of(token.verification),
        explorer_url=chain.explorer_address_url(address),
        wallet_asset=WalletAsset(
            options=WalletAssetOptions(address=address, symbol=token.token_symbol, decimals=DECIMALS)
        ),
    )


def _words(answer: bytes | None) -> list[int]:
    try:
        return words(answer or b"")
    except ValueError:
        return []


def _address(word: int) -> str | None:
    try:
        address = address_of(word)
    except ValueError:
        return None
    return None if address == ZERO_ADDRESS else to_checksum(address)


def whole(amount: int) -> str:
    """Return base units in whole tokens, without zeros that say nothing."""
    return without_zeros(format_amount(amount, DECIMALS))


@cache
def public_tokens() -> PublicTokens:
    """Return the tokens on this installation's token chain."""
    return PublicTokens(chain_settings().token_chain, public_client())
