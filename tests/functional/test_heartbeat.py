"""POST /heartbeat and uptime_flush, through their functions, under their policies."""

from __future__ import annotations

import base64
import json
import random
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any

import botocore.exceptions
import pytest

from slipway import store
from slipway.errors import RateLimitExceededError, UpstreamUnavailableError
from slipway.times import epoch_milliseconds, to_text
from slipway.workers import flush, heartbeats, session_store
from slipway.workers.flush import Flushed
from slipway.workers.heartbeat_request import Beat
from slipway.workers.heartbeats import take_beat
from slipway.workers.rules import GAP, MINUTE, OVERDUE, SHARDS, shard_of
from slipway.workers.session_store import change_sessions, close_session, due_workers
from slipway.workers.store import UptimeRecord, WorkerItem, find_worker, worker_key
from slipway.workers.worker_tokens import new_worker_token, token_hash
from tests.support.clock import ManualClock
from tests.support.functions import event, function_app
from tests.support.installation import Answer, Installation
from tests.support.sessions import reference_sessions
from tests.support.wallets import ALICE, BOB, OPERATOR
from tests.support.workers import CONTAINERS, body, enrol, records, sessions, wallet

WORKER = wallet(1)
HOUR = 60 * MINUTE


@pytest.fixture
def token(slipway: Installation) -> str:
    return enrol(WORKER)


def now() -> int:
    return epoch_milliseconds()


def beat(slipway: Installation, token: str | None, at: int | None = None, **changes: Any) -> Answer:
    """Send a beat; changes to None leave a field out."""
    given = {**body(WORKER, now() if at is None else at), **changes}
    return slipway.api(
        "heartbeat", token=token, body={name: value for name, value in given.items() if value is not None}
    )


def operations(slipway: Installation) -> list[str]:
    return [operation for service, operation, _ in slipway.calls if service == "dynamodb"]


def flush_all(slipway: Installation) -> dict[str, int]:
    """Do what the state machine does, without its engine."""
    found = slipway.invoke("UptimeFlushTasks", event("uptime_flush_flush"))
    for step in found.pop("rest"):
        done = slipway.invoke("UptimeFlushTasks", step)
        found = {name: count + done[name] for name, count in found.items()}
    return dict(found)


# ── What a beat does ────────────────────────────────────────────────────────────────────────────


def test_the_first_beat_opens_a_session(slipway: Installation, token: str) -> None:
    at = now()
    answer = beat(slipway, token, at)
    assert (answer.status, answer.body) == (200, {"success": True, "clock_offset_seconds": 0})
    worker = find_worker(WORKER)
    assert worker is not None
    assert (worker.session_start, worker.last_seen, worker.revision) == (at, at, 1)
    assert worker.containers == CONTAINERS
    assert records(WORKER) == []


def test_a_following_beat_is_one_write_and_nothing_else(slipway: Installation, token: str) -> None:
    at = now() - 9 * MINUTE
    beat(slipway, token, at)
    slipway.calls.clear()
    assert beat(slipway, token, at + 5 * MINUTE, containers=CONTAINERS[:1]).status == 200
    assert operations(slipway) == ["UpdateItem"]
    worker = find_worker(WORKER)
    assert worker is not None
    assert (worker.session_start, worker.last_seen, worker.revision) == (at, at + 5 * MINUTE, 1)
    assert worker.containers == CONTAINERS[:1]


def test_a_long_silence_ends_the_session_and_opens_another_in_one_transaction(
    slipway: Installation, token: str
) -> None:
    at = now() - 3 * HOUR
    beat(slipway, token, at)
    beat(slipway, token, at + 5 * MINUTE)
    slipway.calls.clear()
    assert beat(slipway, token, at + 2 * HOUR).status == 200
    assert operations(slipway) == ["UpdateItem", "TransactWriteItems"]
    assert records(WORKER) == [(at, at + 5 * MINUTE)]
    worker = find_worker(WORKER)
    assert worker is not None
    assert (worker.session_start, worker.last_seen) == (at + 2 * HOUR, at + 2 * HOUR)


