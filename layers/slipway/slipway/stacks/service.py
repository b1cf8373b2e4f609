"""Use cases of the stacks' routes: put, read, restart, delete, and the published endpoint."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from slipway.akash.models import Status as WorkloadStatus
from slipway.akash.status.costs import cost_of
from slipway.akash.status.store import LiveCache
from slipway.akash.store import find_workload
from slipway.control.store import Gate, Service
from slipway.errors import ConflictError, NotFoundError, UpstreamUnavailableError, ValidationFailedError
from slipway.executions import execution_starter
from slipway.idempotency import WRITE as IDEMPOTENCY_WRITE
from slipway.idempotency import Idempotency
from slipway.identity.models import Caller
from slipway.jobs.store import RequestContext, change_job, events_of
from slipway.settings import akash_settings, stack_images, state_machine_arn
from slipway.stacks.jobs import JobRequest, begin, conflict_with, is_stale, start_job
from slipway.stacks.models import (
    Kind,
    Operation,
    Spec,
    StackAnswer,
    StackDetail,
    StackPage,
    StackSummary,
    Status,
    is_same,
    stored,
)
from slipway.stacks.published import PublishedEndpoints, published_endpoints
from slipway.stacks.rules import environment_named, is_pinned
from slipway.stacks.store import StackItem, find_stack, listed_stacks
from slipway.stacks.views import answer_of, detail_of
from slipway.store import ConditionsFailedError, Transaction
from slipway.times import Clock

_TRIES = 3


class StackService:
    """Requests and reads of stacks.

    Args:
        is_configured: Whether this installation has an account on Akash.
        starters: Starts the state machine of each kind, under an execution name, with an input.
        published: What nodes publish.
        images: Image of each kind for stacks that name none; empty where the installation has none.
        clock: Gives the time.
    """

    def __init__(
        self,
        is_configured: bool,
        starters: Mapping[Kind, Callable[[str, str], None]],
        published: PublishedEndpoints,
        images: Mapping[Kind, str],
        clock: Clock = time,
    ) -> None:
        self._clock = clock
        self._is_configured = is_configured
        self._starters = starters
        self._published = published
        self._images = images

    # ── Read ────────────────────────────────────────────────────────────────────────────────────

    def detail(self, environment: str, kind: Kind) -> StackDetail:
        """Return a stack with its events.

        Raises:
            NotFoundError: There is none, or it was deleted; ``details`` says when.
        """
        stack = self._existing(environment_named(environment), kind)
        return read_detail(stack)

    def page(self, limit: int, cursor: str | None) -> StackPage:
        """Return a page of all environments' stacks, with what their workloads cost as far as that is known.

        Raises:
            ValidationFailedError: The cursor was not given by this list.
        """
        stacks, next_cursor = listed_stacks(limit, cursor)
        return StackPage(stacks=[_summary(stack, self._clock) for stack in stacks], next_cursor=next_cursor)

    @staticmethod
    def _existing(environment: str, kind: Kind) -> StackItem:
        stack = find_stack(environment, kind)
        if stack is None:
            raise NotFoundError(f"{environment} has no {kind} stack")
        if stack.status == str(Status.DELETED):
            details = {"status": stack.status, "generation": int(stack.generation), "deleted_at": stack.job_ended_at}
            raise NotFoundError(f"The {kind} stack of {environment} was deleted", details=details)
        return stack

    def endpoint(self, environment: str) -> bytes:
        """Return the exact bytes of an environment's ``endpoint.json``; raises as ``PublishedEndpoints`` does."""
        return self._published.bytes_of(environment_named(environment))[1]

    def signature(self, environment: str) -> bytes:
        """Return the exact bytes of its signature, under the same conditions."""
        return self._published.bytes_of(environment_named(environment))[2]

    # ── Put ─────────────────────────────────────────────────────────────────────────────────────

    def put(
        self,
        caller: Caller,
        environment: str,
        spec: Spec,
        kind: Kind,
        idempotency_key: str | None,
        context: RequestContext,
    ) -> StackAnswer:
        """Make a stack what it shall be: deploy it, change it, or do nothing because it is so already.

        Raises:
            ValidationFailedError: The environment's name is none, or no image is named by anybody.
            ConflictError: A job works on the stack; ``details.job`` names it.
            ServicePausedError: An administrator paused stacks, or Akash.
            UpstreamUnavailableError: Akash is not set up here.
        """
        environment_named(environment)
        idempotency = _idempotency(caller, idempotency_key, kind, environment, "put", stored(spec))
        wanted = self._with_image(kind, stored(spec))
        for _ in range(_TRIES):
            seen = find_stack(environment, kind)
            if seen is not None and self._is_so(seen, wanted):
                return self._unchanged(seen, wanted, caller, context)
            exists = seen is not None and seen.status != str(Status.DELETED)
            operation = Operation.UPDATE if exists else Operation.DEPLOY
            asked = JobRequest(environment, kind, operation, wanted, _owner(caller))
            answer = self._try(caller, asked, seen, idempotency, context)
            if answer:
                return answer
        raise ConflictError("Too many requests at once; try again", retry_after=1)

    def _with_image(self, kind: Kind, wanted: dict[str, Any]) -> dict[str, Any]:
        """Return a stored specification with an image, so that a restart runs what was asked for and no newer one."""
        image = wanted["image"] or self._images[kind]
        if not wanted["image"] and not is_pinned(image):
            parameter = f"Stack{kind.title()}Image"
            reason = f"has to be named: {image or 'nothing'} is what this installation has ({parameter})"
            raise ValidationFailedError.of_field("image", reason)
        return {**wanted, "image": image}

    @staticmethod
    def _is_so(stack: StackItem, wanted: dict[str, Any]) -> bool:
        if stack.status != str(Status.ACTIVE) or not is_same(stack.spec, wanted):
            return False
        workload = _workload_of(stack)
        is_up = workload is not None and workload.status == str(WorkloadStatus.ACTIVE) and not workload.closing
        return is_up and not (stack.which is Kind.API and is_stale(stack, _node_of(stack)))

    def _unchanged(
        self, stack: StackItem, wanted: dict[str, Any], caller: Caller, context: RequestContext
    ) -> StackAnswer:
        audit = context.audit("accepted", caller.wallet, stack.name, "unchanged")
        change_job(
            stack,
            # What a stack does later is not what it runs, so that changes without a job.
            [StackItem.spec.set(wanted)],
            (StackItem.job_id == stack.job_id) & (StackItem.status == stack.status),
            also=lambda write: write.create("audit", audit),
        )
        return answer_of(stack, _node_of(stack), _workload_of(stack)).model_copy(update={"unchanged": True})

    def _try(
        self,
        caller: Caller,
        wanted: JobRequest,
        seen: StackItem | None,
        idempotency: Idempotency | None,
        context: RequestContext,
    ) -> StackAnswer | None:
        """Begin a job, or answer as the first time; None when the stack changed while it was looked at."""
        if conflict := conflict_with(seen, wanted.operation):
            if idempotency and idempotency.is_known():
                return self._replay(idempotency, wanted)
            raise conflict
        if wanted.operation is not Operation.DELETE:
            self._require_open(idempotency)
        name = f"{wanted.environment}/{wanted.kind}"
        audit = context.audit("accepted", caller.wallet, name, str(wanted.operation))

        def also(write: Transaction) -> None:
            write.create("audit", audit)
            if idempotency:
                idempotency.remember(write, {"environment": wanted.environment, "kind": str(wanted.kind)})

        try:
            stack = begin(replace(wanted, also=also), seen)
        except ConditionsFailedError as error:
            if idempotency and IDEMPOTENCY_WRITE in error.failed:
                return self._replay(idempotency, wanted)
            return None
        start_job(self._starters[wanted.kind], stack)
        return answer_of(stack, _node_of(stack), _workload_of(stack))

    def _require_open(self, idempotency: Idempotency | None) -> None:
        if not self._is_configured:
            raise UpstreamUnavailableError("Akash is not set up here: there is no key of the Console API")
        refusal = Gate(Service.STACKS).refusal or Gate(Service.AKASH).refusal
        if refusal and not (idempotency and idempotency.is_known()):
            raise refusal

    def _replay(self, idempotency: Idempotency, wanted: JobRequest) -> StackAnswer:
        """Return what became of the job that the key began. It may have died between its write and its start."""
        idempotency.answer()
        stack = self._existing(wanted.environment, wanted.kind)
        if stack.running:
            start_job(self._starters[wanted.kind], stack)
        return answer_of(stack, _node_of(stack), _workload_of(stack))

    # ── Restart and delete ──────────────────────────────────────────────────────────────────────

    def restart(
        self, caller: Caller, environment: str, kind: Kind, idempotency_key: str | None, context: RequestContext
    ) -> StackAnswer:
        """Start what a stack runs anew, in place where its lease can stay; an API stack reads its endpoint again.

        Raises:
            NotFoundError: There is no such stack.
            ConflictError: A job works on it; ``details.job`` names it.
        """
        environment_named(environment)
        idempotency = _idempotency(caller, idempotency_key, kind, environment, "restart", {})
        return self._change(caller, environment, kind, Operation.RESTART, idempotency, context)

    def delete(self, caller: Caller, environment: str, kind: Kind, context: RequestContext) -> StackAnswer:
        """Have a stack deleted, whatever is being done to it; asking again changes nothing.

        Raises:
            NotFoundError: There is no such stack.
        """
        stack = self._existing(environment_named(environment), kind)
        if stack.running and stack.deleting:
            return answer_of(stack, _node_of(stack), _workload_of(stack))
        return self._change(caller, environment, kind, Operation.DELETE, None, context)

    def _change(
        self,
        caller: Caller,
        environment: str,
        kind: Kind,
        operation: Operation,
        idempotency: Idempotency | None,
        context: RequestContext,
    ) -> StackAnswer:
        for _ in range(_TRIES):
            seen = self._existing(environment, kind)
            asked = JobRequest(environment, kind, operation, seen.spec, _owner(caller))
            answer = self._try(caller, asked, seen, idempotency, context)
            if answer:
                return answer
        raise ConflictError("Too many requests at once; try again", retry_after=1)


