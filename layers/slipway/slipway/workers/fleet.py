"""Use cases of reading: the fleet, a worker, its uptime.

Everybody who signed in sees who is up; what a worker runs is for its owner, operators and administrators.
"""

import json
from datetime import datetime, timedelta
from functools import cache

from slipway.errors import NotFoundError
from slipway.identity.models import Caller, is_staff
from slipway.pagination import encode_cursor
from slipway.request_threads import RequestThreads
from slipway.times import epoch_milliseconds, now, of_milliseconds, to_text
from slipway.workers import store
from slipway.workers.badge import BADGE_DAYS
from slipway.workers.models import (
    ContainerView,
    DayView,
    FiguresView,
    FleetUptime,
    SessionView,
    UptimeAnswer,
    UptimeRecordView,
    WorkerPage,
    WorkerView,
)
from slipway.workers.rules import HEALTHY_WITHIN, Liveness, Session, newest_session
from slipway.workers.uptime import is_reported, overlapping, uptime, window

# A filtered page looks at no more than so many workers, by so many at a time.
_LOOKED_AT = 100
# Each worker's uptime takes four questions to the store, so those of several are asked together.
_MAX_WITH_DAYS = 25
_AT_ONCE = 8
_ROUNDS = 5
# Lambda answers at most 6 MB, in which every quote of the JSON counts twice.
_MAX_CONTAINER_BYTES = 2_000_000


def fleet_page(
    caller: Caller, status: Liveness | None, limit: int, cursor: str | None, days: int | None = None
) -> WorkerPage:
    """Return a page of the fleet, newest enrolment first, at a cost that follows the page.

    Args:
        caller: Who asks.
        status: Only workers that have it.
        limit: How many at most.
        cursor: Of the page before.
        days: Of how many UTC days, today included, each worker's uptime is wanted, too.

    Raises:
        ValidationFailedError: The cursor was not given by this list.
        UpstreamUnavailableError: The store did not answer.
    """
    limit = limit if days is None else min(limit, _MAX_WITH_DAYS)
    moment = epoch_milliseconds()
    shown: list[WorkerView] = []
    found: dict[str, store.WorkerItem] = {}
    room = _MAX_CONTAINER_BYTES
    for _ in range(_ROUNDS if status else 1):
        places, cursor_after = store.fleet_places(max(limit, _LOOKED_AT) if status else limit, cursor)
        workers = {worker.pk: worker for worker in store.workers_at(places)}
        for place in places:
            worker = workers.get(place.pk)
            if worker is None or (status and worker.status(moment) is not status):
                continue
            view = _view(worker, moment, containers=_sees_containers(caller, worker.wallet))
            room -= _container_bytes(view)
            # A worker alone always fits.
            if shown and (room < 0 or len(shown) == limit):
                return WorkerPage(workers=shown, next_cursor=cursor, uptime=_uptimes(found, days))
            shown.append(view)
            found[worker.wallet] = worker
            cursor = encode_cursor([str(place.enrolled_at), place.pk, place.sk])
        cursor = cursor_after
        if cursor is None or len(shown) == limit:
            break
    return WorkerPage(workers=shown, next_cursor=cursor, uptime=_uptimes(found, days))


@cache
def _threads() -> RequestThreads:
    return RequestThreads(max_workers=_AT_ONCE, thread_name_prefix="uptime")


def _uptimes(workers: dict[str, store.WorkerItem], days: int | None) -> dict[str, FleetUptime] | None:
    if days is None:
        return None
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=days - 1)
    answers = _threads().map(lambda worker: _uptime(worker, since, None), workers.values())
    return {
        wallet: FleetUptime(days=found.days, percent=found.percent)
        for wallet, found in zip(workers, answers, strict=True)
    }


def _container_bytes(view: WorkerView) -> int:
    if not view.containers:
        return 0
    return len(json.dumps([entry.model_dump() for entry in view.containers], ensure_ascii=False).encode())


def worker_view(caller: Caller, wallet: str) -> WorkerView:
    """Return one worker; raises NotFoundError for a wallet that enrolled none."""
    return _view(_found(wallet), epoch_milliseconds(), containers=_sees_containers(caller, wallet))


