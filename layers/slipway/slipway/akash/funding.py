"""Keeping running workloads funded: what ``reconcile`` does for all that it checks in one run.

Owners' escrows pay in steps, and what they deposit meanwhile is reserved and put into the account on Akash. Owners are
warned of a short runway, workloads are topped up where that is wanted, and one that its owner pays for is closed while
there is still money for that.
"""

import time
from collections.abc import Sequence
from decimal import ROUND_UP, Decimal
from typing import Any

from slipway.akash.bidding.prices import BLOCK_SECONDS, MICRO
from slipway.akash.changes import WorkloadChanges
from slipway.akash.console.models import Deployment
from slipway.akash.models import MIN_DEPOSIT
from slipway.akash.payments import Payments, funded_units
from slipway.akash.service import request_close
from slipway.akash.status.costs import cost_of, transferred_usd
from slipway.akash.status.models import Cost
from slipway.akash.store import AkashDeployment, Purpose
from slipway.budgets.store import spender_of
from slipway.errors import FundsExhaustedError, SlipwayError
from slipway.escrow.models import EscrowStatus
from slipway.escrow.rules import units_of
from slipway.jobs.store import change_job
from slipway.observability import logger, record
from slipway.times import Clock, from_text, now

# Runways of which an owner is warned once each, in seconds; the longer one is where ``auto_top_up`` begins.
_SOON, _LATER = 7_200, 86_400
# Closing takes time, and reconcile comes once a minute.
CLOSING_SECONDS = 180
_RENEW_SECONDS = 3 * 86_400
_REFUSED_PAUSE = 3_600


def charge_of(deployment: AkashDeployment, status: EscrowStatus, paid: Decimal, step: Decimal, moment: float) -> Any:
    """Return what the escrow has to do for a running workload now, or None.

    Args:
        deployment: One that its owner's escrow pays for.
        status: What the escrow holds.
        paid: US dollars that its providers were paid for certain; what is reckoned by time may be too much.
        step: US dollars that are released at once.
        moment: Now, in seconds since 1970.
    """
    if status.price is None or deployment.charge or deployment.payment_signed:
        return None
    decimals, funded, seen = int(deployment.payment["decimals"]), funded_units(deployment), deployment.seen_units
    came = 0 if seen is None else min(status.deposited - int(seen), status.refundable)
    if came >= units_of(MIN_DEPOSIT, decimals):
        return {"purpose": Purpose.RESERVE_MORE, "units": funded + came, "seen": status.deposited}
    owed = min(units_of(paid, decimals), funded) - int(deployment.released_units)
    owed = min(owed, status.releasable)
    ends_soon = status.reserved_until - moment < _RENEW_SECONDS and status.renewable_until > status.reserved_until
    if owed > 0 and (ends_soon or owed >= units_of(step, decimals)):
        # What is paid is not reserved any more, and the reservation of the rest is renewed.
        return {"purpose": Purpose.RELEASE_PART, "units": owed}
    return {"purpose": Purpose.RESERVE_MORE, "units": funded, "seen": int(seen or 0)} if ends_soon else None


def warning_of(runway: float | None, warned: int | None) -> tuple[int | None, bool]:
    """Return the level of a runway in seconds, and whether its owner is to be warned, having been warned of one."""
    level = next((level for level in (_SOON, _LATER) if runway is not None and runway < level), None)
    return level, level is not None and (warned is None or level < warned)


