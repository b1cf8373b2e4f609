"""Deployments of every user and kind, for administrators. Those of before 2026-11-29 are found by their user only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import and_

from pynamodb.expressions.condition import Condition

from slipway.akash.store import AkashDeployment
from slipway.control.rules import MAX_DAYS, days_between, span
from slipway.deployments.models import DeploymentEntries, DeploymentEntry
from slipway.errors import ValidationFailedError
from slipway.jobs.deployments import Deployment, day_key, owner_key
from slipway.pagination import decode_cursor, encode_cursor
from slipway.store import newest_first
from slipway.times import now, to_text
from slipway.tokens.store import TokenItem

# A cursor's place in a day that has not begun.
_BEGIN = "-"


@dataclass(frozen=True)
class Filter:
    """Which deployments to list; None lists all. Without times it is the last 31 days."""

    user: str | None
    model: str | None
    status: str | None
    since: datetime | None
    until: datetime | None


def page(chosen: Filter, limit: int, cursor: str | None) -> DeploymentEntries:
    """Return a page of deployments, at a cost that follows the page: by user from an index, else day by day.

    Raises:
        ValidationFailedError: The span makes no sense, or the cursor was not given by this list.
        UpstreamUnavailableError: The store did not answer.
    """
    until = chosen.until or now()
    since, until = span(chosen.since or until - timedelta(days=MAX_DAYS), until)
    found, following = (_of_user if chosen.user else _by_day)(chosen, since, until, limit, cursor)
    return DeploymentEntries(deployments=[_entry(item) for item in found], next_cursor=following)


def _matching(chosen: Filter) -> Condition | None:
    conditions: list[Condition] = []
    if chosen.status:
        conditions.append(Deployment.status == chosen.status)
    if chosen.model:
        conditions.append(TokenItem.model_id == chosen.model)
    return reduce(and_, conditions) if conditions else None


def _of_user(
    chosen: Filter, since: datetime, until: datetime, limit: int, cursor: str | None
) -> tuple[Sequence[Deployment], str | None]:
    return newest_first(
        Deployment,
        Deployment.by_owner,
        ("owner_key", owner_key(str(chosen.user))),
        "owner_sort",
        limit=limit,
        cursor=cursor,
        between=Deployment.owner_sort.between(to_text(since), to_text(until) + "~"),
        matching=_matching(chosen),
    )


def _by_day(
    chosen: Filter, since: datetime, until: datetime, limit: int, cursor: str | None
) -> tuple[Sequence[Deployment], str | None]:
    days = [day.isoformat() for day in days_between(since, until, newest_first=True)]
    place: str | None = None
    if cursor:
        first, place = decode_cursor(cursor, 2)
        if first not in days:
            raise ValidationFailedError.of_field("cursor", "was not given by this list")
        days = days[days.index(first) :]
    found: list[Deployment] = []
    for day in days:
        if len(found) == limit:
            return found, encode_cursor([day, _BEGIN])
        items, following = newest_first(
            Deployment,
            Deployment.by_subject,
            ("subject_key", day_key(day)),
            "owner_sort",
            limit=limit - len(found),
            cursor=None if place in (None, _BEGIN) else place,
            between=Deployment.owner_sort.between(to_text(since), to_text(until) + "~"),
            matching=_matching(chosen),
        )
        found += items
        place = None
        if following:
            return found, encode_cursor([day, following])
    return found, None


def _entry(item: Deployment) -> DeploymentEntry:
    token = item if isinstance(item, TokenItem) else None
    return DeploymentEntry(
        kind="akash" if isinstance(item, AkashDeployment) else "token",
        deployment_id=item.deployment_id,
        user_address=item.wallet,
        status=item.status,
        model_id=token.model_id if token else None,
        token_address=token.token_address if token and token.deployment_block is not None else None,
        error_code=item.error_code,
        created_at=item.created_at,
        updated_at=item.updated_at,
    )
