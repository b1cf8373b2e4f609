"""Use cases of the administrator: switches, the audit trail, the metrics summary."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from slipway.configuration import chain_settings
from slipway.control.models import AuditEntry, AuditPage, MetricsAnswer, SwitchAnswer
from slipway.control.rules import days_between, percentile, span
from slipway.control.store import Service, service_state, set_switch
from slipway.errors import NotFoundError
from slipway.identity.models import Caller
from slipway.jobs.open_work import open_shards
from slipway.jobs.store import AuditEvent, JobOutcome, RequestContext
from slipway.pagination import decode_cursor, encode_cursor
from slipway.store import JobsItem, newest_first, upstream_errors
from slipway.times import now, to_text

# Most outcomes that one summary reads: about three read units a hundred.
_MAX_OUTCOMES = 10_000
# Under which kind the outcomes of a service's jobs are kept; the others have no jobs.
_KINDS = {Service.TOKENS: "token", Service.AKASH: "akash", Service.STACKS: "stack", Service.BUILDS: "build"}


@dataclass(frozen=True)
class AuditFilter:
    """Which attempts to show; None shows all. At most one of ``user`` and ``model`` narrows by an index."""

    user: str | None
    model: str | None
    outcome: str | None
    since: datetime | None
    until: datetime | None


def service_named(name: str) -> Service:
    """Return a service by its name in the path; raises NotFoundError."""
    try:
        return Service(name)
    except ValueError as error:
        raise NotFoundError("There is no such service") from error


def switch(context: RequestContext, caller: Caller, name: str, *, paused: bool, reason: str) -> SwitchAnswer:
    """Pause or resume a service: running work goes on, new work is refused with SERVICE_PAUSED."""
    service = service_named(name)
    context.record_accepted(caller.wallet, service)
    state = set_switch(service, paused=paused, reason=reason, changed_by=caller.subject)
    return SwitchAnswer(
        service=service,
        paused=bool(state.paused),
        reason=state.reason,
        changed_by=str(state.changed_by),
        changed_at=str(state.changed_at),
    )


def _entry(event: AuditEvent) -> AuditEntry:
    return AuditEntry(
        at=event.created_at,
        user=event.wallet,
        source_ip=event.source_ip,
        action=event.action,
        subject=event.subject,
        outcome=event.outcome,
        message=event.message,
        request_id=event.request_id,
    )


def audit_page(chosen: AuditFilter, limit: int, cursor: str | None) -> AuditPage:
    """Return a page of the trail, newest first, at a cost that follows the page.

    A user or a model is read from its index, everything else day by day. What an index does not narrow is filtered
    among a bounded number of events, so a page may be short and still have a next one.
    """
    until = chosen.until or now()
    since = chosen.since or until - timedelta(days=1 if not (chosen.user or chosen.model) else 31)
    since, until = span(since, until)
    if chosen.user or chosen.model:
        return _by_index(chosen, to_text(since), to_text(until), limit, cursor)
    return _by_day(chosen, since, until, limit, cursor)


def _filter(chosen: AuditFilter) -> Any:
    condition = None
    if chosen.outcome:
        condition = AuditEvent.outcome == chosen.outcome
    if chosen.user and chosen.model:
        by_model = AuditEvent.subject == chosen.model
        condition = by_model if condition is None else condition & by_model
    return condition


def _by_index(chosen: AuditFilter, since: str, until: str, limit: int, cursor: str | None) -> AuditPage:
    index: Any
    if chosen.user:
        index, attribute, key = AuditEvent.by_owner, "owner_key", f"AUDIT#{chosen.user}"
    else:
        index, attribute, key = AuditEvent.by_subject, "subject_key", f"AUDIT#{chosen.model}"
    events, next_cursor = newest_first(
        AuditEvent,
        index,
        (attribute, key),
        "owner_sort",
        limit=limit,
        cursor=cursor,
        between=AuditEvent.owner_sort.between(since, until + "~"),
        matching=_filter(chosen),
    )
    return AuditPage(events=[_entry(event) for event in events], next_cursor=next_cursor)


def _by_day(chosen: AuditFilter, since: datetime, until: datetime, limit: int, cursor: str | None) -> AuditPage:
    newest = to_text(until) + "~"
    if cursor:
        (newest,) = decode_cursor(cursor, 1)
    found: list[AuditEvent] = []
    for day in days_between(since, until, newest_first=True):
        if day.isoformat() > newest[:10]:
            continue
        # One more than asked for shows whether there is a next page.
        with upstream_errors():
            found += AuditEvent.query(
                f"AUDIT#{day}",
                AuditEvent.sk.between(to_text(since), newest),
                filter_condition=_filter(chosen),
                scan_index_forward=False,
                limit=limit + 1 - len(found),
                page_size=limit + 1,
                last_evaluated_key={"pk": {"S": f"AUDIT#{day}"}, "sk": {"S": newest}} if cursor else None,
            )
        if len(found) > limit:
            break
    events = [_entry(event) for event in found[:limit]]
    return AuditPage(events=events, next_cursor=encode_cursor([found[limit - 1].sk]) if len(found) > limit else None)


def metrics_summary(name: str, since: datetime | None, until: datetime | None) -> MetricsAnswer:
    """Summarize success rate, durations, gas, cost, errors and work in flight; by default of the last day.

    A service without jobs has nothing that completes, fails or is in flight.
    """
    service = service_named(name)
    until = until or now()
    since, until = span(since or until - timedelta(days=1), until)
    kind = _KINDS.get(service)
    outcomes, truncated = outcomes_of(service, since, until)
    completed = [outcome for outcome in outcomes if outcome.outcome == "completed"]
    errors: dict[str, int] = {}
    for outcome in outcomes:
        if outcome.outcome != "completed":
            errors[outcome.outcome] = errors.get(outcome.outcome, 0) + 1
    seconds = [float(outcome.seconds) for outcome in completed]
    state = service_state(service)
    currency, chain_id = currency_of(service)
    return MetricsAnswer(
        service=service,
        since=to_text(since),
        until=to_text(until),
        completed=len(completed),
        failed=len(outcomes) - len(completed),
        success_rate=len(completed) / len(outcomes) if outcomes else None,
        p50_seconds=percentile(seconds, 50),
        p95_seconds=percentile(seconds, 95),
        gas_used=str(sum(int(outcome.gas) for outcome in outcomes)),
        total_cost=str(sum(int(outcome.cost) for outcome in outcomes)),
        currency=currency,
        chain_id=chain_id,
        errors=errors,
        in_flight=sum(_open_jobs(shard) for shard in open_shards(kind)) if kind else 0,
        paused=bool(state.paused),
        breaker=asdict(state.breaker),
        truncated=truncated,
    )


def outcomes_of(service: Service, since: datetime, until: datetime) -> tuple[list[JobOutcome], bool]:
    """Return how a service's jobs ended, newest first, and whether there were more than are read."""
    kind = _KINDS.get(service)
    outcomes: list[JobOutcome] = []
    for day in days_between(since, until, newest_first=True):
        left = _MAX_OUTCOMES - len(outcomes)
        if left <= 0 or kind is None:
            break
        with upstream_errors():
            outcomes += JobOutcome.query(
                f"OUTCOME#{kind}#{day}",
                JobOutcome.sk.between(to_text(since), to_text(until) + "~"),
                scan_index_forward=False,
                limit=left,
            )
    return outcomes, len(outcomes) >= _MAX_OUTCOMES


def currency_of(service: Service) -> tuple[str | None, int | None]:
    """Return currency and chain of what a service's jobs cost on chain; None where there are several, or none."""
    chains = chain_settings()
    if service is Service.TOKENS:
        return chains.token_chain.currency, chains.token_chain_id
    currencies = {chain.currency for chain in chains.chains.values()} if service is Service.BUILDS else set()
    return (currencies.pop() if len(currencies) == 1 else None), None


def _open_jobs(shard: str) -> int:
    with upstream_errors():
        return int(JobsItem.open_work.count(shard))
