"""What the steps of ``stack_node`` and ``stack_api`` share: a stack's workload, its failures and its end.

The step that is due is stored with the stack, and changed under the condition that nobody has gone on meanwhile, so any
number of executions may work on a job; a job that another took the place of does nothing any more.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

from aws_lambda_powertools.metrics import MetricUnit
from pynamodb.expressions.update import Action

from slipway.akash.bidding.preferences import Preferences
from slipway.akash.console.client import ConsoleApi
from slipway.akash.console.models import Deployment, LeaseStatus
from slipway.akash.models import Status as WorkloadStatus
from slipway.akash.rules import observation_of
from slipway.akash.sdl.normalise import deployable
from slipway.akash.sdl.parser import parse_sdl
from slipway.akash.service import request_close
from slipway.akash.store import AkashDeployment, find_workload, sdl_item, sdl_of
from slipway.akash.workloads import bounds_of, new_workload, replace_sdl
from slipway.budgets.rules import akash_ceilings, micro
from slipway.budgets.store import Budget, Spender
from slipway.errors import (
    DeploymentFailedError,
    InvalidSdlError,
    LeaseClosedError,
    NotFoundError,
    NotReadyError,
    SlipwayError,
    UpstreamRefusedError,
    UpstreamUnavailableError,
)
from slipway.identifiers import new_id
from slipway.jobs.failures import Failure
from slipway.jobs.steps import StepResult, Workflow
from slipway.jobs.store import audit_event, job_event, job_outcome
from slipway.observability import logger, record
from slipway.settings import StackSettings, akash_budget
from slipway.stacks.models import Kind, Status
from slipway.stacks.rules import generations_of, is_updated
from slipway.stacks.sdl import lease_can_stay
from slipway.stacks.steps import Step, plan, step_when_up
from slipway.stacks.store import (
    WATCHED,
    StackItem,
    advance,
    find_stack,
    in_open_work,
    out_of_open_work,
)
from slipway.store import Transaction
from slipway.times import Clock, from_text, now, now_text, to_text

_READ_SECONDS = 20.0
_UPDATE_SECONDS = 55.0
_AWAIT_PAUSE = 5
# How soon a workload is looked at again when its execution has ended without an end.
_AGAIN_PAUSE = 5
# While something is wrong with closing it.
_CLOSE_PAUSE = 30


@dataclass(frozen=True)
class StackRun:
    """A stack, and the job that is worked on; the stack may have another one by now."""

    stack: StackItem
    job_id: str


class StackWorkflow(Workflow[StackRun]):
    """The steps of one kind of stack.

    Args:
        kind: Which kind.
        console: Gives the Console API.
        settings: What this installation is set to.
        clock: Gives the time.
    """

    def __init__(
        self,
        kind: Kind,
        console: Callable[[], ConsoleApi],
        settings: StackSettings,
        clock: Clock = time,
    ) -> None:
        super().__init__(clock)
        self.name = f"stack_{kind}"
        self._kind = kind
        self._console = console
        self._settings = settings

    # ── The job ─────────────────────────────────────────────────────────────────────────────────

    def work(self, environment: str, job_id: str, failure: Failure | None = None) -> StepResult:
        """Do what is due for a stack's job; ``deploy`` and ``closing`` are the state machine's, which runs a workload.

        Raises:
            NotFoundError: There is no such stack.
            UpstreamUnavailableError and others that are not permanent: The same again.
        """
        stack = find_stack(environment, self._kind)
        if stack is None:
            raise NotFoundError("There is no such stack")
        result = self._work(StackRun(stack, job_id), job_id, failure)
        return replace(result, more={"deployment_id": str(stack.deployment_id or "")})

    def _due(self, job: StackRun) -> Step:
        return Step(job.stack.step) if job.stack.job_id == job.job_id else Step.DONE

    def _status(self, job: StackRun) -> str:
        return str(job.stack.status)

    def _now_text(self) -> str:
        return now_text(self._clock)

    def _seconds_since(self, text: str | None) -> float:
        """Return the seconds from a stored time to now, 0 where there is none."""
        return (now(self._clock) - from_text(text)).total_seconds() if text else 0.0

    @staticmethod
    def _workload(stack: StackItem) -> AkashDeployment | None:
        return find_workload(stack.deployment_id) if stack.deployment_id else None

    def _open_workload(self, stack: StackItem) -> AkashDeployment:
        """Return the workload, as long as it is active.

        Raises:
            LeaseClosedError: It is not.
        """
        workload = self._workload(stack)
        if workload is None or workload.status != str(WorkloadStatus.ACTIVE) or workload.closing:
            raise LeaseClosedError("The stack's workload was closed")
        return workload

    def _open_deployment(self, workload: AkashDeployment, seconds: float = _READ_SECONDS) -> Deployment:
        """Return the workload on Akash, as long as it has a lease.

        Raises:
            LeaseClosedError: It has none.
            UpstreamUnavailableError: Akash can't be asked.
        """
        try:
            found = self._console().deployment(str(workload.dseq), seconds)
        except NotFoundError as error:
            raise LeaseClosedError("Akash does not know the deployment any more") from error
        if found.is_closed or not found.open_leases:
            raise LeaseClosedError("The lease was closed")
        return found

    # ── What it shall run ───────────────────────────────────────────────────────────────────────

    def _sdl(self, stack: StackItem) -> str:
        """Return the SDL of the stack's present generation."""
        raise NotImplementedError

    def _plan(self, stack: StackItem) -> Step:
        workload = self._workload(stack)
        is_open = workload is not None and not workload.ended
        return plan(
            deleting=stack.deleting,
            open_workload=is_open,
            lease_can_stay=bool(workload and is_open and not stack.deleting and self._may_stay(stack, workload)),
        )

    def _may_stay(self, stack: StackItem, workload: AkashDeployment) -> bool:
        if workload.status != str(WorkloadStatus.ACTIVE) or workload.closing:
            return False
        wanted = stack.wanted.preferences.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return bool(workload.preferences == wanted) and lease_can_stay(sdl_of(workload), self._sdl(stack))

    # ── A workload's beginning and end ──────────────────────────────────────────────────────────

    def _close(self, run: StackRun) -> int:
        """Have the stack's workload closed; goes on once Akash has confirmed that it is."""
        stack = run.stack
        workload = self._workload(stack)
        if workload is not None and not workload.ended:
            request_close(workload, f"Its stack {stack.name} has no more use for it")
        if workload is None or workload.ended:
            gone = Step.END if stack.deleting or stack.failing_code else Step.PLACE
            nothing = ("closed", "Nothing of it is open on Akash any more", None)
            advance(stack, gone, [StackItem.endpoint.remove()], event=nothing)
            return 0
        if stack.step == str(Step.CLOSE):
            advance(stack, Step.CLOSING, event=("closing", "Its workload is being closed", None))
            return 0
        return _AGAIN_PAUSE

    def _place(self, run: StackRun) -> int:
        """Write down the workload that ``akash_deploy`` is to deploy.

        Raises:
            InvalidSdlError: What is wanted makes no SDL.
            BudgetExceededError: The operator's budget has no room for its deposit.
        """
        stack = run.stack
        sdl = self._sdl(stack)
        deployment_id = new_id()
        preferences: Preferences = stack.wanted.preferences
        budget, deposit = Budget.read(akash_ceilings(akash_budget()), Spender(stack.wallet)), self._settings.deposit
        if refusal := budget.refusal(micro(deposit)):
            raise refusal
        # Operators may name any provider.
        bounds = bounds_of(budget, audited_only=False)
        workload = new_workload(deployment_id, stack.wallet, sdl, parse_sdl(sdl), preferences, str(deposit), bounds)
        workload.keep_failed = stack.wanted.keep

        def place(write: Transaction) -> None:
            workload.budget = budget.spend(write, micro(deposit))
            write.create("workload", workload)
            write.create("sdl", sdl_item(deployment_id, sdl))
            message = f"The stack {stack.name} asked for it"
            write.create("workload_event", job_event(workload.pk, str(WorkloadStatus.PENDING), message))

        advance(
            stack,
            Step.DEPLOY,
            [StackItem.deployment_id.set(deployment_id)],
            event=("placed", "A new workload is being deployed", {"deployment_id": deployment_id}),
            also=place,
        )
        return 0

    def _check_workload(self, run: StackRun) -> int:
        """See how ``akash_deploy`` ended; a workload that failed was closed by it."""
        stack = run.stack
        workload = self._workload(stack)
        if workload is None or workload.finished:
            code = (workload and workload.error_code) or LeaseClosedError.code
            message = (workload and (workload.error_message or workload.close_reason)) or "The workload was closed"
            return self._fail(stack, Failure(str(code), str(message)))
        if workload.status != str(WorkloadStatus.ACTIVE) or workload.closing:
            return _AGAIN_PAUSE
        advance(
            stack,
            step_when_up(self._kind),
            self._uses(stack),
            event=("available", "Every service is available", {"dseq": workload.dseq}),
        )
        return 0

    def _uses(self, stack: StackItem) -> list[Action]:
        """Return what is known of a stack whose workload runs what it shall."""
        return [StackItem.endpoint.set(stack.used)] if stack.used else []

    # ── An update in place ──────────────────────────────────────────────────────────────────────

    def _update(self, run: StackRun) -> int:
        """Have the lease run what is wanted now; where its provider will not, the stack gets another lease.

        Raises:
            UpstreamUnavailableError: Not heard; the same again.
        """
        stack = run.stack
        sdl = self._sdl(stack)
        try:
            workload = self._open_workload(stack)
            if stack.observed_before is None:
                leases = self._open_deployment(workload).open_leases
                before = generations_of(lease.status for lease in leases if lease.status)
                if not advance(stack, Step.UPDATE, [StackItem.observed_before.set(before)]):
                    return 0
            self._console().update_deployment(str(workload.dseq), deployable(sdl), _UPDATE_SECONDS)
        except (InvalidSdlError, UpstreamRefusedError, NotFoundError, LeaseClosedError) as error:
            message = f"Its lease can't stay, so it gets another: {error.message}"
            advance(stack, Step.CLOSE, event=("lease_refused", message, None))
            return 0
        advance(
            stack,
            Step.AWAIT,
            [StackItem.update_sent_at.set(self._now_text()), *self._uses(stack)],
            event=("updated", "The provider has what it is to run now; waiting for its services", None),
            also=lambda write: replace_sdl(write, workload, sdl),
        )
        return _AWAIT_PAUSE

    def _await_update(self, run: StackRun) -> int:
        """Look whether the services run what they were updated to.

        Raises:
            LeaseClosedError: The lease is gone.
            NotReadyError: It took too long.
        """
        stack = run.stack
        workload = self._open_workload(stack)
        try:
            leases = self._open_deployment(workload).open_leases
        except UpstreamUnavailableError as error:
            logger.warning("lease not read", stack=stack.name, reason=error.message)
        else:
            statuses: list[LeaseStatus] = [lease.status for lease in leases if lease.status]
            if is_updated(statuses, list(workload.services), stack.observed_before or {}):
                observation = observation_of(leases, self._now_text()).model_dump()
                advance(
                    stack,
                    step_when_up(self._kind),
                    event=("available", "Every service runs what it was updated to", {"dseq": workload.dseq}),
                    also=lambda write: write.update(
                        "workload",
                        AkashDeployment(workload.pk, workload.sk),
                        [AkashDeployment.observation.set(observation)],
                    ),
                )
                return 0
        if self._seconds_since(stack.update_sent_at) > self._settings.ready:
            raise NotReadyError(f"The services did not run what they were updated to within {self._settings.ready:g} s")
        return _AWAIT_PAUSE

    # ── Success ─────────────────────────────────────────────────────────────────────────────────

    def _succeed(self, stack: StackItem, workload: AkashDeployment, step: Step, actions: list[Action]) -> bool:
        """Record that the job did what it was for, as long as its workload is active."""
        seconds = self._seconds_since(stack.job_began_at)
        check_at = to_text(now(self._clock) + timedelta(seconds=self._settings.check_interval))

        def also(write: Transaction) -> None:
            active = AkashDeployment.status == str(WorkloadStatus.ACTIVE)
            wanted = AkashDeployment.close_requested_at.does_not_exist() & AkashDeployment.closing_code.does_not_exist()
            write.check("workload", AkashDeployment, workload.pk, workload.sk, active & wanted)
            write.create("outcome", job_outcome("stack", "completed", seconds, 0, 0))
            write.create("audit", _audit(stack, "completed"))

        done = advance(
            stack,
            step,
            [
                StackItem.status.set(str(Status.ACTIVE)),
                StackItem.job_ended_at.set(self._now_text()),
                *in_open_work(stack.environment, self._kind, check_at, WATCHED),
                *actions,
            ],
            event=(str(Status.ACTIVE), f"Generation {int(stack.generation)} is up", None),
            also=also,
        )
        if done:
            _measure(stack, "completed", seconds)
        return done

    # ── Failure ─────────────────────────────────────────────────────────────────────────────────

    def _withdraw(self, stack: StackItem) -> None:
        """Take away what the stack publishes; nothing for a stack that publishes nothing."""

    def _give_up(self, job: StackRun, failure: Failure) -> int:
        """Remember why the job fails; what it leaves open is closed before it is reported. The first reason counts."""
        stack, step = job.stack, self._due(job)
        if step is Step.ROLL:
            # What was asked for is done; reconcile rolls the other stack.
            advance(stack, Step.DONE)
            return 0
        if stack.failing_code or stack.deleting or step in (Step.CLOSE, Step.CLOSING, Step.END, Step.DONE):
            # What is left is to close, and that goes on until Akash confirms it.
            return _CLOSE_PAUSE
        return self._fail(stack, failure)

    def _fail(self, stack: StackItem, failure: Failure) -> int:
        """Have the job end with a failure."""
        self._withdraw(stack)
        workload = self._workload(stack)
        is_open = workload is not None and not workload.ended
        # A stack that was read and refused has touched nothing, so what runs goes on.
        closes = is_open and stack.step != str(Step.READ) and not stack.spec.get("keep")
        advance(
            stack,
            Step.CLOSE if closes else Step.END,
            [StackItem.failing_code.set(failure.code), StackItem.failing_message.set(failure.message)],
            event=("failing", failure.message, {"code": failure.code}),
        )
        return 0

    def _end(self, run: StackRun) -> int:
        """Record that the stack is gone, or how its job failed."""
        stack = run.stack
        self._withdraw(stack)
        code = str(stack.failing_code or DeploymentFailedError.code)
        message = str(stack.failing_message or "The stack failed for an internal reason")
        status = Status.DELETED if stack.deleting else Status.FAILED
        outcome = "completed" if stack.deleting else code
        seconds = self._seconds_since(stack.job_began_at)
        actions: list[Action] = [
            StackItem.status.set(str(status)),
            StackItem.job_ended_at.set(self._now_text()),
            *self._watch_after_failure(stack),
        ]
        event = (str(Status.DELETED), "Nothing is left of it", None)
        if status is Status.FAILED:
            actions += [StackItem.error_code.set(code), StackItem.error_message.set(message)]
            event = (str(Status.FAILED), message, None)
        else:
            # Its variables may be secrets, and nobody needs them any more.
            actions += [StackItem.endpoint.remove(), StackItem.deployment_id.remove(), StackItem.spec.set({})]

        def also(write: Transaction) -> None:
            write.create("outcome", job_outcome("stack", outcome, seconds, 0, 0))
            write.create("audit", _audit(stack, outcome))

        if advance(stack, Step.DONE, actions, event=event, also=also):
            _measure(stack, outcome, seconds)
        return 0

    def _watch_after_failure(self, stack: StackItem) -> list[Action]:
        """Keep watching a stack that still has a workload, as it may have to follow its node."""
        workload = self._workload(stack)
        if stack.deleting or workload is None or workload.ended:
            return out_of_open_work()
        check_at = to_text(now(self._clock) + timedelta(seconds=self._settings.check_interval))
        return in_open_work(stack.environment, self._kind, check_at, WATCHED)

    steps: ClassVar[Mapping[str, Callable[[Any, StackRun], int]]] = {
        Step.CLOSE: _close,
        Step.CLOSING: _close,
        Step.PLACE: _place,
        Step.DEPLOY: _check_workload,
        Step.UPDATE: _update,
        Step.AWAIT: _await_update,
        Step.END: _end,
    }


