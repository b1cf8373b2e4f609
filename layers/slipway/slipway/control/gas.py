"""What users' jobs cost the operator on chains: by wallet, by day, and transaction. Currencies are never summed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from slipway.chains import Chain
from slipway.configuration import chain_settings
from slipway.control.models import DayGas, GasAnswer, GasCost, GasTransaction, WalletGas
from slipway.control.rules import MAX_DAYS, days_between, span
from slipway.jobs.gas import GasSpent, gas_between
from slipway.times import now, to_text

# Most transactions that one answer counts: about four read units a hundred.
_MAX_COUNTED = 5_000
_MAX_SHOWN = 100


def gas(wallet: str | None, since: datetime | None, until: datetime | None) -> GasAnswer:
    """Return what the jobs of one wallet, or of all, cost on chains; by default in the last 31 days.

    Raises:
        ValidationFailedError: The span makes no sense.
        UpstreamUnavailableError: The store did not answer.
    """
    until = until or now()
    since, until = span(since or until - timedelta(days=MAX_DAYS), until)
    found = gas_between(since, until, _MAX_COUNTED)
    truncated = len(found) >= _MAX_COUNTED
    # The same transaction may be written down under two signatures' times.
    spent = list({row.transaction_hash: row for row in found if wallet in (None, row.wallet)}.values())
    chains = chain_settings().chains
    wallets = sorted(_by(spent, lambda row: str(row.wallet)).items(), key=lambda entry: -len(entry[1]))
    days = _by(spent, lambda row: str(row.created_at[:10]))
    return GasAnswer(
        since=to_text(since),
        until=to_text(until),
        wallets=[WalletGas(wallet=name, costs=_costs(rows, chains)) for name, rows in wallets],
        days=[
            DayGas(date=str(day), costs=_costs(days.get(str(day), ()), chains))
            for day in days_between(since, until, newest_first=False)
        ],
        transactions=[_shown(row, chains.get(int(row.chain_id))) for row in spent[:_MAX_SHOWN]],
        truncated=truncated,
    )


def _by[Key](spent: Iterable[GasSpent], key: Callable[[GasSpent], Key]) -> Mapping[Key, list[GasSpent]]:
    found: dict[Key, list[GasSpent]] = defaultdict(list)
    for row in spent:
        found[key(row)].append(row)
    return found


def _costs(spent: Sequence[GasSpent], chains: Mapping[int, Chain]) -> list[GasCost]:
    return [
        GasCost(
            chain_id=chain_id,
            currency=chains[chain_id].currency if chain_id in chains else None,
            transactions=len(rows),
            gas_used=str(sum(int(row.gas) for row in rows)),
            cost=str(sum(int(row.cost) for row in rows)),
        )
        for chain_id, rows in sorted(_by(spent, lambda row: int(row.chain_id)).items())
    ]


def _shown(row: GasSpent, chain: Chain | None) -> GasTransaction:
    return GasTransaction(
        at=row.created_at,
        wallet=row.wallet,
        kind=row.kind,
        job_id=row.job_id,
        purpose=row.purpose,
        chain_id=int(row.chain_id),
        currency=chain.currency if chain else None,
        gas_used=str(int(row.gas)),
        cost=row.cost,
        transaction_hash=row.transaction_hash,
        explorer_url=chain.explorer_transaction_url(row.transaction_hash) if chain else None,
    )
