"""Stacks in the jobs table: ``STACK#<environment>#<kind>`` / ``DETAIL``, with their events beside them.

An item outlives its stack: a stack that was deleted and is made again goes on with the next generation, so that nothing
that was signed for an earlier one is ever believed again. A stack is in ``open_work`` under ``stack`` while a job works
on it, and under ``stack-active`` while it only has to be watched. All are in ``by_subject`` under ``STACKS``.
"""

from collections.abc import Sequence
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from slipway.jobs.open_work import open_shard, open_shards
from slipway.jobs.store import change_job
from slipway.stacks.models import RUNNING, Kind, Operation, Spec, Status, restored
from slipway.stacks.steps import Step
from slipway.store import JobsItem, condition_held, newest_first, upstream_errors

OPEN, WATCHED = "stack", "stack-active"
LISTED = "STACKS"
_PREFIX = "STACK#"


class StackItem(JobsItem):
    """A stack.

    Attributes:
        spec: What it shall be (``models.stored``).
        wallet: Who asked for the present job; its workload is theirs.
        job_id: The present job, or the last. Every change of a job names it, so that a job which another took the place
            of changes nothing any more.
        step: What the job does next.
        deployment_id: The workload that runs, or ran last.
        deployed: The specification that the workload runs.
        candidate: The node's endpoint before it is published.
        endpoint: Of a node, what is published; of an API stack, what its workload uses.
        used: Of an API stack: the endpoint that the present job verified.
        discovery: Looks for the node's port in this job.
        observed_before: Generations of the services before an update.
        health: Of a published node: what the last probe found (``models.Health``).
        failing_code: Why the job fails, while what it leaves behind is being cleared away.
    """

    environment = UnicodeAttribute()
    kind = UnicodeAttribute()
    status = UnicodeAttribute()
    generation = NumberAttribute()
    spec = JSONAttribute()
    wallet = UnicodeAttribute()
    job_id = UnicodeAttribute()
    operation = UnicodeAttribute()
    step = UnicodeAttribute()
    executions = NumberAttribute(default=1)
    job_began_at = UnicodeAttribute()
    job_ended_at = UnicodeAttribute(null=True)
    deployment_id = UnicodeAttribute(null=True)
    candidate = UnicodeAttribute(null=True)
    endpoint = UnicodeAttribute(null=True)
    used = UnicodeAttribute(null=True)
    node_version = UnicodeAttribute(null=True)
    discovery = JSONAttribute(null=True)
    discovery_began_at = UnicodeAttribute(null=True)
    probes = NumberAttribute(null=True)
    probe_began_at = UnicodeAttribute(null=True)
    observed_before = JSONAttribute(null=True)
    update_sent_at = UnicodeAttribute(null=True)
    failing_code = UnicodeAttribute(null=True)
    failing_message = UnicodeAttribute(null=True)
    error_code = UnicodeAttribute(null=True)
    error_message = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    health = JSONAttribute(null=True)

    @property
    def which(self) -> Kind:
        """Node or API."""
        return Kind(self.kind)

    @property
    def running(self) -> bool:
        """Whether a job works on it."""
        return Status(self.status) in RUNNING

    @property
    def deleting(self) -> bool:
        """Whether its job deletes it."""
        return Operation(self.operation) is Operation.DELETE

    @property
    def wanted(self) -> Spec:
        """What it shall be."""
        return restored(self.which, self.spec)

    @property
    def name(self) -> str:
        """``<environment>/<kind>``, for people and the audit trail."""
        return f"{self.environment}/{self.kind}"

    @property
    def execution_name(self) -> str:
        """Name of the latest execution of its job."""
        count = int(self.executions)
        return self.job_id if count == 1 else f"{self.job_id}-{count}"


# What belongs to one job alone; a new one begins without it. Of an API stack ``endpoint`` stays: its workload uses it.
_OF_ONE_JOB = (
    "job_ended_at", "candidate", "used", "node_version", "discovery", "discovery_began_at", "probes", "probe_began_at",
    "health", "observed_before", "update_sent_at", "failing_code", "failing_message", "error_code", "error_message",
)  # fmt: skip