class Funding:
    """Looks after the money of running workloads.

    Args:
        changes: Has executions do what is due.
        payments: Reads the escrow; None where there is none.
        step: US dollars of cost after which they are released.
        clock: Gives the time.
    """

    def __init__(
        self,
        changes: WorkloadChanges,
        payments: Payments | None,
        step: Decimal,
        clock: Clock = time,
    ) -> None:
        self._changes = changes
        self._payments = payments
        self._step = step
        self._clock = clock

    def keep(self, running: Sequence[tuple[AkashDeployment, Deployment]]) -> dict[str, float]:
        """Do what is due for the money of running workloads, each with what Akash shows of it.

        Returns:
            How soon those have to be checked again, in seconds by id, that can't wait for their usual turn.
        """
        paid = [deployment for deployment, _ in running if deployment.payment and deployment.reserved_at]
        statuses, soon = self._statuses(paid), {}
        for deployment, found in running:
            try:
                left = self._keep(deployment, found, statuses.get(deployment.deployment_id))
            except SlipwayError as error:
                logger.warning("not funded", deployment_id=deployment.deployment_id, reason=error.message)
                continue
            if left is not None:
                soon[str(deployment.deployment_id)] = left
        return soon

    def _statuses(self, paid: Sequence[AkashDeployment]) -> dict[str, EscrowStatus]:
        if not paid or self._payments is None:
            return {}
        try:
            found = self._payments.statuses(paid)
        except SlipwayError as error:
            logger.warning("escrow not read", reason=error.message)
            return {}
        return {str(one.deployment_id): status for one, status in zip(paid, found, strict=True) if status}

    def _keep(self, deployment: AkashDeployment, found: Deployment, status: EscrowStatus | None) -> float | None:
        moment = self._clock.time()
        cost = cost_of(found, moment)
        runway: float | None = cost.runway_seconds
        if status and status.price is not None:
            # Nor is it paid for once its reservation can't be renewed.
            runway = min(status.renewable_until - moment, runway if runway is not None else _RENEW_SECONDS)
        if status and (charge := charge_of(deployment, status, transferred_usd(found), self._step, moment)):
            self._changes.charge(deployment, charge)
        elif deployment.payment:
            self._pay_in(deployment)
        elif deployment.auto_top_up and runway is not None and runway < _LATER:
            self._top_up(deployment, cost, runway)
        if deployment.top_up or deployment.charge:
            return None
        if deployment.payment and runway is not None and runway < CLOSING_SECONDS:
            reason = "What its owner deposited is used up"
            if request_close(deployment, reason, code=FundsExhaustedError.code):
                record("FundsExhausted")
                self._changes.start(deployment)
            return None
        self._warn(deployment, runway)
        return None if runway is None or not deployment.payment else max(runway - CLOSING_SECONDS, 0)

    def _pay_in(self, deployment: AkashDeployment) -> None:
        """Have put into the account on Akash what its owner paid and Akash refused."""
        paid = Decimal(funded_units(deployment)) / 10 ** int(deployment.payment["decimals"])
        missing, failed = paid - Decimal(deployment.deposit), deployment.top_up_failed_at
        waits = failed and (now(self._clock) - from_text(failed)).total_seconds() < _REFUSED_PAUSE
        if missing >= MIN_DEPOSIT and not deployment.top_up and not waits:
            self._changes.pay_in(deployment, missing)

    def _top_up(self, deployment: AkashDeployment, cost: Cost, runway: float) -> None:
        """Top a workload up to two days, within its owner's budgets."""
        if deployment.top_up:
            return
        price = Decimal(cost.price_per_block.amount) / MICRO / BLOCK_SECONDS
        amount = max(price * int(2 * _LATER - runway), MIN_DEPOSIT).quantize(Decimal("0.01"), ROUND_UP)
        self._changes.top_up(deployment, amount, spender_of(deployment.wallet, deployment.budget))

    def _warn(self, deployment: AkashDeployment, runway: float | None) -> None:
        last = None if deployment.warned_seconds is None else int(deployment.warned_seconds)
        level, is_new = warning_of(runway, last)
        if level == last:
            return
        warned = AkashDeployment.warned_seconds
        before = warned.does_not_exist() if last is None else warned == last
        message = f"Its money lasts less than {(level or 0) // 3600} hours"
        change_job(
            deployment,
            [warned.remove() if level is None else warned.set(level)],
            before,
            event=("payment_low", message, {"runway_seconds": int(runway or 0)}) if is_new else None,
        )
