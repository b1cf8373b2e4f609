"""Beginning a stack's job: once, for whoever asks, under the condition that none runs."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from slipway.errors import ArtifactMissingError, ConflictError
from slipway.identifiers import new_id
from slipway.jobs.store import job_event
from slipway.observability import logger, record
from slipway.stacks.models import Kind, Operation, Status
from slipway.stacks.steps import first_step
from slipway.stacks.store import LISTED, StackItem, find_stack, forget_last_job, open_work_of, stack_key
from slipway.store import ConditionsFailedError, Transaction
from slipway.times import now, now_text, to_text

# How soon reconcile first checks a running job, and how often then.
RECONCILE_AFTER_SECONDS = 120


@dataclass(frozen=True)
class JobRequest:
    """A job that is requested.

    Attributes:
        environment: Name of the environment.
        kind: Which of its stacks.
        operation: What is to be done.
        spec: What the stack shall be (``models.stored``).
        wallet: Who asks.
        also: Adds writes that happen together with its beginning.
    """

    environment: str
    kind: Kind
    operation: Operation
    spec: dict[str, Any]
    wallet: str
    also: Callable[[Transaction], None] = field(default=lambda _: None)


def conflict_with(stack: StackItem | None, operation: Operation) -> ConflictError | None:
    """Why no job may begin now, naming the one that runs. Deleting goes before everything but another deletion."""
    if stack is None or not stack.running or (operation is Operation.DELETE and not stack.deleting):
        return None
    job = {
        "job_id": stack.job_id,
        "operation": stack.operation,
        "generation": int(stack.generation),
        "status": stack.status,
        "started_at": stack.job_began_at,
    }
    return ConflictError(
        f"The job {stack.job_id} ({stack.operation}) works on {stack.name}; try again when it has ended",
        details={"job": job, "status": stack.status},
        retry_after=15,
    )


def begin(wanted: JobRequest, seen: StackItem | None) -> StackItem:
    """Write down that a job begins, if the stack is still as it was seen.

    Returns:
        The stack with its new job.

    Raises:
        ConditionsFailedError: It is not, or a condition of ``wanted.also`` failed.
    """
    write = Transaction()
    status = Status.DELETING if wanted.operation is Operation.DELETE else Status.DEPLOYING
    key = stack_key(wanted.environment, wanted.kind)
    moment, job_id = now_text(), new_id()
    generation = (int(seen.generation) if seen else 0) + 1
    until = to_text(now() + timedelta(seconds=RECONCILE_AFTER_SECONDS))
    values: dict[str, Any] = {
        "status": str(status),
        "generation": generation,
        "spec": wanted.spec,
        "wallet": wanted.wallet,
        "job_id": job_id,
        "operation": str(wanted.operation),
        "step": str(first_step(wanted.kind, wanted.operation)),
        "executions": 1,
        "job_began_at": moment,
        "updated_at": moment,
        "subject_key": LISTED,
        "owner_sort": f"{seen.created_at if seen else moment}#{key[0]}",
        **open_work_of(wanted.environment, wanted.kind, until),
    }
    if seen is None:
        item = StackItem(*key, environment=wanted.environment, kind=str(wanted.kind), created_at=moment, **values)
        write.create("stack", item)
    else:
        if seen.status == str(Status.DELETED):
            values["created_at"] = moment
        changes = [getattr(StackItem, name).set(value) for name, value in values.items()]
        write.update(
            "stack",
            StackItem(*key),
            [*changes, *forget_last_job(wanted.kind)],
            condition=(StackItem.job_id == seen.job_id) & (StackItem.status == seen.status),
        )
    message = f"{wanted.operation}, generation {generation}"
    write.create("event", job_event(key[0], str(status), message, {"job_id": job_id, "operation": wanted.operation}))
    wanted.also(write)
    write.commit()
    record("Stacks", kind=str(wanted.kind), outcome="accepted")
    found = find_stack(wanted.environment, wanted.kind)
    if found is None or found.job_id != job_id:
        raise ConflictError("Another job has taken its place", retry_after=1)
    return found


def execution_input(stack: StackItem) -> str:
    """Return the input of a stack's state machine."""
    return json.dumps({"environment": stack.environment, "job_id": stack.job_id})


def start_job(start: Callable[[str, str], None], stack: StackItem) -> None:
    """Start the execution of a job; what was accepted keeps its promise even if that fails, for reconcile starts it."""
    try:
        start(stack.execution_name, execution_input(stack))
    except Exception:
        logger.exception("execution not started", stack=stack.name, job_id=stack.job_id)


def follow(environment: str, start: Callable[[str, str], None]) -> bool:
    """Have an API stack follow its node, if it asked for that and uses another endpoint than the node publishes.

    Returns:
        Whether a job was started.
    """
    api, node = find_stack(environment, Kind.API), find_stack(environment, Kind.NODE)
    if api is None or node is None or not must_follow(api, node):
        return False
    wanted = JobRequest(environment, Kind.API, Operation.FOLLOW, api.spec, api.wallet)
    try:
        stack = begin(wanted, api)
    except (ConditionsFailedError, ConflictError):
        # Somebody began another job, which reads the endpoint as well.
        return False
    logger.info("api follows its node", stack=stack.name, endpoint=node.endpoint)
    record("StacksRolled")
    start_job(start, stack)
    return True


def is_stale(api: StackItem, node: StackItem | None) -> bool:
    """Whether what an API stack uses is not what its node publishes. While the node is being changed, nobody knows."""
    if not api.endpoint:
        return False
    if node is not None and node.running and not node.deleting:
        return False
    return node is None or node.status != str(Status.ACTIVE) or node.endpoint != api.endpoint


def must_follow(api: StackItem, node: StackItem) -> bool:
    """Whether an API stack has to be rolled: it follows, nothing works on it, and its node publishes something else.

    One that failed has to if the endpoint was missing then; whatever else was wrong, an operator looks at.
    """
    well = api.status == str(Status.ACTIVE) or (not api.running and api.error_code == ArtifactMissingError.code)
    return bool(api.spec.get("follow")) and well and node.status == str(Status.ACTIVE) and is_stale(api, node)
