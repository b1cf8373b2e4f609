"""Events of jobs, and the audit trail of what callers tried.

Keys in the jobs table:

- ``pk = <job's pk>``, ``sk = EVENT#<time>#<id>``: what happened to a job, append-only;
- ``pk = AUDIT#<day>``, ``sk = <time>#<id>``: every attempt of a caller, accepted or refused, append-only, kept for
  AUDIT_DAYS; of those who are not believed to be anyone one a minute and kind (``sk = <minute>#<code>``); also in the
  indexes ``by_owner`` under ``AUDIT#<wallet>`` and ``by_subject`` under ``AUDIT#<subject>``;
- ``pk = OUTCOME#<kind>#<day>``, ``sk = <time>#<id>``: how a job ended, for the metrics summary (of the kind ``gas``:
  ``slipway.jobs.gas``).
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from slipway.errors import SlipwayError
from slipway.observability import logger
from slipway.settings import audit_days
from slipway.store import JobsItem, Transaction, condition_held, upstream_errors
from slipway.times import epoch_seconds, now_text


class JobEvent(JobsItem):
    """One thing that happened to a job. ``data`` is small and holds no secrets."""

    event = UnicodeAttribute()
    message = UnicodeAttribute()
    data = JSONAttribute(null=True)
    created_at = UnicodeAttribute()
    expires_at = NumberAttribute(null=True)


class AuditEvent(JobsItem):
    """One attempt: who, from where, what, and how it ended (``accepted`` or an error code)."""

    wallet = UnicodeAttribute(null=True)
    source_ip = UnicodeAttribute(null=True)
    action = UnicodeAttribute()
    subject = UnicodeAttribute(null=True)
    outcome = UnicodeAttribute()
    message = UnicodeAttribute(null=True)
    request_id = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute()
    expires_at = NumberAttribute(null=True)


class JobOutcome(JobsItem):
    """How a job ended. ``seconds`` from request to end, ``cost`` a decimal string in wei; kept for ninety days."""

    outcome = UnicodeAttribute()
    seconds = NumberAttribute()
    gas = NumberAttribute(default=0)
    cost = UnicodeAttribute(default="0")
    created_at = UnicodeAttribute()
    expires_at = NumberAttribute()


# Of what an accepted change says.
_MAX_MESSAGE = 500
OUTCOME_SECONDS = 90 * 86400


def job_outcome(kind: str, outcome: str, seconds: float, gas: int, cost: int) -> JobOutcome:
    """Make the outcome to write together with the job's end: ``completed``, or the error's code."""
    moment = now_text()
    return JobOutcome(
        pk=f"OUTCOME#{kind}#{moment[:10]}",
        sk=f"{moment}#{uuid.uuid4().hex[:8]}",
        outcome=outcome,
        seconds=seconds,
        gas=gas,
        cost=str(cost),
        created_at=moment,
        expires_at=epoch_seconds() + OUTCOME_SECONDS,
    )


def job_event(
    job_pk: str, event: str, message: str, data: dict[str, Any] | None = None, expires_at: int | None = None
) -> JobEvent:
    """Make the event to write together with the change that it records; ``expires_at`` in seconds since 1970."""
    moment = now_text()
    return JobEvent(
        pk=job_pk,
        sk=f"EVENT#{moment}#{uuid.uuid4().hex[:8]}",
        event=event,
        message=message,
        data=data,
        created_at=moment,
        expires_at=expires_at,
    )


def change_job(
    job: JobsItem,
    actions: Sequence[Action],
    condition: Condition,
    *,
    event: tuple[str, str, dict[str, Any] | None] | None = None,
    also: Callable[[Transaction], None] | None = None,
) -> bool:
    """Change a job and record an event of it, in one transaction.

    Args:
        job: An item with ``updated_at``; brought up to date, whether the change happened or not.
        actions: Changes of its attributes.
        condition: Under which they happen.
        event: Name, text and data of the event.
        also: Adds writes that happen together with it.

    Returns:
        False when a condition did not hold; nothing is written then.
    """
    kind: Any = type(job)
    write = Transaction()
    if event:
        name, message, data = event
        write.create("event", job_event(job.pk, name, message, data))
    write.update("job", kind(job.pk, job.sk), [kind.updated_at.set(now_text()), *actions], condition=condition)
    if also:
        also(write)
    changed = write.commit_if_allowed()
    with upstream_errors():
        job.refresh(consistent_read=True)
    return changed


def audit_event(
    *,
    action: str,
    outcome: str,
    wallet: str | None = None,
    source_ip: str | None = None,
    subject: str | None = None,
    message: str | None = None,
    request_id: str | None = None,
) -> AuditEvent:
    """Make an audit event, to be written alone (refusals) or in the transaction that it records."""
    moment = now_text()
    sort = f"{moment}#{uuid.uuid4().hex}"
    return AuditEvent(
        pk=f"AUDIT#{moment[:10]}",
        sk=sort,
        owner_key=f"AUDIT#{wallet}" if wallet else None,
        subject_key=f"AUDIT#{subject}" if subject else None,
        owner_sort=sort,
        wallet=wallet,
        source_ip=source_ip,
        action=action,
        subject=subject,
        outcome=outcome,
        message=message,
        request_id=request_id,
        created_at=moment,
        expires_at=epoch_seconds() + audit_days() * 86400,
    )


@dataclass(frozen=True)
class RequestContext:
    """Where a request came from, for the audit trail. ``action`` is its route; ``headers`` go with its answer."""

    request_id: str
    source_ip: str | None
    action: str
    headers: dict[str, str] = field(default_factory=dict)

    def audit(self, outcome: str, wallet: str | None, subject: str | None, message: str | None = None) -> AuditEvent:
        """Make the audit event of what became of the request."""
        return audit_event(
            action=self.action,
            outcome=outcome,
            wallet=wallet,
            source_ip=self.source_ip,
            subject=subject,
            message=message,
            request_id=self.request_id,
        )

    def record_accepted(self, wallet: str | None, subject: str, message: str | None = None) -> None:
        """Append the audit event of an accepted change that has no transaction to hold it; a long message is cut."""
        write_audit_event(self.audit("accepted", wallet, subject, message and message[:_MAX_MESSAGE]))


def write_audit_event(event: AuditEvent) -> None:
    """Append one audit event."""
    with upstream_errors():
        event.save()


def audit_refusal(context: RequestContext, error: SlipwayError, wallet: str | None, subject: str | None) -> None:
    """Append the audit event of a refusal, which stands even if the trail can't be written: it is logged as well."""
    with _best_effort():
        write_audit_event(context.audit(error.code, wallet, subject, error.message[:500]))


