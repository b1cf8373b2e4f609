"""Jobs that have not ended, in the sparse index ``open_work`` of the jobs table, by when they should be looked at.

``reconcile`` checks those that are due. The index is divided into shards, so that no partition holds all open work.
"""

import zlib
from collections.abc import Sequence

from pynamodb.attributes import NumberAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from slipway.store import JobsItem, update_if, upstream_errors

OPEN_SHARDS = 4


class OpenJob(JobsItem):
    """A job that one execution of a state machine after another may work on."""

    executions = NumberAttribute(default=1)

    @property
    def run_id(self) -> str:
        """What its executions are named after."""
        raise NotImplementedError

    @property
    def execution_name(self) -> str:
        """Name of its latest execution."""
        count = int(self.executions)
        return self.run_id if count == 1 else f"{self.run_id}-{count}"


def open_shards(kind: str) -> list[str]:
    """Return the shards of the index that hold a kind of job."""
    # Tokens came first, when there was one kind.
    prefix = "OPEN" if kind == "token" else f"OPEN#{kind}"
    return [f"{prefix}#{shard}" for shard in range(OPEN_SHARDS)]


def open_shard(kind: str, job_id: str) -> str:
    """Return the shard that holds a job while it is open."""
    return open_shards(kind)[zlib.crc32(job_id.encode()) % OPEN_SHARDS]


def due_jobs(kind: str, moment: str, limit: int) -> list[str]:
    """Return the ids, without their prefix, of jobs due before ``moment``, longest overdue first, ``limit`` of each
    shard."""
    found: list[tuple[str, str]] = []
    for shard in open_shards(kind):
        with upstream_errors():
            # The index holds keys only, so these are items of no particular class.
            due = JobsItem.open_work.query(shard, JobsItem.open_until < moment, limit=limit)
            found += [(str(item.open_until), item.pk.partition("#")[2]) for item in due]
    return [job_id for _, job_id in sorted(found)]


def postpone(job: JobsItem, moment: str, kind: str = "") -> None:
    """Put the next check of a job off, unless it has ended, or is not among the open ones of ``kind`` any more."""
    among = JobsItem.open_shard.startswith(open_shards(kind)[0][:-1]) if kind else JobsItem.open_shard.exists()
    _update(job, among, [JobsItem.open_until.set(moment)])


def count_execution(job: OpenJob, condition: Condition | None = None) -> bool:
    """Count one more execution of an open job; False when another count came first, or ``condition`` failed."""
    count = int(job.executions)
    unchanged = (OpenJob.executions == count) & (OpenJob.open_shard.exists() if condition is None else condition)
    counted = _update(job, unchanged, [OpenJob.executions.set(count + 1)])
    if counted:
        job.executions = count + 1
    return counted


def _update(job: JobsItem, condition: Condition, actions: Sequence[Action]) -> bool:
    # By a new item, so that the one at hand stays as it was read.
    return update_if(type(job)(job.pk, job.sk), condition, actions)