def test_a_duplicate_and_an_overtaken_beat_change_nothing(slipway: Installation, token: str) -> None:
    at = now() - HOUR
    for offset in (0, 5, 10):
        beat(slipway, token, at + offset * MINUTE)
    before = slipway.items("workers")
    slipway.calls.clear()
    for offset in (0, 5, 7, 10):
        assert beat(slipway, token, at + offset * MINUTE, containers=[]).status == 200
    assert slipway.items("workers") == before
    assert operations(slipway) == ["UpdateItem"] * 4


def test_a_spool_sent_late_bridges_two_sessions(slipway: Installation, token: str) -> None:
    at = now() - 5 * HOUR
    beat(slipway, token, at)
    beat(slipway, token, at + HOUR)
    beat(slipway, token, at + 2 * HOUR, containers=CONTAINERS[:1])
    assert len(sessions(WORKER)) == 3
    beat(slipway, token, at + HOUR // 2, containers=[])
    assert sessions(WORKER) == [(at, at + HOUR), (at + 2 * HOUR, at + 2 * HOUR)]
    beat(slipway, token, at + 3 * HOUR // 2, containers=[])
    assert sessions(WORKER) == [(at, at + 2 * HOUR)]
    worker = find_worker(WORKER)
    assert worker is not None
    assert worker.containers == CONTAINERS[:1], "only the newest beat tells of containers"


@pytest.mark.parametrize("seed", range(6))
def test_any_order_with_flushes_gives_what_order_gives(slipway: Installation, token: str, seed: int) -> None:
    chance = random.Random(seed)
    start = now() - 20 * HOUR
    beats = [start + offset * MINUTE for offset in sorted(chance.sample(range(18 * 60), 25))]
    shuffled = [*beats, *chance.choices(beats, k=5)]
    chance.shuffle(shuffled)
    sent = []
    for at in shuffled:
        assert beat(slipway, token, at).status == 200
        sent.append(at)
        if chance.random() < 0.2:
            flush_all(slipway)
            assert records(WORKER) == reference_sessions(sent), "everything is old, so nothing stays open"
        assert sessions(WORKER) == reference_sessions(sent)


def test_a_flushed_session_is_reopened_by_a_beat_that_continues_it(slipway: Installation, token: str) -> None:
    at = now() - 3 * HOUR
    beat(slipway, token, at)
    flush_all(slipway)
    assert records(WORKER) == [(at, at)]
    beat(slipway, token, at + 10 * MINUTE)
    assert records(WORKER) == []
    assert sessions(WORKER) == [(at, at + 10 * MINUTE)]


# ── What is observed, and what is only reported ─────────────────────────────────────────────────


def stored() -> WorkerItem:
    worker = find_worker(WORKER)
    assert worker is not None
    return worker


def observed_records() -> list[tuple[int, int]]:
    found = UptimeRecord.query(worker_key(WORKER)[0], UptimeRecord.sk.startswith("OBSERVED#"), consistent_read=True)
    return [(record.time_from, record.time_to) for record in found]


def test_beats_on_time_are_observed_by_their_arrivals(slipway: Installation, token: str) -> None:
    start, given_hash = now(), token_hash(token) or b""
    for minute in (0, 5, 10, 41, 46):
        arrival = start + minute * MINUTE
        take_beat(Beat(WORKER, arrival - 9 * MINUTE + minute, []), given_hash, arrival)
        assert stored().arrived_at == arrival
    assert observed_records() == [(start, start + 10 * MINUTE)]
    assert (stored().observed_start, stored().observed_until) == (start + 41 * MINUTE, start + 46 * MINUTE)


def test_late_beats_are_reported_only(slipway: Installation, token: str) -> None:
    start, given_hash = now(), token_hash(token) or b""
    for late in range(20, 0, -1):
        take_beat(Beat(WORKER, start - late * 15 * MINUTE, []), given_hash, start)
    assert len(sessions(WORKER)) == 1
    worker = stored()
    assert worker.observed_start is None
    assert (worker.arrived_at, worker.late_beats) == (start, 20)
    take_beat(Beat(WORKER, start, []), given_hash, start)
    worker = stored()
    assert (worker.observed_start, worker.observed_until, observed_records()) == (start, start, [])


def test_a_clock_ahead_is_taken_as_of_arrival_and_the_answer_names_the_offset(
    slipway: Installation, token: str
) -> None:
    answer = beat(slipway, token, now() + 4 * MINUTE)
    assert answer.status == 200
    assert 238 <= answer.body["clock_offset_seconds"] <= 240
    assert stored().clock_offset == answer.body["clock_offset_seconds"]
    (session,) = sessions(WORKER)
    assert session[1] <= now()
    assert -421 <= beat(slipway, enrol(WORKER), now() - 7 * MINUTE).body["clock_offset_seconds"] <= -419
    assert beat(slipway, enrol(WORKER), now() - 11 * MINUTE).body["clock_offset_seconds"] is None


def test_a_flood_of_late_beats_is_bounded_and_beats_on_time_are_still_taken(
    slipway: Installation, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (heartbeats, session_store):
        monkeypatch.setattr(module, "MAX_LATE_BEATS", 5)
    start, given_hash = now() // HOUR * HOUR, token_hash(token) or b""
    for number in range(5):
        take_beat(Beat(WORKER, start - 3 * HOUR + number * MINUTE, []), given_hash, start)
    before = slipway.items("workers")
    for at in (start - 2 * HOUR, start - 4 * HOUR, start - 10 * HOUR):
        with pytest.raises(RateLimitExceededError) as refused:
            take_beat(Beat(WORKER, at, []), given_hash, start + 59 * MINUTE)
        assert refused.value.retry_after == 61
    assert slipway.items("workers") == before
    take_beat(Beat(WORKER, start, []), given_hash, start)
    take_beat(Beat(WORKER, start + 5 * MINUTE, []), given_hash, start + 5 * MINUTE)
    take_beat(Beat(WORKER, start - 2 * HOUR, []), given_hash, start + HOUR)
    assert stored().late_beats == 1


def test_two_machines_with_one_token_are_noticed_and_a_reboot_is_none(slipway: Installation, token: str) -> None:
    for boot in ("one", "one", "two", "two", None, "three"):
        assert beat(slipway, token, boot_id=boot).status == 200
    assert stored().cloned_at is None
    beat(slipway, token, boot_id="two")
    assert stored().cloned_at is not None
    assert refused_field(beat(slipway, token, boot_id="x" * 65)) == "boot_id"
    assert refused_field(beat(slipway, token, boot_id=7)) == "boot_id"
    # Ids are kept one a line.
    assert refused_field(beat(slipway, token, boot_id="one\ntwo")) == "boot_id"


@pytest.mark.parametrize(("machines", "noticed"), [(3, True), (5, True), (1, False)])
def test_machines_that_send_in_turn_are_noticed(
    slipway: Installation, token: str, machines: int, *, noticed: bool
) -> None:
    """However many, and although none of them comes after the one that came before it."""
    for turn in range(2 * machines):
        assert beat(slipway, token, boot_id=f"{turn % machines}".rjust(36, "0")).status == 200
    assert (stored().cloned_at is not None) is noticed


def test_a_noticed_silence_ends_with_the_next_beat_that_counts(slipway: Installation, token: str) -> None:
    beat(slipway, token, now() - MINUTE)
    WorkerItem(*worker_key(WORKER)).update(actions=[WorkerItem.noticed.set("late")])
    slipway.calls.clear()
    assert beat(slipway, token).status == 200
    assert stored().noticed is None
    assert operations(slipway) == ["UpdateItem", "TransactWriteItems"]


# ── Who may ─────────────────────────────────────────────────────────────────────────────────────


def test_nobody_and_anybody_else_gets_the_same_401(slipway: Installation, token: str) -> None:
    other = enrol(wallet(2))
    beat(slipway, token)
    before = slipway.items("workers")
    answers = {
        "nothing": beat(slipway, None),
        "a user's token": beat(slipway, slipway.token(ALICE)),
        "a made-up token": beat(slipway, new_worker_token()),
        "another worker's": beat(slipway, other),
        "for a wallet without worker": beat(slipway, token, walletAddress=wallet(3)),
        "a longer token": beat(slipway, token + "A"),
    }
    assert {name: (answer.status, answer.code) for name, answer in answers.items()} == dict.fromkeys(
        answers, (401, "AUTH_FAILED")
    )
    assert len({answer.body["error"]["message"] for name, answer in answers.items() if name != "nothing"}) == 1
    assert all(answer.headers["www-authenticate"] == "Bearer" for answer in answers.values())
    assert slipway.items("workers") == before


def test_a_revoked_token_is_refused_at_once_and_the_session_stays_true(slipway: Installation, token: str) -> None:
    at = now()
    beat(slipway, token, at)
    WorkerItem(*worker_key(WORKER)).update(actions=[WorkerItem.token_hash.remove()])
    for later in (at + MINUTE, at - 3 * HOUR, at):
        assert beat(slipway, token, later).status == 401
    assert sessions(WORKER) == [(at, at)]


def test_a_token_revoked_between_the_writes_of_a_beat(
    slipway: Installation, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = now()
    beat(slipway, token, at)
    change = change_sessions

    def revoked_first(*arguments: Any) -> bool:
        WorkerItem(*worker_key(WORKER)).update(actions=[WorkerItem.token_hash.remove()])
        return change(*arguments)

    monkeypatch.setattr(heartbeats, "change_sessions", revoked_first)
    assert beat(slipway, token, at - 2 * HOUR).status == 401
    assert sessions(WORKER) == [(at, at)]


def test_strangers_are_refused_without_a_call_or_a_look_at_the_body(slipway: Installation, token: str) -> None:
    slipway.calls.clear()
    for raw in ("{", "x" * 300_000, json.dumps({"walletAddress": "no"})):
        for given in (None, slipway.token(ALICE)):
            assert slipway.api("heartbeat", token=given, raw=raw).status == 401
    for header in ("", "Basic " + token, token, "Bearer", "Bearer "):
        assert slipway.api("heartbeat", headers={"authorization": header}, raw="{").status == 401
    assert slipway.calls == []


# Bodies that are refused for themselves, at any time.
BAD_BODIES = {
    "nothing": "",
    "no JSON": "{",
    "no object": "[]",
    "empty": "{}",
    "too large": "x" * 262_145,
    "no wallet": json.dumps({"timestamp": "2001-01-01T00:00:00Z", "containers": []}),
    "half a century old": json.dumps(body(WORKER, 0)),
}


@pytest.mark.parametrize("raw", BAD_BODIES.values(), ids=BAD_BODIES)
def test_the_token_is_judged_before_the_body(slipway: Installation, token: str, raw: str) -> None:
    unknown = slipway.api("heartbeat", token=new_worker_token(), raw=raw)
    assert (unknown.status, unknown.code) == (401, "AUTH_FAILED")
    assert unknown.headers["www-authenticate"] == "Bearer"
    assert slipway.api("heartbeat", token=token, raw=raw).status in (400, 413)
    WorkerItem(*worker_key(WORKER)).update(actions=[WorkerItem.token_hash.remove()])
    assert slipway.api("heartbeat", token=token, raw=raw).status == 401


def test_refusals_are_logged_and_counted_and_not_written(
    slipway: Installation, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    beat(slipway, None)
    beat(slipway, token, walletAddress="0x")
    assert slipway.audit() == []
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    counted = [(line["route"], line["status"]) for line in lines if "Requests" in line]
    assert counted == [("POST /heartbeat", "401"), ("POST /heartbeat", "400")]


# ── What is refused ─────────────────────────────────────────────────────────────────────────────


def refused_field(answer: Answer) -> str:
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), answer.body
    return str(answer.body["error"]["details"]["fields"][0]["field"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"walletAddress": None}, "walletAddress"),
        ({"walletAddress": "0x12"}, "walletAddress"),
        ({"walletAddress": 7}, "walletAddress"),
        ({"walletAddress": "$(id)"}, "walletAddress"),
        ({"timestamp": None}, "timestamp"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": "2026-11-21T04:20:00"}, "timestamp"),
        ({"timestamp": 1795235200}, "timestamp"),
        ({"timestamp": "9999-12-31T23:59:59-14:00"}, "timestamp"),
        ({"timestamp": "x" * 5000}, "timestamp"),
        ({"containers": None}, "containers"),
        ({"containers": {}}, "containers"),
        ({"containers": [{"containerName": "a", "port": ""}] * 501}, "containers"),
        ({"containers": ["web"]}, "containers.0"),
        ({"containers": [{"containerName": "web"}]}, "containers.0.port"),
        ({"containers": [*CONTAINERS, {"containerName": "n" * 256, "port": ""}]}, "containers.2.containerName"),
        ({"containers": [{"containerName": "", "port": ""}]}, "containers.0.containerName"),
        ({"containers": [{"containerName": "web", "port": 80}]}, "containers.0.port"),
        ({"containers": [{"containerName": "web", "port": "8" * 1025}]}, "containers.0.port"),
        ({"containers": [{"containerName": "web", "port": "", "image": "x"}]}, "containers.0.image"),
        ({"uptime": 100}, "uptime"),
    ],
)
def test_a_wrong_field_is_named_after_one_look_at_the_token_alone(
    slipway: Installation, token: str, changes: dict[str, Any], field: str
) -> None:
    slipway.calls.clear()
    assert refused_field(beat(slipway, token, **changes)) == field
    assert [(operation, given["IndexName"]) for _, operation, given in slipway.calls] == [("Query", "token")]


def test_a_wrong_checksum_is_a_wrong_field(slipway: Installation, token: str) -> None:
    wrong = "0x70997970c51812dc3A010C7d01b50e0d17dc79C8"
    assert refused_field(beat(slipway, token, walletAddress=wrong)) == "walletAddress"
    assert beat(slipway, new_worker_token(), walletAddress=wrong).status == 401


def test_clocks_may_be_five_minutes_ahead_and_spools_a_day_old(slipway: Installation, token: str) -> None:
    assert refused_field(beat(slipway, token, now() + 5 * MINUTE + 2000)) == "timestamp"
    assert refused_field(beat(slipway, token, now() - 24 * HOUR - 2000)) == "timestamp"
    for at in (now() - 24 * HOUR + 5000, now() + 5 * MINUTE - 2000):
        assert beat(slipway, token, at).status == 200


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "[]",
        "{",
        '{"walletAddress": "a", "walletAddress": "b"}',
        '{"timestamp": NaN}',
        "[" * 5000,
        '{"walletAddress": "\\ud800"}',
        b"\xff\xfe",
    ],
)
def test_what_is_not_json_is_refused(slipway: Installation, token: str, raw: str | bytes) -> None:
    assert slipway.api("heartbeat", token=token, raw=raw).status == 400


def test_no_more_than_256_kilobytes(slipway: Installation, token: str) -> None:
    given = json.dumps(body(WORKER, now()))
    assert slipway.api("heartbeat", token=token, raw=given + " " * (262_144 - len(given))).status == 200
    answer = slipway.api("heartbeat", token=token, raw=given + " " * (262_145 - len(given)))
    assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")
    # Judged after the token, before the shape.
    assert slipway.api("heartbeat", token=token, raw="x" * 262_145).status == 413
    assert slipway.api("heartbeat", token=None, raw="x" * 262_145).status == 401


def test_500_containers_with_the_longest_names_are_kept_as_they_are(slipway: Installation, token: str) -> None:
    containers = [{"containerName": f"{number:0255d}", "port": '"[::]:80->80/tcp"\' é🚀'} for number in range(500)]
    assert beat(slipway, token, containers=containers).status == 200
    worker = find_worker(WORKER)
    assert worker is not None
    assert worker.containers == containers


def test_a_body_in_base64_is_read(slipway: Installation, token: str) -> None:
    given = event("heartbeat")
    given["headers"]["authorization"] = f"bearer {token}"
    given |= {
        "isBase64Encoded": True,
        "body": base64.b64encode(json.dumps(body(WORKER, now())).encode()).decode(),
    }
    assert slipway.send(given).status == 200


def test_addresses_in_one_case_are_the_same_worker(slipway: Installation, token: str) -> None:
    at = now()
    beat(slipway, token, at, walletAddress=WORKER.lower())
    assert sessions(WORKER) == [(at, at)]


def test_the_answer_has_the_ids_and_headers_of_every_answer(slipway: Installation, token: str) -> None:
    given = event("heartbeat")
    assert slipway.send(given).headers["x-request-id"] == given["requestContext"]["requestId"]
    for answer in (beat(slipway, token), beat(slipway, None)):
        assert answer.body.get("request_id", answer.headers["x-request-id"]) == answer.headers["x-request-id"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "application/json"
    assert beat(slipway, None).body["request_id"]


# ── When the table refuses ──────────────────────────────────────────────────────────────────────


def _failing(code: str, times: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the next calls of UpdateItem fail so."""
    every: Any = botocore.client.BaseClient  # Its stubs do not have what every call goes through.
    make_call = every._make_api_call
    failed: list[str] = []

    def call(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        if operation == "UpdateItem" and len(failed) < times:
            failed.append(operation)
            raise botocore.exceptions.ClientError({"Error": {"Code": code, "Message": code}}, operation)
        return make_call(client, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    return failed


def test_a_write_that_meets_a_transaction_is_tried_again(
    slipway: Installation, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = _failing("TransactionConflictException", 3, monkeypatch)
    assert beat(slipway, token).status == 200
    assert len(failed) == 3


def test_tries_end(slipway: Installation, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app, clock = function_app("heartbeat"), ManualClock()
    monkeypatch.setattr(app, "take_beat", partial(app.take_beat, clock=clock))
    failed = _failing("TransactionConflictException", 10_000, monkeypatch)
    answer = beat(slipway, token)
    assert (answer.status, answer.code) == (502, "UPSTREAM_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) > 0
    assert len(failed) == len(clock.pauses) + 1 < 20


def test_a_table_that_does_not_answer(slipway: Installation, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _failing("InternalServerError", 1, monkeypatch)
    assert (beat(slipway, token).status, beat(slipway, token).status) == (502, 200)

    def unreachable(*_: Any) -> Any:
        raise botocore.exceptions.ConnectTimeoutError(endpoint_url="http://table")

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", unreachable)
    answer = beat(slipway, token)
    assert (answer.status, answer.code) == (502, "UPSTREAM_UNAVAILABLE")
    assert "http://table" not in json.dumps(answer.body)


def test_a_surprise_reveals_nothing(slipway: Installation, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprise(*_: Any) -> Any:
        raise KeyError("internal detail")

    monkeypatch.setattr(heartbeats, "extend_session", surprise)
    answer = beat(slipway, token)
    assert (answer.status, answer.code) == (500, "INTERNAL_ERROR")
    assert "internal detail" not in json.dumps(answer.body)


# ── The staleness index and its flush ───────────────────────────────────────────────────────────


def test_a_live_worker_is_not_in_the_flush_and_a_silent_one_gets_its_true_end(
    slipway: Installation, token: str
) -> None:
    at = now() - 4 * HOUR
    beat(slipway, token, at)
    beat(slipway, token, at + 5 * MINUTE)
    WorkerItem(*worker_key(WORKER)).update(actions=[WorkerItem.arrived_at.set(at + 5 * MINUTE)])
    live = enrol(wallet(2))
    slipway.api("heartbeat", token=live, body=body(wallet(2), now()))
    assert flush_all(slipway) == {"flushed": 1, "moved": 0, "left": 0}
    assert records(WORKER) == [(at, at + 5 * MINUTE)]
    worker = find_worker(WORKER)
    assert worker is not None
    assert worker.session_start is None
    assert worker.flush_shard is None
    assert worker.flush_at is None
    assert worker.last_seen == at + 5 * MINUTE
    assert flush_all(slipway) == {"flushed": 0, "moved": 0, "left": 0}
    assert records(wallet(2)) == []


def test_a_worker_that_is_alive_after_all_is_moved(slipway: Installation, token: str) -> None:
    at = now()
    beat(slipway, token, at)
    WorkerItem(*worker_key(WORKER)).update(actions=[WorkerItem.flush_at.set(OVERDUE)])
    assert flush_all(slipway) == {"flushed": 0, "moved": 1, "left": 0}
    worker = find_worker(WORKER)
    assert worker is not None
    assert worker.flush_at is not None
    assert worker.flush_at * 1000 > at + GAP - 1000
    assert records(WORKER) == []


def test_a_flush_that_comes_second_changes_nothing(slipway: Installation, token: str) -> None:
    beat(slipway, token, now() - 4 * HOUR)
    beat(slipway, token, now() - 3 * HOUR)
    flush_all(slipway)
    before = slipway.items("workers")
    assert flush._flush(WORKER) == "moved"
    assert slipway.items("workers") == before


def test_pages_go_on_where_they_ended(slipway: Installation, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_store, "_PAGE", 2)
    stale = [wallet(number) for number in range(1000, 1100) if shard_of(wallet(number)) == 3][:7]
    for number, address in enumerate(stale):
        given = enrol(address)
        slipway.api("heartbeat", token=given, body=body(address, now() - (2 + number % 2) * HOUR))
    slipway.calls.clear()
    assert flush_all(slipway) == {"flushed": 7, "moved": 0, "left": 0}
    # And one for the webhooks that want to hear of workers.
    assert operations(slipway).count("Query") == 4 + SHARDS - 1 + 1
    assert operations(slipway).count("GetItem") == operations(slipway).count("TransactWriteItems") == 7
    assert all(len(records(address)) == 1 for address in stale)


def test_a_flush_without_time_leaves_the_others_for_the_next(
    slipway: Installation, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = [wallet(number) for number in range(1000, 1100) if shard_of(wallet(number)) == 3][:3]
    for address in stale:
        slipway.api("heartbeat", token=enrol(address), body=body(address, now() - 2 * HOUR))
    clock, close = ManualClock(), close_session

    def close_slowly(*given: Any) -> bool:
        clock.sleep(1)
        return close(*given)

    monkeypatch.setattr(flush, "close_session", close_slowly)
    assert flush.flush_shard(3, clock.seconds + 2, clock) == Flushed(2, 0, 0, again=True)
    assert flush.flush_shard(3, clock.seconds + 2, clock) == Flushed(1, 0, 0, again=False)
    assert all(len(records(address)) == 1 for address in stale)


@pytest.mark.parametrize(("tries", "left_over"), [(0, {3}), (1, set(range(SHARDS)))])
def test_a_shard_that_fails_is_left_to_a_task_of_its_own_and_after_a_death_each_is(
    slipway: Installation, token: str, monkeypatch: pytest.MonkeyPatch, tries: int, left_over: set[int]
) -> None:
    beat(slipway, token, now() - 2 * HOUR)
    assert shard_of(WORKER) != 3
    due = due_workers

    def refuse(shard: int, moment: int) -> Any:
        if shard == 3:
            raise UpstreamUnavailableError("not now")
        return due(shard, moment)

    monkeypatch.setattr(flush, "due_workers", refuse)
    found = slipway.invoke("UptimeFlushTasks", {**event("uptime_flush_flush"), "tries": tries})
    assert {step["shard"] for step in found["rest"]} == left_over
    assert found["flushed"] == (tries == 0)


def test_a_worker_that_keeps_changing_does_not_stop_the_others(
    slipway: Installation, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = next(wallet(number) for number in range(1000, 1100) if shard_of(wallet(number)) == shard_of(WORKER))
    for name, given in ((WORKER, token), (address, enrol(address))):
        slipway.api("heartbeat", token=given, body=body(name, now() - 2 * HOUR))
    close = close_session
    monkeypatch.setattr(flush, "close_session", lambda name, *rest: name != WORKER and close(name, *rest))
    assert flush_all(slipway) == {"flushed": 1, "moved": 0, "left": 1}


def test_a_table_that_fails_is_reported_to_the_state_machine(
    slipway: Installation, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat(slipway, token, now() - 2 * HOUR)

    def refuse(*_: Any) -> Any:
        raise botocore.exceptions.ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "Query")

    monkeypatch.setattr(store.connection, "_make_api_call", refuse)
    with pytest.raises(UpstreamUnavailableError):
        slipway.invoke("UptimeFlushTasks", {**event("uptime_flush_flush_shard"), "shard": shard_of(WORKER)})


def test_a_live_day_is_288_writes_and_a_dozen_moves_in_the_index(slipway: Installation, token: str) -> None:
    start, given_hash, moves = now(), token_hash(token) or b"", 0
    take_beat(Beat(WORKER, start, CONTAINERS), given_hash, start)
    last = find_worker(WORKER)
    slipway.acting = "HeartbeatFunction"
    for at in range(start + 5 * MINUTE, start + 24 * HOUR, 5 * MINUTE):
        take_beat(Beat(WORKER, at, CONTAINERS), given_hash, at + 100)
        worker = slipway_quietly(slipway, WORKER)
        assert last is not None
        moves += worker.flush_at != last.flush_at
        last = worker
    slipway.acting = None
    assert operations(slipway) == ["UpdateItem"] * 287
    # A change of the key deletes one entry of the index and puts another: two units.
    assert (287 + 2 * moves) / 287 <= 1.1
    assert item_bytes(slipway.items("workers")[0]) <= 1024, "one write unit"


def slipway_quietly(slipway: Installation, address: str) -> WorkerItem:
    """Read a worker without counting."""
    acting, slipway.acting = slipway.acting, None
    worker = find_worker(address)
    slipway.acting = acting
    assert worker is not None
    return worker


def item_bytes(item: dict[str, Any]) -> int:
    """Return what DynamoDB counts: names and values; a number of this length takes 8 bytes or fewer."""
    sizes = [
        len(name) + (8 if isinstance(value, Decimal) else len(bytes(value) if not isinstance(value, str) else value))
        for name, value in item.items()
    ]
    return sum(sizes)


def test_times_are_kept_to_the_millisecond_in_any_zone(slipway: Installation, token: str) -> None:
    at = now() - 10 * MINUTE
    moment = datetime.fromtimestamp(at / 1000, UTC).astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert beat(slipway, token, timestamp=moment.isoformat()).status == 200
    assert sessions(WORKER) == [(at, at)]
    assert beat(slipway, token, timestamp=to_text(moment)).status == 200
    assert sessions(WORKER) == [(at, at)]


def test_figures_are_the_owners_to_see_and_end_with_them(slipway: Installation) -> None:
    token, figures = enrol(WORKER), {"cpu_percent": 7, "memory_percent": 100, "disk_percent": 0}
    path = {"wallet": WORKER}
    assert beat(slipway, token, figures=figures).status == 200
    shown = [
        slipway.api("api_workers_detail", token=slipway.token(who), path=path).body["figures"]
        for who in (OPERATOR, BOB)
    ]
    assert shown == [figures, None]
    assert beat(slipway, token).status == 200
    assert slipway.api("api_workers_detail", token=slipway.token(OPERATOR), path=path).body["figures"] is None
    for wrong in ({**figures, "cpu_percent": 101}, {**figures, "cpu_percent": True}, {**figures, "cpu_percent": 1.5}):
        assert refused_field(beat(slipway, token, figures=wrong)) == "figures.cpu_percent"
    assert refused_field(beat(slipway, token, figures={**figures, "more": 1})) == "figures.more"
    assert refused_field(beat(slipway, token, figures=[])) == "figures"