@contextmanager
def _best_effort() -> Iterator[None]:
    try:
        yield
    except SlipwayError:
        logger.exception("audit event lost")


# By kind of refusal, the minute of the last one that this process wrote or found written.
_sampled: dict[str, str] = {}


def sample_refusal(context: RequestContext, error: SlipwayError, subject: str | None) -> None:
    """Append the audit event of a refusal without a believed identity: the first of its kind in each minute.

    Every one of them is logged and counted by route and status (``observability.record_request``), so that a stranger
    who is refused writes nothing.
    """
    event = context.audit(error.code, None, subject, error.message[:500])
    minute = event.created_at[:16]
    if _sampled.get(error.code) == minute:
        return
    _sampled[error.code] = minute
    # One key for all processes. It sorts like every other event's.
    event.sk = event.owner_sort = f"{minute}:00.000Z#{error.code}"
    with _best_effort():
        condition_held(lambda: event.save(condition=AuditEvent.pk.does_not_exist()))


def events_of(job_pk: str, limit: int = 200, *, latest: bool = False) -> list[JobEvent]:
    """Return a job's events, oldest first, ``limit`` at most: the first ones, or the latest."""
    with upstream_errors():
        events = JobEvent.query(job_pk, JobEvent.sk.startswith("EVENT#"), limit=limit, scan_index_forward=not latest)
        return list(events)[:: -1 if latest else 1]
