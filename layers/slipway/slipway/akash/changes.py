"""Use cases of the owner of a running workload: another SDL, another name, more money, and the SDL itself."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from pynamodb.expressions.update import Action

from slipway.akash.bidding.prices import amount_text
from slipway.akash.models import PatchWorkloadRequest, SdlAnswer, Status, UpdateWorkloadRequest, WorkloadStatus
from slipway.akash.sdl.differences import lease_differences
from slipway.akash.sdl.masking import masked
from slipway.akash.sdl.parser import parse_sdl
from slipway.akash.store import (
    KIND,
    NEXT_SDL,
    RECONCILE_AFTER_SECONDS,
    AkashDeployment,
    put_sdl,
    running,
    sdl_of,
)
from slipway.akash.views import status_of
from slipway.budgets import store as budgets
from slipway.budgets.rules import akash_ceilings, micro
from slipway.budgets.store import Budget, Spender
from slipway.errors import ConflictError, ReplacementNeededError
from slipway.executions import execution_starter
from slipway.identity.models import Caller
from slipway.jobs.open_work import open_shard
from slipway.jobs.restart import execution_input
from slipway.jobs.store import RequestContext, change_job
from slipway.observability import logger
from slipway.settings import akash_budget, state_machine_arn
from slipway.store import Transaction
from slipway.times import now, now_text, to_text

_SOON = 5
_PAID_BY_ESCROW = "Its owner's escrow pays for this workload, and not the operator's account: deposit in the escrow"


class WorkloadChanges:
    """What an owner changes of a workload.

    Args:
        start_execution: Starts ``akash_deploy`` under a name with an input; the same again does nothing.
    """

    def __init__(self, start_execution: Callable[[str, str], None]) -> None:
        self._start_execution = start_execution

    def update(
        self, caller: Caller, deployment: AkashDeployment, body: UpdateWorkloadRequest, context: RequestContext
    ) -> WorkloadStatus:
        """Have a running workload run another SDL: in its lease, or in another one once that is closed.

        Raises:
            InvalidSdlError: The SDL is not one that can be deployed.
            ReplacementNeededError: The lease can't run it, and ``replace`` is not set.
            BudgetExceededError: Another lease is another deposit, and a ceiling would be passed.
            ConflictError: It does not run, or something else is being done with it.
        """
        parse_sdl(body.sdl)
        _require_running(deployment)
        old = sdl_of(deployment)
        if old == body.sdl:
            return status_of(deployment)
        differs = lease_differences(old, body.sdl)
        if differs and deployment.payment:
            raise ConflictError("Its owner's escrow pays for this lease: close it, and request the other one")
        if differs and not body.replace:
            raise ReplacementNeededError(
                "The lease can't run this SDL: set replace to close it and create another",
                details={"differs": differs},
            )
        actions: list[Action] = [AkashDeployment.update_requested_at.set(now_text())]
        event = ("update_requested", "Another SDL is to run in the same lease", None)
        budget, deposit = None, micro(Decimal(deployment.deposit))
        if differs:
            spender = Spender(caller.wallet, caller.tier)
            budget = Budget.read(akash_ceilings(akash_budget()), spender, deployment.budget)
            # With its top ups it may have become more than may be deposited at once.
            deposit = min(deposit, budget.limit("akash_deposit"))
            if refusal := budget.refusal(deposit):
                raise refusal
            actions = [
                AkashDeployment.budget.set(budget.spent(deposit)),
                AkashDeployment.status.set(str(Status.PENDING)),
                AkashDeployment.replace_requested_at.set(now_text()),
            ]
            event = ("replace_requested", "It is closed and created anew with another SDL", {"differs": differs})  # type: ignore[assignment]

        def also(write: Transaction) -> None:
            put_sdl(write, deployment, body.sdl, NEXT_SDL)
            if budget:
                budget.spend(write, deposit)
            write.create("audit", context.audit("accepted", deployment.wallet, deployment.deployment_id, event[0]))

        self._go_on(deployment, actions, also, event)
        if budget:
            budget.measure(deposit)
        return status_of(deployment)

    def patch(self, deployment: AkashDeployment, body: PatchWorkloadRequest, context: RequestContext) -> WorkloadStatus:
        """Change name and automatic top up; what is left out stays.

        Raises:
            ConflictError: An escrow pays for it, so the account tops nothing up.
        """
        given = body.model_dump(exclude_unset=True)
        if body.auto_top_up and deployment.payment:
            raise ConflictError(_PAID_BY_ESCROW)
        actions = [
            getattr(AkashDeployment, name).remove() if value is None else getattr(AkashDeployment, name).set(value)
            for name, value in given.items()
        ]
        changed = ", ".join(sorted(given))
        if actions:
            change_job(
                deployment,
                actions,
                AkashDeployment.pk.exists(),
                also=lambda write: write.create(
                    "audit", context.audit("accepted", deployment.wallet, deployment.deployment_id, changed)
                ),
            )
        return status_of(deployment)

    def deposit(
        self, caller: Caller, deployment: AkashDeployment, amount: Decimal, context: RequestContext
    ) -> WorkloadStatus:
        """Have an amount in US dollars added to a running workload's escrow account, within the budgets.

        Raises:
            BudgetExceededError: A ceiling would be passed.
            ConflictError: It does not run, or something else is being done with it.
        """
        _require_running(deployment)
        if deployment.payment:
            raise ConflictError(_PAID_BY_ESCROW)
        self.top_up(deployment, amount, Spender(caller.wallet, caller.tier), context)
        return status_of(deployment)

    def top_up(
        self,
        deployment: AkashDeployment,
        amount: Decimal,
        spender: Spender,
        context: RequestContext | None = None,
    ) -> None:
        """Reserve an amount and have it deposited; raise as ``deposit``."""
        ceilings = akash_ceilings(akash_budget())
        budget = Budget.read(ceilings, spender)
        if refusal := budget.limit_refusal("akash_deposit", micro(amount)) or budget.refusal(micro(amount)):
            raise refusal
        shown = amount_text(amount)
        before = deployment.budget

        def also(write: Transaction) -> None:
            budget.spend(write, micro(amount))
            if context:
                write.create(
                    "audit", context.audit("accepted", deployment.wallet, deployment.deployment_id, f"{shown} USD")
                )

        more = budget.spent(micro(amount))
        self._go_on(
            deployment,
            [
                AkashDeployment.top_up.set({"amount": shown, "budget": more}),
                AkashDeployment.budget.set(budgets.together(before, more) if before else more),
            ],
            also,
            ("deposit_requested", f"{shown} USD are to be added to the escrow account", {"amount": shown}),
        )
        budget.measure(micro(amount))

    def charge(self, deployment: AkashDeployment, charge: dict[str, Any]) -> None:
        """Have a running workload's escrow pay, or reserve, what is due; raise ConflictError if it can't now."""
        count = int(deployment.charges) + 1
        charge = {**charge, "purpose": f"{charge['purpose']}{count}"}
        self._go_on(deployment, [AkashDeployment.charge.set(charge), AkashDeployment.charges.set(count)])

    def pay_in(self, deployment: AkashDeployment, amount: Decimal) -> None:
        """Have an amount that its owner's escrow has paid added to the account on Akash; raise as ``charge``."""
        self._go_on(deployment, [AkashDeployment.top_up.set({"amount": amount_text(amount)})])

    def _go_on(
        self,
        deployment: AkashDeployment,
        actions: list[Action],
        also: Callable[[Transaction], None] | None = None,
        event: tuple[str, str, dict[str, object] | None] | None = None,
    ) -> None:
        """Change a running workload, and start the execution that does what is due now."""
        soon = to_text(now() + timedelta(seconds=RECONCILE_AFTER_SECONDS))
        if not change_job(
            deployment,
            [
                *actions,
                AkashDeployment.executions.set(int(deployment.executions) + 1),
                AkashDeployment.open_shard.set(open_shard(KIND, deployment.deployment_id)),
                AkashDeployment.open_until.set(soon),
            ],
            running() & (AkashDeployment.executions == int(deployment.executions)),
            event=event,
            also=also,
        ):
            _require_running(deployment)
            raise ConflictError("Too many requests at once; try again", retry_after=1)
        self.start(deployment)

    def start(self, deployment: AkashDeployment) -> None:
        """Start the execution that does what is due."""
        try:
            self._start_execution(deployment.execution_name, execution_input(deployment))
        except Exception:
            # It is written down: reconcile starts it.
            logger.exception("execution not started", deployment_id=deployment.deployment_id)

    def sdl(self, caller: Caller, deployment: AkashDeployment, reveal: bool, context: RequestContext) -> SdlAnswer:
        """Return the SDL as it runs; what looks secret is masked, or shown and audited.

        Raises:
            NotFoundError: It is not kept any more.
        """
        text = sdl_of(deployment)
        if reveal:
            context.record_accepted(str(caller.wallet), deployment.deployment_id)
        return SdlAnswer(deployment_id=deployment.deployment_id, sdl=text if reveal else masked(text), revealed=reveal)


def _require_running(deployment: AkashDeployment) -> None:
    """Raise ConflictError unless a workload runs and nothing else is being done with it."""
    busy = deployment.update_requested_at or deployment.top_up
    if deployment.status != str(Status.ACTIVE) or deployment.closing or busy:
        raise ConflictError(
            "An update or a deposit is under way; try again when it is done" if busy else "The workload does not run",
            details={"status": deployment.status},
            retry_after=_SOON if busy else None,
        )


@cache
def workload_changes() -> WorkloadChanges:
    """Return the changes over this installation's state machine."""
    return WorkloadChanges(execution_starter(state_machine_arn("akash_deploy")))
