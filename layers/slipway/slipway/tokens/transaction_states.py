"""How far a launch is on chain: what the workflow waits for, and the signer sees for itself."""

from datetime import datetime

from slipway.chain.broadcast import transaction_states
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import FINAL, Progress, TransactionState
from slipway.chain.store import ChainConfiguration, TransactionItem
from slipway.chains import Chain
from slipway.errors import TokenExistsError, UpstreamUnavailableError
from slipway.tokens import calls
from slipway.tokens.models import Purpose
from slipway.tokens.store import Launch, TokenItem


def launch_states(
    rpc: JsonRpc, chain: Chain, launch: Launch, polls: int, moment: datetime
) -> dict[str, TransactionState]:
    """Return how far a launch's transactions are, by purpose; what is written down of one is not asked again.

    Raises:
        UpstreamUnavailableError: No node answered, or it lags behind what is written down.
    """
    unknown = launch.unknown
    found = transaction_states(rpc, chain, unknown, polls, moment)
    by_purpose = {item.purpose: state for item, state in zip(unknown, found, strict=True)}
    if any(item.settled and by_purpose[item.purpose].progress is not Progress.CONFIRMED for item in unknown):
        raise UpstreamUnavailableError("The node does not show a transaction that was confirmed")
    return {purpose: by_purpose.get(purpose) or recorded(item) for purpose, item in launch.transactions.items()}


def launch_states_or_recorded(
    rpc: JsonRpc, chain: Chain, launch: Launch, moment: datetime
) -> dict[str, TransactionState]:
    """Return how far a launch's transactions are, by what is written down of them if no node answers now."""
    try:
        return launch_states(rpc, chain, launch, 0, moment)
    except UpstreamUnavailableError:
        return {purpose: recorded(item) for purpose, item in launch.transactions.items()}


def undone(
    rpc: JsonRpc, configuration: ChainConfiguration, token: TokenItem, purposes: tuple[Purpose, ...]
) -> tuple[Purpose, ...]:
    """Return those of a launch's purposes that have no effect on chain: once the token is there, another registrar may
    have registered it, and anybody may have had its supply distributed.

    Raises:
        TokenExistsError: The registry has another token for the model.
        UpstreamUnavailableError: No node answered.
    """
    if "register" in purposes and "deploy" not in purposes:
        registered = calls.registered_token(rpc, str(configuration.model_registry), token.model_id)
        if registered is None:
            return purposes
        if registered != str(token.token_address).lower():
            raise TokenExistsError("The model has another token", details={"token_address": registered})
        purposes = tuple(purpose for purpose in purposes if purpose != "register")
    if purposes == ("distribute",):
        status = calls.token_status(rpc, str(token.controller), str(token.token_address))
        return () if status.distributed else purposes
    return purposes


def terms_of(token: TokenItem) -> calls.Terms:
    """Return under which terms a launch registers its token."""
    return calls.Terms.of(token.wallet, token.initial_supply, token.max_supply, token.allocations or [])


def recorded(item: TransactionItem) -> TransactionState:
    """Return what is written down of a transaction. One that had no effect is void by now: another may be signed."""
    if not item.settled:
        return TransactionState(Progress.PENDING, 0)
    return TransactionState(Progress.CONFIRMED if item.status == "confirmed" else Progress.VOID, 0)


def status_of(found: TransactionState) -> str | None:
    """Return the status with which a transaction is written down as settled; None while it is open."""
    return str(found.progress) if found.progress in FINAL else None
