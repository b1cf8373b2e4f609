"""Enrolment, tokens, the fleet, uptime and the setup script, through the function and under its policy."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
import time
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from eth_account import Account

from slipway import store
from slipway.times import now_text, of_milliseconds, to_text
from slipway.workers import fleet
from slipway.workers import store as workers_store
from slipway.workers.rules import GAP, HEALTHY_WITHIN, MINUTE
from slipway.workers.store import FLEET, UptimeRecord, WorkerItem, find_worker, uptime_key, worker_key
from slipway.workers.worker_tokens import token_hash
from tests.support.clock import ManualClock
from tests.support.functions import event
from tests.support.installation import Answer, Installation
from tests.support.wallets import ADMIN, ALICE, BOB
from tests.support.workers import body as beat_body

HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE
CONTAINERS = [{"containerName": 'we"b', "port": "[::1]:80->80/tcp"}]


def _now() -> int:
    return time.time_ns() // 1_000_000


def _text(milliseconds: int) -> str:
    return to_text(of_milliseconds(milliseconds))


def _enrol(slipway: Installation, account: Any = ALICE, **parts: Any) -> Answer:
    return slipway.api("api_workers_enrol", token=slipway.token(account), **parts)


def _exchange(slipway: Installation, code: str, wallet: str = ALICE.address) -> Answer:
    return slipway.api("api_workers_exchange", body={"enrolment_code": code}, path={"wallet": wallet})


def _revoke(slipway: Installation, wallet: str, account: Any = ALICE) -> Answer:
    return slipway.api("api_workers_revoke", token=slipway.token(account), path={"wallet": wallet})


def _worker(wallet: str = ALICE.address, **attributes: Any) -> WorkerItem:
    item = WorkerItem(*worker_key(wallet), fleet=FLEET, **{"enrolled_at": now_text(), **attributes})
    item.save()
    return item


# ── Enrolment ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("parts", [{"body": {}}, {"raw": ""}])
def test_an_owner_enrols_a_worker_and_gets_a_code_once(slipway: Installation, parts: dict[str, Any]) -> None:
    answer = _enrol(slipway, **parts)
    assert answer.status == 201, answer.body
    assert set(answer.body) == {"wallet", "enrolment_code", "expires_at", "setup_command"}
    assert answer.body["wallet"] == ALICE.address
    left = datetime.fromisoformat(answer.body["expires_at"]) - datetime.now(UTC)
    assert timedelta(seconds=890) < left <= timedelta(seconds=900)
    code = answer.body["enrolment_code"]
    assert len(code) >= 22
    domain = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
    curl, bash = answer.body["setup_command"].split(" | ")
    assert shlex.split(curl) == ["curl", "-fsSL", f"{domain}/api/setup?wallet={ALICE.address}"]
    assert shlex.split(bash) == [f"SLIPWAY_ENROLMENT_CODE={code}", "bash"]
    stored = find_worker(ALICE.address)
    assert stored
    assert stored.enrolment_hash == hashlib.sha256(code.encode()).digest()
    assert stored.token_hash is None
    assert code not in str(slipway.items("workers") + slipway.items("jobs") + slipway.items("control"))
    assert [(entry["outcome"], entry["subject"]) for entry in slipway.audit()] == [("accepted", ALICE.address)]


def test_the_code_brings_a_token_once(slipway: Installation) -> None:
    code = _enrol(slipway).body["enrolment_code"]
    slipway.calls.clear()
    answer = _exchange(slipway, code)
    assert (answer.status, set(answer.body)) == (201, {"token"})
    # What is told only once can't be lost between two writes.
    assert [operation for _, operation, _ in slipway.called()] == ["TransactWriteItems"]
    hashed = token_hash(answer.body["token"])
    stored = find_worker(ALICE.address)
    assert stored
    assert hashed is not None
    assert stored.token_hash == hashed
    assert stored.enrolment_hash is None
    assert stored.enrolment_expires_at is None
    assert answer.body["token"] not in str(slipway.items("workers") + slipway.items("jobs"))
    again = _exchange(slipway, code)
    assert (again.status, again.code) == (401, "AUTH_FAILED")
    after = find_worker(ALICE.address)
    assert after
    assert after.token_hash == hashed
    # A stranger's refusal is sampled: the key of its row is its minute, so it has no place among the others.
    assert sorted(entry["outcome"] for entry in slipway.audit()) == ["AUTH_FAILED", "accepted", "accepted"]


def test_every_refusal_of_a_code_is_the_same(slipway: Installation) -> None:
    used = _enrol(slipway).body["enrolment_code"]
    _exchange(slipway, used)
    expired = _enrol(slipway, BOB).body["enrolment_code"]
    WorkerItem(*worker_key(BOB.address)).update(actions=[WorkerItem.enrolment_expires_at.set(int(time.time()))])
    replaced = _enrol(slipway, ADMIN).body["enrolment_code"]
    of_another = _enrol(slipway, ADMIN).body["enrolment_code"]
    refusals = [
        _exchange(slipway, used),
        _exchange(slipway, expired, BOB.address),
        _exchange(slipway, replaced, ADMIN.address),
        _exchange(slipway, of_another, ALICE.address),
        _exchange(slipway, "wrong", ADMIN.address),
        _exchange(slipway, "wrong", Account.create().address),
    ]
    assert {(refusal.status, str(refusal.body["error"])) for refusal in refusals} == {
        (401, str({"code": "AUTH_FAILED", "message": "The enrolment code is not valid for this worker"}))
    }
    assert _exchange(slipway, of_another, ADMIN.address.lower()).status == 201


def test_enrolling_again_keeps_what_the_worker_has_until_the_new_code_is_used(slipway: Installation) -> None:
    _exchange(slipway, _enrol(slipway).body["enrolment_code"])
    item = WorkerItem(*worker_key(ALICE.address))
    item.update(actions=[WorkerItem.session_start.set(_now() - HOUR), WorkerItem.last_seen.set(_now())])
    before = find_worker(ALICE.address)
    code = _enrol(slipway).body["enrolment_code"]
    between = find_worker(ALICE.address)
    assert before
    assert between
    for name in ("token_hash", "enrolled_at", "session_start", "last_seen"):
        assert getattr(between, name) == getattr(before, name)
    _exchange(slipway, code)
    after = find_worker(ALICE.address)
    assert after
    assert after.token_hash != before.token_hash
    assert after.session_start == before.session_start


@pytest.mark.parametrize("body", [{"enrolment_code": ""}, {"enrolment_code": 5}, {}, {"enrolment_code": "x" * 257}, []])
def test_a_code_that_is_none_is_refused_with_the_field(slipway: Installation, body: Any) -> None:
    answer = slipway.api("api_workers_exchange", body=body)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


def test_a_body_that_wants_more_is_refused(slipway: Installation) -> None:
    assert _enrol(slipway, body={"wallet": BOB.address}).status == 400
    assert _enrol(slipway, raw="{").status == 400
    assert slipway.items("workers") == []


def test_a_wallet_enrols_twenty_times_an_hour(slipway: Installation) -> None:
    enrolled = [_enrol(slipway) for _ in range(20)]
    assert [int(one.headers["ratelimit-remaining"]) for one in enrolled] == list(range(19, -1, -1))
    assert {one.headers["ratelimit-limit"] for one in enrolled} == {"20"}
    codes = [one.body["enrolment_code"] for one in enrolled]
    refused = _enrol(slipway)
    assert (refused.status, refused.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert refused.headers["ratelimit-limit"] == "20"
    assert _enrol(slipway, BOB).status == 201
    assert _exchange(slipway, codes[-1]).status == 201


def test_a_paused_service_enrols_nobody(slipway: Installation) -> None:
    code = _enrol(slipway).body["enrolment_code"]
    switch: dict[str, Any] = {"body": {"reason": "Too many"}, "path": {"service": "workers"}}
    assert slipway.api("api_admin_pause", token=slipway.token(ADMIN), **switch).status == 200
    refused = _enrol(slipway, BOB)
    assert (refused.status, refused.code) == (503, "SERVICE_PAUSED")
    assert find_worker(BOB.address) is None
    assert _exchange(slipway, code).status == 201
    assert slipway.api("api_workers_list", token=slipway.token()).status == 200
    metrics = slipway.api("api_admin_metrics", token=slipway.token(ADMIN), query="service=workers").body
    assert (metrics["completed"], metrics["in_flight"], metrics["paused"]) == (0, 0, True)
    assert slipway.api("api_admin_resume", token=slipway.token(ADMIN), **switch).status == 200
    assert _enrol(slipway, BOB).status == 201


def test_a_token_is_revoked_at_once_and_a_code_with_it(slipway: Installation) -> None:
    _exchange(slipway, _enrol(slipway).body["enrolment_code"])
    code = _enrol(slipway).body["enrolment_code"]
    assert _revoke(slipway, ALICE.address.lower()).status == 204
    stored = find_worker(ALICE.address)
    assert stored
    assert stored.token_hash is None
    assert stored.enrolment_hash is None
    assert _exchange(slipway, code).status == 401
    assert _revoke(slipway, ALICE.address).status == 204


def test_only_the_own_token_is_revoked(slipway: Installation) -> None:
    _exchange(slipway, _enrol(slipway).body["enrolment_code"])
    before = find_worker(ALICE.address)
    for account in (BOB, ADMIN):
        answer = _revoke(slipway, ALICE.address, account)
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert find_worker(ALICE.address).token_hash == before.token_hash  # type: ignore[union-attr]
    nobody = _revoke(slipway, BOB.address, BOB)
    assert (nobody.status, nobody.code) == (404, "NOT_FOUND")
    assert find_worker(BOB.address) is None


@pytest.mark.parametrize("name", ["enrol", "revoke", "retire", "change", "list", "detail", "uptime"])
def test_nobody_is_let_in_without_signing_in(slipway: Installation, name: str) -> None:
    answer = slipway.api(f"api_workers_{name}")
    assert (answer.status, answer.code) == (401, "AUTH_FAILED")


@pytest.mark.parametrize("name", ["enrol", "revoke", "retire", "change"])
def test_a_caller_without_a_wallet_owns_no_worker(slipway: Installation, name: str) -> None:
    answer = slipway.api(f"api_workers_{name}", token=slipway.token(wallet=None))
    assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert slipway.api("api_workers_list", token=slipway.token(wallet=None)).status == 200


@pytest.mark.parametrize("name", ["exchange", "revoke", "detail", "uptime"])
@pytest.mark.parametrize("wallet", ["alice", "0x12", ALICE.address[:-1] + "G", ALICE.address.swapcase()])
def test_a_wallet_that_is_no_address_is_refused(slipway: Installation, name: str, wallet: str) -> None:
    body = {"enrolment_code": "x"} if name == "exchange" else None
    answer = slipway.api(f"api_workers_{name}", token=slipway.token(), path={"wallet": wallet}, body=body)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert [entry["field"] for entry in answer.body["error"]["details"]["fields"]] == ["wallet"]


# ── The fleet ───────────────────────────────────────────────────────────────────────────────────


def _detail(slipway: Installation, wallet: str = ALICE.address, token: str | None = None) -> Answer:
    return slipway.api("api_workers_detail", token=token or slipway.token(), path={"wallet": wallet})


def test_a_worker_that_was_never_seen_is_new(slipway: Installation) -> None:
    _enrol(slipway)
    body = _detail(slipway).body
    enrolled_at = body.pop("enrolled_at")
    assert abs(datetime.fromisoformat(enrolled_at) - datetime.now(UTC)) < timedelta(seconds=30)
    assert body == {
        "wallet": ALICE.address, "status": "new", "last_seen": None, "session": None, "containers": [],
        "clock_offset_seconds": None, "clone_noticed_at": None, "retired_at": None, "public": False, "figures": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("silence", "status", "is_open"),
    [
        (0, "healthy", True),
        (-5 * MINUTE, "healthy", True),
        (HEALTHY_WITHIN - 5000, "healthy", True),
        (HEALTHY_WITHIN + 1, "late", True),
        (GAP - 5000, "late", True),
        (GAP + 1, "down", False),
        (9 * DAY, "down", False),
    ],
)
def test_the_status_follows_the_silence(slipway: Installation, silence: int, status: str, is_open: bool) -> None:
    last = _now() - silence
    _worker(session_start=last - HOUR, last_seen=last, containers=CONTAINERS)
    body = _detail(slipway).body
    assert (body["status"], body["last_seen"], body["containers"]) == (status, _text(last), CONTAINERS)
    assert body["session"] == ({"timeFrom": _text(last - HOUR), "timeTo": _text(last)} if is_open else None)
    assert [worker["status"] for worker in _page(slipway).body["workers"]] == [status]


def test_containers_are_for_the_owner_operators_and_administrators(slipway: Installation) -> None:
    _worker(session_start=_now(), last_seen=_now(), containers=CONTAINERS)
    for account, claims, seen in (
        (ALICE, {}, CONTAINERS),
        (BOB, {}, None),
        (BOB, {"roles": ["operator"]}, CONTAINERS),
        (ADMIN, {}, CONTAINERS),
        (BOB, {"wallet": None}, None),
    ):
        token = slipway.token(account, **claims)
        assert _detail(slipway, token=token).body["containers"] == seen
        page = slipway.api("api_workers_list", token=token).body
        assert [worker["containers"] for worker in page["workers"]] == [seen]


def test_a_wallet_that_enrolled_none_is_not_found(slipway: Installation) -> None:
    assert _detail(slipway, BOB.address).status == 404
    assert _uptime(slipway, BOB.address).status == 404


def _page(slipway: Installation, **query: Any) -> Answer:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return slipway.api("api_workers_list", token=slipway.token(), query=text)


def _flat(pages: list[list[str]]) -> list[str]:
    return [wallet for page in pages for wallet in page]


def _fleet(count: int, silences: list[int]) -> list[str]:
    """Workers of which each has the next silence in turn, newest enrolment first."""
    wallets = []
    for number in range(count):
        wallet = Account.create().address
        last = _now() - silences[number % len(silences)]
        _worker(wallet, enrolled_at=_text(10**12 + number // 2), session_start=last, last_seen=last)
        wallets.append(wallet)
    return wallets


def _all_pages(slipway: Installation, **query: Any) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor = None
    while not pages or cursor:
        body = _page(slipway, **query, **({"cursor": cursor} if cursor else {})).body
        pages.append([worker["wallet"] for worker in body["workers"]])
        cursor = body["next_cursor"]
        assert len(pages) < 50
    return pages


@pytest.mark.parametrize("limit", [1, 4, 7, 8, 100])
def test_pages_together_are_the_fleet(slipway: Installation, limit: int) -> None:
    wallets = _fleet(8, [0])
    pages = _all_pages(slipway, limit=limit)
    assert sorted(_flat(pages)) == sorted(wallets)
    assert max(len(page) for page in pages) <= limit
    enrolled = [find_worker(wallet).enrolled_at for wallet in _flat(pages)]  # type: ignore[union-attr]
    assert enrolled == sorted(enrolled, reverse=True)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize(("status", "remainder"), [("healthy", 0), ("late", 1), ("down", 2)])
def test_pages_of_a_status_together_are_all_with_that_status(
    slipway: Installation, status: str, remainder: int, limit: int
) -> None:
    wallets = _fleet(10, [0, 20 * MINUTE, HOUR])
    pages = _all_pages(slipway, status=status, limit=limit)
    assert sorted(_flat(pages)) == sorted(wallet for n, wallet in enumerate(wallets) if n % 3 == remainder)
    assert max(len(page) for page in pages) <= limit


def test_a_filtered_page_looks_at_a_bounded_number(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "_LOOKED_AT", 2)
    wallets = _fleet(13, [HOUR])
    WorkerItem(*worker_key(wallets[0])).update(actions=[WorkerItem.last_seen.set(_now())])
    slipway.calls.clear()
    first = _page(slipway, status="healthy", limit=1).body
    assert (first["workers"], bool(first["next_cursor"])) == ([], True)
    assert len(slipway.called("Query")) <= 5
    assert len(slipway.called("BatchGetItem")) <= 5
    assert _flat(_all_pages(slipway, status="healthy", limit=1)) == [wallets[0]]


def test_the_cost_of_a_page_follows_the_page(slipway: Installation) -> None:
    _fleet(30, [0])
    slipway.calls.clear()
    assert len(_page(slipway, limit=5).body["workers"]) == 5
    ((_, _, query),) = slipway.called("Query")
    assert query["Limit"] <= 6
    ((_, _, batch),) = slipway.called("BatchGetItem")
    assert [len(wanted["Keys"]) for wanted in batch["RequestItems"].values()] == [5]


def test_a_page_of_many_containers_is_short_and_goes_on(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "_MAX_CONTAINER_BYTES", 250)
    wallets = _fleet(5, [0])
    for wallet in wallets:
        WorkerItem(*worker_key(wallet)).update(actions=[WorkerItem.containers.set(CONTAINERS * 2)])
    pages: list[list[str]] = []
    cursor = None
    while not pages or cursor:
        query = f"limit=100&cursor={cursor}" if cursor else "limit=100"
        body = slipway.api("api_workers_list", token=slipway.token(ADMIN), query=query).body
        pages.append([worker["wallet"] for worker in body["workers"]])
        cursor = body["next_cursor"]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(_flat(pages)) == sorted(wallets)


def test_a_page_has_the_uptime_of_its_workers_when_days_are_asked_for(slipway: Installation) -> None:
    wallets = _fleet(3, [0])
    page = slipway.api("api_workers_list", token=slipway.token(), query="days=3").body
    assert sorted(page["uptime"]) == sorted(wallets)
    since = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    for wallet, found in page["uptime"].items():
        alone = _uptime(slipway, wallet, **{"from": since}).body
        assert [day["date"] for day in found["days"]] == [day["date"] for day in alone["days"]]
        assert len(found["days"]) == 3
        assert found["percent"] == pytest.approx(alone["percent"], abs=0.1)
    assert slipway.api("api_workers_list", token=slipway.token(), query="").body["uptime"] is None


@pytest.mark.parametrize(
    "query", ["days=0", "days=32", "limit=0", "limit=101", "limit=x", "status=up", "cursor=e30", "cursor=!"]
)
def test_a_question_that_makes_no_sense_is_refused_with_the_field(slipway: Installation, query: str) -> None:
    answer = slipway.api("api_workers_list", token=slipway.token(), query=query)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.body["error"]["details"]["fields"][0]["field"] == query.split("=")[0]


# ── Uptime ──────────────────────────────────────────────────────────────────────────────────────


def _uptime(slipway: Installation, wallet: str = ALICE.address, account: Any = BOB, **query: str) -> Answer:
    text = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    return slipway.api("api_workers_uptime", token=slipway.token(account), path={"wallet": wallet}, query=text)


def _record(begin: int, end: int, *, observed: bool = True) -> dict[str, Any]:
    """Keep a session that is over; gives it as the API shows it."""
    for kind in ("UPTIME", "OBSERVED") if observed else ("UPTIME",):
        UptimeRecord(*uptime_key(ALICE.address, begin, kind), time_from=begin, time_to=end).save()
    return {"timeFrom": _text(begin), "timeTo": _text(end), "reported": not observed}


def _observed_worker(begin: int, end: int) -> WorkerItem:
    """Return a worker of long ago whose newest session was observed whole."""
    times: dict[str, Any] = {"session_start": begin, "observed_start": begin, "last_seen": end, "observed_until": end}
    return _worker(enrolled_at=_text(FIRST - 10 * DAY), arrived_at=end, **times)


FIRST = 20_000 * DAY  # 2024-10-04


def test_uptime_over_days_and_edges(slipway: Installation) -> None:
    _worker(enrolled_at=_text(FIRST - 10 * DAY))
    _record(FIRST - 9 * DAY, FIRST - 8 * DAY)
    reaching_in = _record(FIRST - 6 * HOUR, FIRST + 6 * HOUR)
    over_midnight = _record(FIRST + 18 * HOUR, FIRST + DAY + 12 * HOUR)
    reaching_out = _record(FIRST + 2 * DAY + 12 * HOUR, FIRST + 3 * DAY + 12 * HOUR)
    _record(FIRST + 3 * DAY + 13 * HOUR, FIRST + 4 * DAY)
    answer = _uptime(slipway, **{"from": "2024-10-04", "to": "2024-10-07T00:00:00Z"})
    assert answer.status == 200
    assert answer.body == {
        "records": [reaching_in, over_midnight, reaching_out],
        "days": [
            {"date": "2024-10-04", "percent": 50.0},
            {"date": "2024-10-05", "percent": 50.0},
            {"date": "2024-10-06", "percent": 50.0},
        ],
        "percent": 50.0,
        "reported_percent": 50.0,
    }
    assert _uptime(slipway, **{"from": "2024-10-04T02:00:00+02:00", "to": "2024-10-07"}).body == answer.body


def test_the_session_that_reaches_in_is_found_by_one_small_read(slipway: Installation) -> None:
    _worker()
    for number in range(40):
        _record(FIRST - (number + 2) * HOUR, FIRST - (number + 2) * HOUR + MINUTE)
    reaching = _record(FIRST - HOUR, FIRST + HOUR)
    slipway.calls.clear()
    assert _uptime(slipway, **{"from": "2024-10-04", "to": "2024-10-05"}).body["records"] == [reaching]
    queries = [arguments for _, _, arguments in slipway.called("Query")]
    assert len(queries) == 4, "two for sessions, two for what was observed"
    assert [query["Limit"] for query in queries if not query.get("ScanIndexForward", True)] == [1, 1]


def test_an_open_session_counts_up_to_its_last_beat(slipway: Installation) -> None:
    last = _now() - 20 * MINUTE
    _observed_worker(last - 100 * MINUTE, last)
    body = _uptime(slipway, **{"from": _text(last - 100 * MINUTE), "to": _text(last + DAY)}).body
    session = {"timeFrom": _text(last - 100 * MINUTE), "timeTo": _text(last)}
    assert body["records"] == [{**session, "reported": False, "open": True}]
    assert 83.2 < body["percent"] <= 83.333
    assert sum(day["percent"] > 0 for day in body["days"]) >= 1
    assert datetime.fromisoformat(body["days"][-1]["date"]).date() <= datetime.now(UTC).date()


def test_a_silent_session_counts_as_closed_before_the_flush_comes(slipway: Installation) -> None:
    last = _now() - GAP - 1000
    _observed_worker(last - HOUR, last)
    body = _uptime(slipway).body
    assert body["records"] == [{"timeFrom": _text(last - HOUR), "timeTo": _text(last), "reported": False}]
    assert body["percent"] == pytest.approx(100 / 168, abs=0.01)


def test_a_session_closed_between_the_reads_is_reported_once(slipway: Installation) -> None:
    last = _now() - HOUR
    _observed_worker(last - HOUR, last)
    record = _record(last - HOUR, last)
    assert _uptime(slipway).body["records"] == [record]


def test_the_window_is_the_last_week_and_the_future_counts_for_nothing(slipway: Installation) -> None:
    _worker(enrolled_at=_text(FIRST))
    body = _uptime(slipway).body
    assert (body["records"], body["percent"], body["reported_percent"]) == ([], 0.0, 0.0)
    assert len(body["days"]) in (7, 8)
    tomorrow, later = _text(_now() + DAY), _text(_now() + 2 * DAY)
    assert _uptime(slipway, **{"from": tomorrow, "to": later}).body == {
        "records": [], "days": [], "percent": None, "reported_percent": None,
    }  # fmt: skip


def test_what_was_reported_counts_apart_and_nothing_before_the_enrolment(slipway: Installation) -> None:
    _worker(enrolled_at=_text(FIRST + DAY + 12 * HOUR))
    before = _record(FIRST + 6 * HOUR, FIRST + 12 * HOUR, observed=False)
    over = _record(FIRST + DAY + 6 * HOUR, FIRST + DAY + 18 * HOUR, observed=False)
    seen = _record(FIRST + DAY + 21 * HOUR, FIRST + DAY + 24 * HOUR)
    assert _uptime(slipway, **{"from": "2024-10-04", "to": "2024-10-06"}).body == {
        "records": [before, over, seen],
        "days": [{"date": "2024-10-04", "percent": None}, {"date": "2024-10-05", "percent": 25.0}],
        "percent": 25.0,
        "reported_percent": 75.0,
    }


def test_backdated_beats_of_a_worker_enrolled_just_now_are_no_uptime(slipway: Installation) -> None:
    token = _exchange(slipway, _enrol(slipway).body["enrolment_code"]).body["token"]
    for at in [*range(_now() - DAY + MINUTE, _now(), 30 * MINUTE - 5000), _now()]:
        assert slipway.api("heartbeat", token=token, body=beat_body(ALICE.address, at)).status == 200
    found = _uptime(slipway, **{"from": _text(_now() - DAY)}).body
    # The time since the enrolment is what this test has taken; none of it was observed but between two last beats.
    assert found["percent"] < 50
    assert [record["reported"] for record in found["records"]] == [True]
    assert [day["percent"] for day in found["days"][:-2]] == [None] * (len(found["days"]) - 2)
    shown = _detail(slipway).body
    assert shown["status"] == "healthy"
    assert abs(datetime.fromisoformat(shown["last_seen"]) - datetime.now(UTC)) < timedelta(seconds=30)


# ── Retirement, the badge and the status page ───────────────────────────────────────────────────


def _retire(slipway: Installation, wallet: str = ALICE.address, account: Any = ALICE) -> Answer:
    return slipway.api("api_workers_retire", token=slipway.token(account), path={"wallet": wallet})


def _change(slipway: Installation, public: Any, account: Any = ALICE) -> Answer:
    token = slipway.token(account)
    return slipway.api("api_workers_change", token=token, path={"wallet": ALICE.address}, body={"public": public})


def test_a_retired_worker_keeps_its_records_and_a_new_enrolment_revives_it(slipway: Installation) -> None:
    token = _exchange(slipway, _enrol(slipway).body["enrolment_code"]).body["token"]
    assert slipway.api("heartbeat", token=token, body=beat_body(ALICE.address, _now())).status == 200
    open_code = _enrol(slipway).body["enrolment_code"]
    assert [_retire(slipway).status, _retire(slipway, ALICE.address.lower()).status] == [204, 204]
    assert slipway.api("heartbeat", token=token, body=beat_body(ALICE.address, _now())).status == 401
    assert _exchange(slipway, open_code).status == 401
    shown = _detail(slipway).body
    assert (shown["status"], shown["session"]) == ("retired", None)
    assert shown["retired_at"] > shown["enrolled_at"]
    assert [worker["status"] for worker in _page(slipway, status="retired").body["workers"]] == ["retired"]
    assert len(_uptime(slipway).body["records"]) == 1
    token = _exchange(slipway, _enrol(slipway).body["enrolment_code"]).body["token"]
    revived = _detail(slipway).body
    assert (revived["status"], revived["retired_at"]) == ("new", None)
    assert revived["enrolled_at"] > shown["retired_at"]
    assert slipway.api("heartbeat", token=token, body=beat_body(ALICE.address, _now())).status == 200
    assert _detail(slipway).body["status"] == "healthy"


def test_only_the_own_worker_is_retired_or_shown(slipway: Installation) -> None:
    _enrol(slipway)
    before = slipway.items("workers")
    for account in (BOB, ADMIN):
        assert {_retire(slipway, account=account).code, _change(slipway, True, account).code} == {"NOT_FOUND"}
    assert _retire(slipway, BOB.address, BOB).status == 404
    assert slipway.items("workers") == before
    assert _change(slipway, "yes").status == 400


def test_the_badge_and_the_page_are_for_anyone_where_the_owner_allows_it(slipway: Installation) -> None:
    last = _now() - MINUTE
    _observed_worker(last - 3 * DAY, last)
    WorkerItem(*worker_key(ALICE.address)).update(actions=[WorkerItem.containers.set(CONTAINERS)])

    def public(name: str) -> dict[str, Any]:
        given = json.dumps(event(f"api_workers_{name}"))
        wallet = json.loads(given)["pathParameters"]["wallet"]
        found = dict(slipway.invoke("WorkersFunction", json.loads(given.replace(wallet, ALICE.address))))
        if found["isBase64Encoded"]:
            found["body"] = base64.b64decode(found["body"]).decode()
        return found

    assert {public(name)["statusCode"] for name in ("badge", "page")} == {404}
    assert _change(slipway, True).body["public"] is True
    badge, page = public("badge"), public("page")
    assert badge["statusCode"] == page["statusCode"] == 200, badge["body"]
    assert badge["headers"]["content-type"] == "image/svg+xml"
    assert page["headers"]["content-type"].startswith("text/html")
    for answer in (badge, page):
        assert answer["headers"]["cache-control"] == "public, max-age=60"
        assert "healthy" in answer["body"]
        assert "9.99 %" in answer["body"] or "10.00 %" in answer["body"]
        assert "::1" not in answer["body"]
        assert "<script" not in answer["body"]
    ET.fromstring(badge["body"])  # noqa: S314 (made here)
    assert _change(slipway, False).body["public"] is False
    assert {public(name)["statusCode"] for name in ("badge", "page")} == {404}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-13-01"}, "to"),
        ({"to": "2026-11-01T00:00:00"}, "to"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "to"),
        ({"from": "2026-11-02", "to": "2026-11-02"}, "to"),
        ({"from": "2025-01-01", "to": "2026-01-03"}, "from"),
        ({"from": "1969-01-01"}, "from"),
        ({"from": "x" * 65}, "from"),
    ],
    ids=str,
)
def test_a_window_that_makes_no_sense_is_refused(slipway: Installation, query: dict[str, str], field: str) -> None:
    _worker()
    answer = _uptime(slipway, **query)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.body["error"]["details"]["fields"][0]["field"] == field


def test_a_year_and_a_day_may_be_asked_for(slipway: Installation) -> None:
    _worker()
    assert len(_uptime(slipway, **{"from": "2024-01-01", "to": "2025-01-01"}).body["days"]) == 366


# ── The script ──────────────────────────────────────────────────────────────────────────────────


def _script(slipway: Installation, query: str, **headers: str) -> dict[str, Any]:
    given = event("api_workers_setup")
    given["rawQueryString"] = query
    given.pop("queryStringParameters", None)
    given["headers"].update(headers)
    found: dict[str, Any] = slipway.invoke("WorkersFunction", given)
    return found


@pytest.mark.parametrize("spelling", [ALICE.address, ALICE.address.lower(), "0x" + ALICE.address[2:].upper()])
def test_the_script_is_for_the_wallet_and_for_this_api(slipway: Installation, spelling: str) -> None:
    answer = _script(slipway, f"wallet={spelling}", host="evil.example.com")
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"].startswith("text/x-shellscript")
    assert not answer["isBase64Encoded"]
    assert f"\nreadonly wallet={ALICE.address}\n" in answer["body"]
    assert "\nreadonly api=https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com\n" in answer["body"]
    assert "evil" not in answer["body"]


def test_the_operators_address_comes_first(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://api.example.com/")
    assert "\nreadonly api=https://api.example.com\n" in _script(slipway, f"wallet={ALICE.address}")["body"]
    assert "'https://api.example.com/api/setup?" in _enrol(slipway).body["setup_command"]


@pytest.mark.parametrize(
    "wallet",
    [
        "",
        "0x12",
        "alice",
        "$(reboot)",
        "0x" + "g" * 40,
        ALICE.address + "%0Areboot",
        ALICE.address + ";reboot",
        "'" + ALICE.address + "'",
        "0x" + "%ef%bc%91" * 40,
    ],
)
def test_anything_but_an_address_never_reaches_the_script(slipway: Installation, wallet: str) -> None:
    for query in (f"wallet={wallet}", f"wallet={ALICE.address}&wallet={wallet}"):
        answer = _script(slipway, query)
        assert answer["statusCode"] == 400
        assert '"VALIDATION_ERROR"' in answer["body"]
        assert not re.search(r"#!|reboot|readonly", answer["body"])


def test_without_a_wallet_there_is_no_script(slipway: Installation) -> None:
    assert _script(slipway, "")["statusCode"] == 400


# ── A busy store ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("busy_for", "status"), [(1, 200), (4, 200), (99, 502)])
def test_workers_that_the_store_left_out_are_asked_for_again(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch, busy_for: int, status: int
) -> None:
    wallets = _fleet(3, [0])
    dispatch, asked = store.connection.dispatch, []

    def busy(operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if operation != "BatchGetItem":
            return dict(dispatch(operation, arguments))
        ((table, wanted),) = arguments["RequestItems"].items()
        keys = wanted["Keys"]
        asked.append(len(keys))
        if len(asked) > busy_for:
            return dict(dispatch(operation, arguments))
        # The first of them only.
        answer = dispatch(operation, {"RequestItems": {table: {**wanted, "Keys": keys[:1]}}})
        return {**answer, "UnprocessedKeys": {table: {**wanted, "Keys": keys[1:] or keys}}}

    monkeypatch.setattr(store.connection, "dispatch", busy)
    monkeypatch.setattr(workers_store, "read_together", partial(store.read_together, clock=ManualClock()))
    answer = _page(slipway)
    assert answer.status == status, answer.body
    if status == 200:
        assert sorted(worker["wallet"] for worker in answer.body["workers"]) == sorted(wallets)
    else:
        assert answer.code == "UPSTREAM_UNAVAILABLE"
        assert len(asked) == 6