def stack_key(environment: str, kind: Kind) -> tuple[str, str]:
    """Partition and sort key of a stack."""
    return f"{_PREFIX}{environment}#{kind}", "DETAIL"


def find_stack(environment: str, kind: Kind) -> StackItem | None:
    """Return a stack, deleted ones included."""
    with upstream_errors():
        try:
            return StackItem.get(*stack_key(environment, kind), consistent_read=True)
        except DoesNotExist:
            return None


def listed_stacks(limit: int, cursor: str | None) -> tuple[list[StackItem], str | None]:
    """Return a page of all environments' stacks, the one made last first, and where the next page begins."""
    return newest_first(
        StackItem, StackItem.by_subject, ("subject_key", LISTED), "owner_sort", limit=limit, cursor=cursor,
        matching=StackItem.status != str(Status.DELETED),
    )  # fmt: skip


def forget_last_job(kind: Kind) -> list[Action]:
    """Return what to clear when a job begins."""
    names = (*_OF_ONE_JOB, "endpoint") if kind is Kind.NODE else _OF_ONE_JOB
    return [getattr(StackItem, name).remove() for name in names]


def open_work_of(environment: str, kind: Kind, until: str, under: str = OPEN) -> dict[str, str]:
    """Attributes of a stack that reconcile checks after ``until``."""
    return {"open_shard": open_shard(under, f"{environment}/{kind}"), "open_until": until}


def in_open_work(environment: str, kind: Kind, until: str, under: str = OPEN) -> list[Action]:
    """Put a stack among those that reconcile checks after ``until``."""
    found = open_work_of(environment, kind, until, under)
    return [getattr(StackItem, name).set(value) for name, value in found.items()]


def out_of_open_work() -> list[Action]:
    """Take a stack out of them."""
    return [StackItem.open_shard.remove(), StackItem.open_until.remove()]


def advance(
    stack: StackItem,
    step: Step,
    actions: Sequence[Action] = (),
    *,
    event: tuple[str, str, dict[str, Any] | None] | None = None,
    also: Any = None,
    condition: Condition | None = None,
) -> bool:
    """Go on to a step, if the job is still at the one at which the item was read.

    Returns:
        False when it is not: another execution went on, or another job took its place.
    """
    unchanged = (StackItem.job_id == stack.job_id) & (StackItem.step == stack.step)
    if condition is not None:
        unchanged = unchanged & condition
    return change_job(stack, [StackItem.step.set(str(step)), *actions], unchanged, event=event, also=also)


def due_stacks(under: str, moment: str, limit: int) -> list[tuple[str, Kind]]:
    """Stacks that should have been looked at before ``moment``, longest overdue first, at most ``limit`` of a shard."""
    found: list[tuple[str, str]] = []
    for shard in open_shards(under):
        with upstream_errors():
            due = JobsItem.open_work.query(shard, JobsItem.open_until < moment, limit=limit)
            found += [(str(item.open_until), item.pk.removeprefix(_PREFIX)) for item in due]
    names = (name.partition("#") for _, name in sorted(found))
    return [(environment, Kind(kind)) for environment, _, kind in names]


def postpone(stack: StackItem, moment: str) -> None:
    """Put the next check of a stack off, unless it has left the open work."""
    condition_held(
        lambda: StackItem(stack.pk, stack.sk).update(
            actions=[StackItem.open_until.set(moment)], condition=StackItem.open_shard.exists()
        )
    )


def count_stack_execution(stack: StackItem) -> bool:
    """Count one more execution of a stack's job; False when somebody else did, or the job is over."""
    count = int(stack.executions)
    counted = condition_held(
        lambda: StackItem(stack.pk, stack.sk).update(
            actions=[StackItem.executions.set(count + 1)],
            condition=(StackItem.executions == count)
            & (StackItem.job_id == stack.job_id)
            & StackItem.status.is_in(*map(str, RUNNING)),
        )
    )
    if counted:
        stack.executions = count + 1
    return counted
