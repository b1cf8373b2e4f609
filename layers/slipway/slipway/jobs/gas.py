"""What transactions cost the operator, by the wallet whose job each of them served.

Key in the jobs table: ``OUTCOME#gas#<month>`` / ``<time>#<transaction hash>``, by the time of the newest signature; by
month, so that 31 days take two queries. A row is written together with how the transaction ended; one that is written
down twice is one row.
"""

from dataclasses import dataclass
from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from slipway.jobs.store import OUTCOME_SECONDS
from slipway.store import JobsItem, Transaction, upstream_errors
from slipway.times import epoch_seconds, to_text


@dataclass(frozen=True)
class Served:
    """Which kind of job a transaction served, and whose it was."""

    kind: str
    wallet: str


class GasSpent(JobsItem):
    """One mined transaction. ``cost`` is a decimal string in wei of the chain's currency; kept for ninety days."""

    wallet = UnicodeAttribute()
    kind = UnicodeAttribute()
    job_id = UnicodeAttribute()
    purpose = UnicodeAttribute()
    chain_id = NumberAttribute()
    transaction_hash = UnicodeAttribute()
    gas = NumberAttribute()
    cost = UnicodeAttribute()
    created_at = UnicodeAttribute()
    expires_at = NumberAttribute()


def add_gas(
    write: Transaction,
    served: Served,
    *,
    job_id: str,
    purpose: str,
    chain_id: int,
    transaction_hash: str,
    gas: int,
    cost: int,
    signed_at: str,
) -> None:
    """Add to a transaction's end what it cost: ``gas`` in units, ``cost`` in wei."""
    row = GasSpent(
        f"OUTCOME#gas#{signed_at[:7]}",
        f"{signed_at}#{transaction_hash}",
        wallet=served.wallet,
        kind=served.kind,
        job_id=job_id,
        purpose=purpose,
        chain_id=chain_id,
        transaction_hash=transaction_hash,
        gas=gas,
        cost=str(cost),
        created_at=signed_at,
        expires_at=epoch_seconds() + OUTCOME_SECONDS,
    )
    write.create(f"gas:{purpose}", row, or_if=GasSpent.pk.exists())


def gas_between(since: datetime, until: datetime, most: int) -> list[GasSpent]:
    """Return what was spent between two moments, 31 days apart at most, newest first, ``most`` at most."""
    first, last = to_text(since), to_text(until)
    # Three, where February lies between.
    months = {to_text(moment)[:7] for moment in (since, since + (until - since) / 2, until)}
    found: list[GasSpent] = []
    for month in sorted(months, reverse=True):
        if len(found) < most:
            between = GasSpent.sk.between(first, last + "~")
            with upstream_errors():
                found += GasSpent.query(
                    f"OUTCOME#gas#{month}", between, scan_index_forward=False, limit=most - len(found)
                )
    return found
