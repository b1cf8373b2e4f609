"""How far a launch's transactions are on chain: what the workflow waits for, and the signer sees for itself."""

from datetime import datetime

from slipway.chain.broadcast import looks
from slipway.chain.json_rpc import JsonRpc
from slipway.chain.models import FINAL, Look, Progress
from slipway.chain.store import TransactionItem
from slipway.chains import Chain
from slipway.errors import UpstreamUnavailableError
from slipway.tokens.store import Launch


def looks_of(rpc: JsonRpc, chain: Chain, launch: Launch, polls: int, moment: datetime) -> dict[str, Look]:
    """Look at a launch's transactions, by purpose; what is written down of one is not asked again.

    Raises:
        UpstreamUnavailableError: No node answered, or it lags behind what is written down.
    """
    unknown = launch.unknown
    found = looks(rpc, chain, unknown, polls, moment)
    by_purpose = {item.purpose: look for item, look in zip(unknown, found, strict=True)}
    if any(item.settled and by_purpose[item.purpose].progress is not Progress.CONFIRMED for item in unknown):
        raise UpstreamUnavailableError("The node does not show a transaction that was confirmed")
    return {purpose: by_purpose.get(purpose) or recorded(item) for purpose, item in launch.transactions.items()}


def looks_as_known(rpc: JsonRpc, chain: Chain, launch: Launch, moment: datetime) -> dict[str, Look]:
    """Look at a launch's transactions as far as that is possible now: what no node can tell is pending."""
    try:
        return looks_of(rpc, chain, launch, 0, moment)
    except UpstreamUnavailableError:
        return {purpose: recorded(item) for purpose, item in launch.transactions.items()}


def recorded(item: TransactionItem) -> Look:
    """Return what is written down of a transaction. One that had no effect is void by now: another may be signed."""
    if not item.settled:
        return Look(Progress.PENDING, 0)
    return Look(Progress.CONFIRMED if item.status == "confirmed" else Progress.VOID, 0)


def status_of(found: Look) -> str | None:
    """Return the status with which a transaction is written down as settled; None while it is open."""
    return str(found.progress) if found.progress in FINAL else None
