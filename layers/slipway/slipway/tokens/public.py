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
from slipway.errors import NotFoundError, UpstreamUnavailableError
from slipway.network import public_client
from slipway.settings import chain_settings
from slipway.store import condition_held, read_items
from slipway.times import Clock
from slipway.tokens import calls
from slipway.tokens.models import (
    DECIMALS,
    ZERO_ADDRESS,
    Status,
    TokenTransaction,
    TokenView,
    WalletAsset,
    WalletAssetOptions,
)
from slipway.tokens.store import LaunchedToken, find_token, keep_steward, model_lock
from slipway.verification.models import Verification

# How long an answer is kept, here and by callers: a mint is seen as late as that.
KEPT_SECONDS = 10
_MOST_KEPT = 500
_RPC_SECONDS = 1.5
_ASKED_SECONDS = 1.0
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
        self._has_earlier: bool | None = None
        self._ask_again_at = 0.0

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
        token, registry = self._read(address)
        facts = self._facts(address, registry)
        found = _view(token, self._chain, facts)
        if found.owner and found.steward != token.steward:
            # It was handed over: from now on the new steward may mint.
            keep_steward(address, found.steward)
        if found.total_supply is not None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[address] = (self._clock.monotonic() + KEPT_SECONDS, found)
        return found

    def abi(self, address: str) -> list[dict[str, Any]]:
        """Return the token's ABI; raises NotFoundError as ``view`` does, and for one of an earlier version's source."""
        self._require_source(address)
        return load(CONTRACT).abi

    def metadata(self, address: str) -> dict[str, Any]:
        """Return the compiler's standard-JSON input of the token's source; raises as ``abi`` does."""
        self._require_source(address)
        found: dict[str, Any] = json.loads(load_input(CONTRACT))
        return found

    def _facts(self, address: str, registry: str) -> Sequence[bytes | None]:
        """Return total supply, owner, and terms of the registry, which one of an earlier version does not keep."""
        of_it = [(address, call_data("totalSupply()", ())), (address, call_data("owner()", ()))]
        try:
            return read_together(self._rpc, [*of_it, (registry, call_data("termsOf(address)", (address,)))])
        except (UpstreamUnavailableError, RpcError):
            return (None, None, None)

    def _read(self, address: str) -> tuple[LaunchedToken, str]:
        token, configuration = read_items(
            (LaunchedToken, LaunchedToken.key(address)),
            (ChainConfiguration, ChainConfiguration.key(self._chain.chain_id)),
        )
        registry = str(with_contracts(configuration, self._chain).model_registry)
        return token or self._earlier(address, registry), registry

    def _require_source(self, address: str) -> None:
        token, _ = self._read(address)
        if token.source_hash != load(CONTRACT).source_hash:
            raise NotFoundError("The token was launched from the source of an earlier version, which is not kept")

    def _earlier(self, address: str, registry: str) -> LaunchedToken:
        """Return a token from before tokens had items of their own, by its model, and give it one.

        A stranger's addresses cost the chain next to nothing: it is asked for a model at most once a second, and not at
        all where no registry of that time is in use.

        Raises:
            NotFoundError: The registry, or the model's launch, does not know the token.
            UpstreamUnavailableError: No node answered, or one was asked just now.
        """
        if self._has_earlier is None:
            self._has_earlier = calls.has_earlier_tokens(self._rpc, registry)
        launch = None
        if self._has_earlier:
            if self._clock.monotonic() < self._ask_again_at:
                raise UpstreamUnavailableError("The registry was asked for other tokens just now", retry_after=2)
            self._ask_again_at = self._clock.monotonic() + _ASKED_SECONDS
            lock = model_lock(model) if (model := calls.model_of(self._rpc, registry, address)) else None
            launch = find_token(lock.deployment_id) if lock else None
        is_it = launch and launch.status == str(Status.COMPLETED) and to_checksum(str(launch.token_address)) == address
        if launch is None or not is_it:
            raise NotFoundError("There is no such token")
        token = LaunchedToken.of(launch, {})
        if self._rpc.code_at(address).hex() != load(CONTRACT).deployed_bytecode[2:]:
            token.source_hash = None
        condition_held(lambda: token.save(condition=LaunchedToken.pk.does_not_exist()))
        return token


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