def owners_view(wallet: str) -> WorkerView | None:
    """Return a worker as its owner sees it; None for a wallet that enrolled none."""
    worker = store.find_worker(wallet)
    return _view(worker, epoch_milliseconds(), containers=True) if worker else None


def _sees_containers(caller: Caller, wallet: str) -> bool:
    return wallet == caller.wallet or is_staff(caller)


def _found(wallet: str) -> store.WorkerItem:
    worker = store.find_worker(wallet)
    if worker is None:
        raise NotFoundError("There is no such worker")
    return worker


def _view(worker: store.WorkerItem, moment: int, *, containers: bool) -> WorkerView:
    status, seen = worker.status(moment), worker.arrived_at or worker.last_seen
    session = _session(worker, moment) if status is not Liveness.RETIRED else None
    shown = [
        ContainerView(containerName=entry["containerName"], port=entry["port"]) for entry in worker.containers or []
    ]
    return WorkerView(
        wallet=worker.wallet,
        status=status,
        last_seen=_optional_text(seen),
        clock_offset_seconds=worker.clock_offset,
        clone_noticed_at=_optional_text(worker.cloned_at),
        retired_at=_optional_text(worker.retired_at),
        public=bool(worker.public),
        enrolled_at=str(worker.enrolled_at),
        session=SessionView(timeFrom=_text(session.time_from), timeTo=_text(session.time_to))
        if session and session.open
        else None,
        containers=shown if containers else None,
        figures=FiguresView(**worker.figures) if containers and worker.figures else None,
    )


def _session(worker: store.WorkerItem, moment: int) -> Session | None:
    return newest_session(worker.session_start, worker.last_seen, moment)


def worker_uptime(wallet: str, since: datetime | None, until: datetime | None) -> UptimeAnswer:
    """Return a worker's sessions in a window, and how much of it, and of each day, they cover.

    Raises:
        NotFoundError: The wallet enrolled no worker.
        ValidationFailedError: See ``uptime.window``.
        UpstreamUnavailableError: The store did not answer.
    """
    return _uptime(_found(wallet), since, until)


def _uptime(worker: store.WorkerItem, since: datetime | None, until: datetime | None) -> UptimeAnswer:
    present, wallet = now(), worker.wallet
    begin, end = window(since, until, present)
    moment = epoch_milliseconds(present)
    # The worker is read before its records: a session that ends in between is then found twice, not never.
    sessions = overlapping(store.records_of_window(wallet, begin, end), _session(worker, moment), begin, end)
    # A session that reaches over the window's edges is judged whole.
    first, last = (min([begin, *(s.time_from for s in sessions)]), max([end, *(s.time_to for s in sessions)]))
    observed = overlapping(
        store.records_of_window(wallet, first, last + HEALTHY_WITHIN, "OBSERVED"),
        newest_session(worker.observed_start, worker.observed_until, moment),
        first,
        last + HEALTHY_WITHIN,
    )
    found = uptime(observed, sessions, begin, end, worker.enrolled_milliseconds, moment)
    return UptimeAnswer(
        records=[_record(session, is_reported(session, observed)) for session in sessions],
        days=[DayView(date=day.isoformat(), percent=percent) for day, percent in found.days],
        percent=found.percent,
        reported_percent=found.reported_percent,
    )


def public_view(wallet: str) -> tuple[Liveness, UptimeAnswer]:
    """Return what anyone may see of a worker: its status and the uptime of the badge's days.

    Raises:
        NotFoundError: No such worker, or its owner does not show it.
        UpstreamUnavailableError: The store did not answer.
    """
    worker = store.find_worker(wallet)
    if worker is None or not worker.public:
        raise NotFoundError("There is no such public worker")
    present = now()
    return worker.status(epoch_milliseconds(present)), _uptime(worker, present - timedelta(days=BADGE_DAYS), present)


def _record(session: Session, reported: bool) -> UptimeRecordView:
    given = {"timeFrom": _text(session.time_from), "timeTo": _text(session.time_to), "reported": reported}
    return UptimeRecordView(**given, open=True) if session.open else UptimeRecordView(**given)


def _optional_text(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else _text(milliseconds)


def _text(milliseconds: int) -> str:
    return to_text(of_milliseconds(milliseconds))
