"""Minting by a token's steward: refusals by name, and the transaction for the steward's wallet to sign and send."""

from functools import cache

import httpx

from slipway.amounts import base_units
from slipway.chain.json_rpc import JsonRpc, RpcError
from slipway.chain.rules import gas_limit
from slipway.chain.unsigned import unsigned
from slipway.chains import Chain
from slipway.configuration import chain_settings
from slipway.errors import (
    ConflictError,
    ForbiddenError,
    MaxSupplyExceededError,
    NotFoundError,
    UpstreamUnavailableError,
    WrongChainError,
)
from slipway.identity.models import Caller
from slipway.network import public_client
from slipway.tokens import calls
from slipway.tokens.models import DECIMALS, MintAnswer, MintRequest
from slipway.tokens.public import whole
from slipway.tokens.store import LaunchedToken, keep_steward, launched_token

# Two reads one after the other, and an answer within two seconds.
_RPC_SECONDS = 0.9


class Minting:
    """Mints of the tokens of this installation.

    Args:
        chain: The chain that tokens live on.
        http: Client for its nodes.
    """

    def __init__(self, chain: Chain, http: httpx.Client) -> None:
        self._chain = chain
        self._rpc = JsonRpc(chain, http, deadline=_RPC_SECONDS)

    def mint(self, caller: Caller, address: str, body: MintRequest) -> MintAnswer:
        """Return the transaction by which the caller, as steward, has tokens minted.

        Raises:
            NotFoundError: No token of this installation has the address.
            ForbiddenError: The caller is not the token's steward; a stranger learns it before the chain is asked.
            WrongChainError: The token is on another chain than the caller, or this installation, means.
            MaxSupplyExceededError: There would be more tokens than the token's maximum.
            ConflictError: The chain would refuse it.
            UpstreamUnavailableError: The chain or the store did not answer in time.
        """
        token = launched_token(address, consistent=True)
        if token is None:
            raise NotFoundError("There is no such token")
        if token.steward is None or token.steward != caller.wallet:
            raise ForbiddenError("Only the token's steward may mint")
        if {int(token.chain_id), body.chain_id or self._chain.chain_id} != {self._chain.chain_id}:
            message = "The token is on another chain"
            raise WrongChainError(message, details={"chain_id": int(token.chain_id)})
        found = self._status(token)
        if found.steward != caller.wallet:
            keep_steward(address, found.steward)
            raise ForbiddenError("Only the token's steward may mint")
        amount, left = base_units(body.amount, DECIMALS), found.max_supply - found.total_supply
        if amount > left:
            details = {"left": whole(left), "max_supply": whole(found.max_supply)}
            raise MaxSupplyExceededError("There would be more tokens than the token's maximum", details=details)
        call = calls.mint(str(token.controller), address, body.to, amount)
        try:
            gas = gas_limit(self._rpc.estimate_gas(token.steward, call))
        except RpcError as error:
            raise ConflictError(f"The chain would refuse the transaction: {error.rpc_message}") from error
        description = f"Mint {body.amount} {token.token_symbol} for {body.to}"
        return MintAnswer(transactions=[unsigned(call, gas, self._chain.chain_id, description)])

    def _status(self, token: LaunchedToken) -> calls.TokenStatus:
        try:
            return calls.token_status(self._rpc, str(token.controller), token.token_address)
        except RpcError as error:
            raise UpstreamUnavailableError(
                f"The chain can't be read now: {error.rpc_message}", retry_after=5
            ) from error


@cache
def minting() -> Minting:
    """Return the mints on this installation's token chain."""
    return Minting(chain_settings().token_chain, public_client())