def _idempotency(
    caller: Caller, key: str | None, kind: Kind, environment: str, what: str, body: dict[str, Any]
) -> Idempotency | None:
    asked = {"kind": str(kind), "environment": environment, "what": what, "body": body}
    return Idempotency.of("stacks", _owner(caller), key, asked)


def _owner(caller: Caller) -> str:
    """Whose workloads a stack's are: an operator of an external issuer may have no wallet."""
    return caller.wallet or caller.subject


def _node_of(stack: StackItem) -> StackItem | None:
    return find_stack(stack.environment, Kind.NODE) if stack.which is Kind.API else None


def read_detail(stack: StackItem) -> StackDetail:
    """Return a stack with its events, which are read."""
    return detail_of(stack, _node_of(stack), _workload_of(stack), events_of(stack.pk, latest=True))


def _summary(stack: StackItem, clock: Clock) -> StackSummary:
    answer = answer_of(stack, _node_of(stack), _workload_of(stack))
    # What a workload's job or a reader of its status has cached; a list asks nobody upstream.
    entry = LiveCache(stack.deployment_id).read() if stack.deployment_id else None
    cost = cost_of(entry.value, clock.time()) if entry else None
    return StackSummary(**answer.model_dump(), cost=cost)


def _workload_of(stack: StackItem) -> Any:
    return find_workload(stack.deployment_id) if stack.deployment_id else None


@cache
def stack_service() -> StackService:
    """Return the service over this installation's stacks."""
    starters = {
        Kind.NODE: execution_starter(state_machine_arn("stack_node")),
        Kind.API: execution_starter(state_machine_arn("stack_api")),
    }
    images = dict(zip((Kind.NODE, Kind.API), stack_images(), strict=True))
    return StackService(akash_settings().is_configured, starters, published_endpoints(), images)