def failure_from(error: SlipwayError) -> Failure:
    """Return an error as the reason of a failure."""
    return Failure(error.code, error.message)


def lost(stack: StackItem, message: str) -> bool:
    """Record that an active stack's workload is gone, unless a job has begun meanwhile."""
    write_condition = StackItem.status == str(Status.ACTIVE)
    done = advance(
        stack,
        Step.DONE,
        [
            StackItem.status.set(str(Status.FAILED)),
            StackItem.error_code.set(LeaseClosedError.code),
            StackItem.error_message.set(message),
            StackItem.endpoint.remove(),
            *out_of_open_work(),
        ],
        event=(str(Status.FAILED), message, {"code": LeaseClosedError.code}),
        also=lambda write: write.create("audit", _audit(stack, LeaseClosedError.code)),
        condition=write_condition,
    )
    if done:
        record("StackLost")
    return done


def _audit(stack: StackItem, outcome: str) -> Any:
    return audit_event(
        action=f"stack_{stack.kind}",
        outcome=outcome,
        wallet=stack.wallet,
        subject=stack.name,
        message=f"{stack.operation}, generation {int(stack.generation)}",
    )


def _measure(stack: StackItem, outcome: str, seconds: float) -> None:
    record("Stacks", kind=str(stack.kind), outcome=outcome)
    record("StackFailed", int(outcome != "completed"))
    record("StackDuration", seconds, MetricUnit.Seconds, kind=str(stack.kind), outcome=outcome)
