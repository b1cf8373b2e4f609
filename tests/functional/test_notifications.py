"""Webhooks: made, tested, rotated and deleted; events that become messages; and their delivery to a real receiver."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import os
import re
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.ses.models import ses_backends
from pynamodb.expressions.update import Action

from slipway.builds.states import Progress, Status, Step
from slipway.builds.store import change_build, find_build, running
from slipway.errors import UpstreamUnavailableError
from slipway.jobs.deployments import deployment_key
from slipway.jobs.store import job_event
from slipway.network import is_public
from slipway.notifications import delivery
from slipway.notifications.store import Webhook
from slipway.notifications.watch import watch_shard, watched_shards
from slipway.settings import notification_queue
from slipway.times import epoch_milliseconds, epoch_seconds, of_milliseconds, to_text
from slipway.workers.rules import GAP, MINUTE, OVERDUE, Session, shard_of
from slipway.workers.session_store import close_session, due_workers
from slipway.workers.store import WorkerItem, find_worker, worker_key
from tests.functional.test_node_rpc import answering
from tests.support.clock import patient_seconds
from tests.support.functions import event
from tests.support.installation import Answer, Installation
from tests.support.lost_answers import lose_an_answer
from tests.support.receiver import verified
from tests.support.wallets import ALICE, BOB, OPERATOR, sign_in_message, sign_text
from tests.support.workers import body as beat_body
from tests.support.workers import enrol, wallet
from tests.support.workloads import put_workload


@dataclass
class Receiver:
    """A server that takes webhooks, and answers what it is told."""

    url: str = ""
    status: int = 200
    answer: bytes = b"thank you"
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = self.rfile.read(int(self.headers["content-length"]))
            found.requests.append(({name.lower(): value for name, value in self.headers.items()}, given))
            self.send_response(found.status)
            self.send_header("location", found.url)
            self.send_header("content-length", str(len(found.answer)))
            self.end_headers()
            self.wfile.write(found.answer)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}/hook?key=1"
    yield found
    server.shutdown()


def send(slipway: Installation, name: str, account: Any = ALICE, webhook: str = "", **parts: Any) -> Answer:
    path = {"id": webhook} if webhook else None
    return slipway.api(f"api_webhooks_{name}", token=slipway.token(account), path=path, **parts)


def make(slipway: Installation, url: str, account: Any = ALICE, **more: Any) -> dict[str, Any]:
    answer = send(slipway, "make", account, body={"url": url, "events": ["worker.*"], **more})
    assert answer.status == 201, answer.body
    return dict(answer.body)


def published(slipway: Installation) -> None:
    """Let the stream report every event that is in the table."""
    records = [
        {"dynamodb": {"Keys": {"pk": {"S": item["pk"]}, "sk": {"S": item["sk"]}}}}
        for item in slipway.items("jobs")
        if item["sk"].startswith(("EVENT#", "UPDATE#"))
    ]
    if records:
        slipway.invoke("NotificationsFunction", {"Records": sorted(records, key=str)})


def delivered(slipway: Installation, tries: int = 1) -> list[dict[str, Any]]:
    """Deliver what is on the queue; returns what is to come again."""
    queue = boto3.client("sqs")
    found = queue.receive_message(QueueUrl=notification_queue(), MaxNumberOfMessages=10).get("Messages", [])
    again = []
    for message in found:
        record = {
            "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"],
            "attributes": {"ApproximateReceiveCount": str(tries)},
        }  # fmt: skip
        answer = slipway.invoke("NotificationsFunction", {"Records": [record]})
        if answer["batchItemFailures"]:
            again.append(record)
        else:
            queue.delete_message(QueueUrl=notification_queue(), ReceiptHandle=message["ReceiptHandle"])
    return again


def watch_workers() -> int:
    """Look at every shard; returns how many workers were noticed."""
    return sum(watch_shard(shard, math.inf).moved for shard in watched_shards())


def beat(slipway: Installation, token: str, at: int | None = None) -> None:
    given = beat_body(ALICE.address, epoch_milliseconds() if at is None else at)
    assert slipway.api("heartbeat", token=token, body=given).status == 200


def test_a_row_that_is_no_update_holds_nothing_up(slipway: Installation) -> None:
    """Somebody wrote it past the functions; what comes behind it in the stream is published."""
    key = {"pk": {"S": f"BUILD#{uuid.uuid4()}"}, "sk": {"S": "UPDATE#00000001"}}
    boto3.client("dynamodb").put_item(TableName="jobs", Item=key)
    slipway.invoke("NotificationsFunction", {"Records": [{"dynamodb": {"Keys": key}}]})


def test_the_life_of_a_worker_is_reported_once_and_signed(slipway: Installation, receiver: Receiver) -> None:
    hook = make(slipway, receiver.url)
    token = enrol(ALICE.address)
    beat(slipway, token)
    beat(slipway, token)
    with slipway.acting_as("UptimeFlushTasks"):
        assert watch_workers() == 0
    for minutes, count in ((11, 1), (12, 0), (31, 1), (32, 0)):
        silent = epoch_milliseconds() - minutes * MINUTE
        changes: list[Action] = [
            WorkerItem.arrived_at.set(silent),
            WorkerItem.enrolled_at.set("2026-01-01T00:00:00.000Z"),
        ]
        WorkerItem(*worker_key(ALICE.address)).update(actions=changes)
        with slipway.acting_as("UptimeFlushTasks"):
            assert watch_workers() == count, minutes
    beat(slipway, token)
    # The stream may report a batch more than once.
    published(slipway)
    published(slipway)
    found = []
    for _ in range(6):
        assert delivered(slipway) == []
    found = [verified(hook["secret"], request) for request in receiver.requests]
    assert [(entry["type"], entry["data"]["previous_status"]) for entry in found] == [
        ("worker.up", "new"), ("worker.late", "healthy"), ("worker.down", "late"), ("worker.up", "down"),
    ]  # fmt: skip
    assert {entry["data"]["wallet"] for entry in found} == {ALICE.address}
    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 4
    log = send(slipway, "deliveries", webhook=hook["id"]).body["deliveries"]
    assert [entry["type"] for entry in log] == ["worker.up", "worker.down", "worker.late", "worker.up"]
    assert [(attempt["response_status"], attempt["response"]) for attempt in log[0]["attempts"]] == [(200, "thank you")]


def test_a_session_that_the_flush_ends_is_down_and_that_of_a_retired_worker_is_not(slipway: Installation) -> None:
    token = enrol(ALICE.address)
    beat(slipway, token)
    slipway.api("api_workers_retire", token=slipway.token(ALICE), path={"wallet": ALICE.address})
    old = epoch_milliseconds() - 2 * GAP
    changes: list[Action] = [
        WorkerItem.last_seen.set(old),
        WorkerItem.session_start.set(old),
        WorkerItem.flush_at.set(0),
    ]
    WorkerItem(*worker_key(ALICE.address)).update(actions=changes)
    slipway.invoke("UptimeFlushTasks", event("uptime_flush_flush"))
    worker = find_worker(ALICE.address)
    assert worker is not None
    assert worker.session_start is None
    assert [item["event"] for item in slipway.items("jobs") if item["sk"].startswith("EVENT#")] == ["up"]


def test_a_worker_that_sends_its_spool_is_not_down(slipway: Installation) -> None:
    """Beats of hours ago arrive now: their session is over and flushed, and the worker is alive."""
    token, now = enrol(ALICE.address), epoch_milliseconds()
    beat(slipway, token, now - 5 * 60 * MINUTE)
    for minutes in (180, 175, 170):
        beat(slipway, token, now - minutes * MINUTE)
        slipway.invoke("UptimeFlushTasks", event("uptime_flush_flush"))
    worker = find_worker(ALICE.address)
    assert worker is not None
    assert worker.session_start is None
    assert worker.noticed is None
    assert _events(slipway) == ["up"]


@pytest.mark.parametrize("watched", [True, False])
def test_a_worker_that_falls_silent_within_its_spool_is_down(
    slipway: Installation, receiver: Receiver, *, watched: bool
) -> None:
    """Its session is over already when it falls silent; beats that fill gaps do not hide it either."""
    token, now = enrol(ALICE.address), epoch_milliseconds()
    if watched:
        make(slipway, receiver.url, OPERATOR, all=True, events=["worker.down"])
    for minutes in (180, 300):
        beat(slipway, token, now - minutes * MINUTE)
        slipway.invoke("UptimeFlushTasks", event("uptime_flush_flush"))
    assert _events(slipway) == ["up"]
    silent = now - 31 * MINUTE
    enrolled = to_text(of_milliseconds(silent - MINUTE))
    actions: list[Action] = [WorkerItem.arrived_at.set(silent), WorkerItem.enrolled_at.set(enrolled)]
    # As it is two hours later.
    due: list[Action] = [] if watched else [WorkerItem.flush_at.set(OVERDUE)]
    WorkerItem(*worker_key(ALICE.address)).update(actions=actions + due)
    for _ in range(2):
        slipway.invoke("UptimeFlushTasks", event("uptime_flush_flush"))
    assert _events(slipway) == ["up", "down"]
    assert not list(due_workers(shard_of(ALICE.address), epoch_seconds()))


def test_a_watch_between_a_flushs_read_and_its_write_makes_one_message(
    slipway: Installation, receiver: Receiver
) -> None:
    beat(slipway, enrol(ALICE.address))
    make(slipway, receiver.url, OPERATOR, all=True, events=["worker.down"])
    silent, now = epoch_milliseconds() - 31 * MINUTE, epoch_milliseconds()
    enrolled = WorkerItem.enrolled_at.set(to_text(of_milliseconds(silent - MINUTE)))
    times: list[Action] = [
        WorkerItem.arrived_at.set(silent),
        WorkerItem.last_seen.set(silent),
        WorkerItem.session_start.set(silent),
    ]
    WorkerItem(*worker_key(ALICE.address)).update(actions=[*times, enrolled])
    read = find_worker(ALICE.address)
    assert read is not None
    assert watch_workers() == 1
    assert not close_session(ALICE.address, read, Session(silent, silent), now)
    assert _events(slipway) == ["up", "down"]


def _events(slipway: Installation) -> list[str]:
    return [item["event"] for item in slipway.items("jobs") if item["sk"].startswith("EVENT#")]


# SLIPWAY_SILENT_WORKERS=1000 is what docs/results.md tells of; moto takes minutes for it.
SILENT = int(os.environ.get("SLIPWAY_SILENT_WORKERS", "150"))


def test_workers_that_fall_silent_at_once_are_a_message_each(slipway: Installation, receiver: Receiver) -> None:
    hook = make(slipway, receiver.url, OPERATOR, all=True, events=["worker.down"])
    silent, table = epoch_milliseconds() - 31 * MINUTE, boto3.resource("dynamodb").Table(WorkerItem.Meta.table_name)
    wallets = [wallet(number) for number in range(1, SILENT + 1)]
    with table.batch_writer() as batch:
        for address in wallets:
            pk, sk = worker_key(address)
            batch.put_item(
                {
                    "pk": pk, "sk": sk, "enrolled_at": "2026-01-01T00:00:00.000Z", "fleet": "FLEET",
                    "arrived_at": silent, "last_seen": silent, "session_start": silent - GAP,
                    "observed_start": silent - GAP, "observed_until": silent,
                    "flush_shard": f"STALE#{shard_of(address)}", "flush_at": silent // 1000 + 3600,
                }
            )  # fmt: skip
    # The flush has its own work to do, and two runs overlap.
    for _ in range(2):
        done = slipway.invoke("UptimeFlushTasks", event("uptime_flush_flush"))
        assert done["left"] == 0
        for step in done["rest"]:
            # What one call had no time for, the state machine does shard by shard.
            assert step["state"] == "WatchShard"
            assert not slipway.invoke("UptimeFlushTasks", step)["again"]
    published(slipway)
    published(slipway)
    while len(receiver.requests) < SILENT:
        assert delivered(slipway) == []
    assert delivered(slipway) == []
    found = [verified(hook["secret"], request) for request in receiver.requests]
    assert len(found) == len({headers["webhook-id"] for headers, _ in receiver.requests}) == SILENT
    assert {entry["data"]["wallet"] for entry in found} == set(wallets)
    assert {entry["type"] for entry in found} == {"worker.down"}


def test_what_fails_comes_again_and_three_days_of_it_switch_the_webhook_off(
    slipway: Installation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = make(slipway, receiver.url)
    receiver.status, receiver.answer = 500, b"x" * 100_000
    assert send(slipway, "test", webhook=hook["id"]).status == 202
    slipway.calls.clear()
    (message,) = delivered(slipway)
    ((_, _, given),) = [call for call in slipway.calls if call[1] == "ChangeMessageVisibility"]
    assert given["VisibilityTimeout"] == 4
    receiver.status = 302
    assert slipway.invoke("NotificationsFunction", {"Records": [message]})["batchItemFailures"]
    assert len(receiver.requests) == 2, "a redirect is a failure and is not followed"
    (entry,) = send(slipway, "deliveries", webhook=hook["id"]).body["deliveries"]
    assert [attempt["response_status"] for attempt in entry["attempts"]] == [500, 302]
    assert entry["attempts"][0]["response"] == "x" * 500
    item = Webhook(f"WEBHOOKS#{ALICE.address}", hook["id"])
    item.update(actions=[Webhook.failing_since.set(int(time.time()) - 3 * 86_400)])
    assert slipway.invoke("NotificationsFunction", {"Records": [message]})["batchItemFailures"]
    (shown,) = send(slipway, "list").body["webhooks"]
    assert shown["disabled_at"]
    assert "three days" in shown["disabled_reason"]
    assert slipway.invoke("NotificationsFunction", {"Records": [message]}) == {"batchItemFailures": []}
    assert len(receiver.requests) == 3, "nothing is sent to a webhook that is off"
    receiver.status = 200
    send(slipway, "test", webhook=hook["id"])
    assert send(slipway, "list").body["webhooks"][0]["disabled_at"] is None


def test_a_rotation_whose_answer_the_table_lost_is_one(
    slipway: Installation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = make(slipway, receiver.url)
    calls = lose_an_answer(monkeypatch, "UpdateItem")
    rotated = send(slipway, "secret", webhook=hook["id"])
    assert (rotated.status, len(calls)) == (200, 2)
    send(slipway, "test", webhook=hook["id"])
    assert delivered(slipway) == []
    for secret in (rotated.body["secret"], hook["secret"]):
        assert verified(secret, receiver.requests[0])["type"] == "webhook.test"


def test_both_secrets_sign_after_a_rotation(slipway: Installation, receiver: Receiver) -> None:
    hook = make(slipway, receiver.url)
    rotated = send(slipway, "secret", webhook=hook["id"]).body["secret"]
    assert rotated != hook["secret"]
    send(slipway, "test", webhook=hook["id"])
    assert delivered(slipway) == []
    for secret in (rotated, hook["secret"]):
        assert verified(secret, receiver.requests[0])["type"] == "webhook.test"
    Webhook(f"WEBHOOKS#{ALICE.address}", hook["id"]).update(actions=[Webhook.old_until.set(1)])
    send(slipway, "test", webhook=hook["id"])
    delivered(slipway)
    assert len(receiver.requests[-1][0]["webhook-signature"].split(" ")) == 1


@pytest.mark.parametrize(
    ("style", "name", "more"),
    [("slack", "text", {}), ("discord", "content", {"allowed_mentions": {"parse": []}, "flags": 4})],
)
def test_slack_and_discord_get_what_they_take(
    slipway: Installation, receiver: Receiver, style: str, name: str, more: dict[str, Any]
) -> None:
    make(slipway, receiver.url, format=style)
    beat(slipway, enrol(ALICE.address))
    published(slipway)
    assert delivered(slipway) == []
    assert json.loads(receiver.requests[0][1]) == {name: f"worker.up: {ALICE.address}", **more}


def test_operators_may_have_everybodys_events_and_others_only_their_own(
    slipway: Installation, receiver: Receiver
) -> None:
    refused = send(slipway, "make", body={"url": receiver.url, "events": ["worker.*"], "all": True})
    assert (refused.status, refused.code) == (403, "FORBIDDEN")
    make(slipway, receiver.url, BOB)
    everybodys = make(slipway, receiver.url, OPERATOR, all=True)
    beat(slipway, enrol(ALICE.address))
    published(slipway)
    assert delivered(slipway) == []
    assert len(receiver.requests) == 1
    verified(everybodys["secret"], receiver.requests[0])
    assert [entry["all"] for entry in send(slipway, "list", OPERATOR).body["webhooks"]] == [True]
    for name in ("delete", "secret", "test", "deliveries"):
        assert send(slipway, name, BOB, everybodys["id"]).code == "NOT_FOUND", name
    assert send(slipway, "delete", OPERATOR, everybodys["id"]).status == 204
    assert send(slipway, "list", OPERATOR).body["webhooks"] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://user:pass@93.184.216.34/", "https://93.184.216.34/#part", "https://127.0.0.1/",
        "https://10.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://[64:ff9b::a00:1]/",
        "https://[fec0::1]/", "https://169.254.169.254/latest", "ftp://93.184.216.34/", "https:///x", "hook",
        "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://0/",
        "https://localhost./", "https://[::ffff:127.0.0.1]/", "https://[::127.0.0.1]/", "https://[::ffff:0:7f00:1]/",
        "https://[64:ff9b:1::1]/", "https://[fe80::1%25lo]/", "https://[fe80::1%lo]/", "https://[ff02::1]/",
        "https://user@127.0.0.1/", "https://93.184.216.34\\@127.0.0.1/", "https://127.0.0.1\\.example.com/",
        "https://93.184.216.34:99999/", "https://b\u00fccher.example/", "https://\uff11\uff12\uff17.0.0.1/",
        "https://93.184.216.34/\r\nhost: x", "HTTPS://127.0.0.1/", "https://[2002:7f00:1::]/", "https://[2001::1]/",
    ],
)  # fmt: skip
def test_an_address_that_may_not_be_called_is_refused(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("WEBHOOK_PRIVATE_NETWORK", "false")
    answer = send(slipway, "make", body={"url": url, "events": ["worker.down"]})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), answer.body
    assert answer.body["error"]["details"]["fields"][0]["field"] == "url"


def test_an_address_that_leads_inside_by_then_is_not_called(
    slipway: Installation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = make(slipway, receiver.url)
    Webhook(f"WEBHOOKS#{ALICE.address}", hook["id"]).update(actions=[Webhook.url.set("https://moved.test/")])
    monkeypatch.setenv("WEBHOOK_PRIVATE_NETWORK", "false")
    monkeypatch.setattr(delivery, "resolved", lambda host, port: ["10.0.0.1"])
    send(slipway, "test", webhook=hook["id"])
    assert len(delivered(slipway)) == 1
    (entry,) = send(slipway, "deliveries", webhook=hook["id"]).body["deliveries"]
    assert entry["attempts"][0]["response"] == "The address is not a public one"


def test_a_name_is_resolved_once_a_try(
    slipway: Installation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public when it is judged, and leads inside when it is connected to, is no way in."""
    make(slipway, receiver.url.replace("127.0.0.1", "rebinding.test"))
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    monkeypatch.setattr(delivery, "resolved", resolve)
    beat(slipway, enrol(ALICE.address))
    published(slipway)
    assert delivered(slipway) == []
    assert asked == ["rebinding.test"]
    ((headers, _),) = receiver.requests
    assert headers["host"].startswith("rebinding.test:")


def test_the_next_address_is_tried_when_one_refuses(
    slipway: Installation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(slipway, receiver.url)
    monkeypatch.setattr(delivery, "resolved", lambda host, port: ["127.0.0.2", "127.0.0.1"])
    beat(slipway, enrol(ALICE.address))
    published(slipway)
    assert delivered(slipway) == []


def _forever(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def _drip(connection: socket.socket) -> None:
    for byte in itertools.chain(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", itertools.repeat(120)):
        connection.sendall(bytes([byte]))
        time.sleep(0.2)  # noqa: TID251 (the drip itself)


def _packed(connection: socket.socket) -> None:
    body = gzip.compress(bytes(10_000_000))
    head = f"HTTP/1.1 500 No\r\ncontent-encoding: gzip\r\ncontent-length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)


def _nothing(connection: socket.socket) -> None:
    """Say nothing until the client leaves."""
    while connection.recv(1024):
        pass


@pytest.mark.parametrize(
    ("manner", "status", "reason"),
    [(_forever, None, "The answer is longer than 64 KB"), (_drip, None, "ReadTimeout"), (_packed, 500, None),
     (_nothing, None, "ReadTimeout")],
)  # fmt: skip
def test_hostile_answers_are_cut_off_and_count_as_failures(
    slipway: Installation, manner: Callable[[socket.socket], None], status: int | None, reason: str | None
) -> None:
    with answering(manner) as port:
        hook = make(slipway, f"http://127.0.0.1:{port}/")
        send(slipway, "test", webhook=hook["id"])
        began = patient_seconds()
        assert len(delivered(slipway)) == 1
        assert patient_seconds() - began < 7
    (entry,) = send(slipway, "deliveries", webhook=hook["id"]).body["deliveries"]
    (attempt,) = entry["attempts"]
    assert attempt["response_status"] == status
    assert len(attempt["response"]) <= 500
    assert reason is None or attempt["response"] == reason


@pytest.mark.parametrize("events", [[], ["worker"], ["everything.*"], ["webhook.test"], ["worker.DOWN"]])
def test_events_that_are_none_are_refused(slipway: Installation, events: list[str]) -> None:
    assert send(slipway, "make", body={"url": "https://example.com", "events": events}).status == 400


def test_a_wallet_has_twenty_webhooks(slipway: Installation, receiver: Receiver) -> None:
    for _ in range(20):
        make(slipway, receiver.url)
    body = {"url": receiver.url, "events": ["stack.*"]}
    assert send(slipway, "make", body=body).code == "CONFLICT"
    assert send(slipway, "delete", webhook=send(slipway, "list").body["webhooks"][0]["id"]).status == 204
    assert [send(slipway, "make", body=body).status for _ in range(2)] == [201, 409]


def test_a_wallet_sends_so_many_tests_an_hour(slipway: Installation, receiver: Receiver) -> None:
    hook = make(slipway, receiver.url)["id"]
    assert [send(slipway, "test", webhook=hook).status for _ in range(61)] == [*[202] * 60, 429]


@pytest.mark.parametrize(
    ("address", "public"),
    [("93.184.216.34", True), ("::ffff:127.0.0.1", False), ("64:ff9b::7f00:1", False), ("fec0::1", False),
     ("2002:0a00:0001::1", False), ("fe80::1%eth0", False), ("2606:4700::1111", True)],
)  # fmt: skip
def test_addresses_in_other_spellings(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_a_deployments_statuses_are_reported_with_the_one_before(slipway: Installation, receiver: Receiver) -> None:
    hook = make(slipway, receiver.url, events=["deployment.failed"])
    slipway.model()
    launched = slipway.launch().body["deployment_id"]
    for name in ("deploying", "signed", "failed"):
        job_event(deployment_key(launched)[0], name, name).save()
    published(slipway)
    assert delivered(slipway) == []
    (request,) = receiver.requests
    found = verified(hook["secret"], request)
    assert found["type"] == "deployment.failed"
    assert (found["data"]["deployment_id"], found["data"]["previous_status"]) == (launched, "deploying")


def test_a_workloads_money_is_reported_beside_its_status(slipway: Installation, receiver: Receiver) -> None:
    hook = make(slipway, receiver.url, events=["payment.*"])
    workload = str(uuid.uuid4())
    put_workload(workload, ALICE.address)
    pk = deployment_key(workload)[0]
    for name, more in (("pending", None), ("payment_low", {"runway_seconds": 7000}), ("payment_exhausted", None)):
        job_event(pk, name, name, more).save()
    low, exhausted = sorted(whole(slipway, receiver, hook), key=lambda entry: str(entry["type"]), reverse=True)
    assert (low["type"], exhausted["type"]) == ("payment.low", "payment.exhausted")
    assert (low["data"]["deployment_id"], low["data"]["status"], low["data"]["runway_seconds"]) == (
        workload, "pending", 7000,
    )  # fmt: skip


def whole(slipway: Installation, receiver: Receiver, hook: dict[str, Any]) -> list[dict[str, Any]]:
    """Publish all events, deliver all messages, and give their bodies as a receiver has them."""
    receiver.requests.clear()
    published(slipway)
    for _ in range(8):
        assert delivered(slipway) == []
    return [verified(hook["secret"], request) for request in receiver.requests]


def shown(slipway: Installation, name: str, **parts: Any) -> dict[str, Any]:
    """Return what GET answers."""
    answer = slipway.api(name, token=slipway.token(ALICE), **parts)
    assert answer.status == 200, answer.body
    return dict(answer.body)


def test_a_message_holds_what_get_of_the_thing_answers(slipway: Installation, receiver: Receiver) -> None:
    hook = make(slipway, receiver.url, events=["deployment.*", "worker.up", "project.*", "payment.recorded"])
    slipway.model()
    launched = slipway.launch().body["deployment_id"]
    beat(slipway, enrol(ALICE.address))
    project = slipway.api("api_projects_create", token=slipway.token(ALICE), body={"name": "shop", "github": "o/r"})
    assert project.status == 201, project.body
    paid = slipway.api("api_payments_create", token=slipway.token(ALICE), body={"name": "March", "amount": "5"}).body
    found = {entry["type"]: entry["data"] for entry in whole(slipway, receiver, hook)}
    assert set(found) == {"deployment.pending", "worker.up", "project.pending", "payment.recorded"}
    assert {data.pop("previous_status") for data in found.values()} == {None, "new"}
    assert found["deployment.pending"] == shown(slipway, "api_deployments_detail", path={"id": launched})
    assert found["worker.up"] == shown(slipway, "api_workers_detail", path={"wallet": ALICE.address})
    assert found["project.pending"] == shown(slipway, "api_projects_detail", path={"name": "shop"})
    assert found["payment.recorded"] == shown(slipway, "api_payments_detail", path={"id": paid["id"]})
    slipway.api("api_projects_status", token=slipway.token(ALICE), path={"name": "shop"}, body={"status": "processing"})
    (moved,) = (entry for entry in whole(slipway, receiver, hook) if entry["type"] == "project.processing")
    assert (moved["data"]["status"], moved["data"]["previous_status"]) == ("processing", "pending")


def test_secrets_are_stored_encrypted_and_keys_can_be_rotated(slipway: Installation, receiver: Receiver) -> None:
    hook = make(slipway, receiver.url)
    (stored,) = (item for item in slipway.items("control") if item["pk"].startswith("WEBHOOKS#"))
    assert hook["secret"] not in json.dumps(stored, default=str)
    secrets = boto3.client("secretsmanager")
    arn = os.environ["WEBHOOK_KEY_SECRET_ARN"]
    secrets.put_secret_value(SecretId=arn, SecretString="new" * 20 + "\n" + "k" * 64)
    slipway.forget()
    send(slipway, "test", webhook=hook["id"])
    assert delivered(slipway) == []
    assert verified(hook["secret"], receiver.requests[0])["type"] == "webhook.test"
    # Without its key a secret is not readable; nothing is sent, and the receiver is not blamed.
    secrets.put_secret_value(SecretId=arn, SecretString="other" * 10)
    slipway.forget()
    send(slipway, "test", webhook=hook["id"])
    with pytest.raises(UpstreamUnavailableError):
        delivered(slipway)
    (item,) = Webhook.query(f"WEBHOOKS#{ALICE.address}")
    assert item.failing_since is None


def test_what_is_too_large_for_a_message_is_left_out(slipway: Installation, receiver: Receiver) -> None:
    hook = make(slipway, receiver.url)
    token = enrol(ALICE.address)
    given = beat_body(ALICE.address, epoch_milliseconds())
    given["containers"] = [{"containerName": f"c{number}" + "x" * 200, "port": "p" * 1000} for number in range(200)]
    assert slipway.api("heartbeat", token=token, body=given).status == 200
    (found,) = whole(slipway, receiver, hook)
    assert found["data"]["containers"] is None
    assert found["data"]["status"] == "healthy"


def test_each_status_of_a_build_is_reported_once_with_the_one_before(slipway: Installation, receiver: Receiver) -> None:
    hook = make(slipway, receiver.url, events=["build.*"])
    answer = slipway.api(
        "api_builds_create", token=slipway.token(ALICE), body={"prompt": "Create an ERC-20 token", "chains": [31337]}
    )
    build = find_build(answer.body["build_id"])
    assert build
    steps = (
        (Status.GENERATING, Step.CODE_GENERATION), (Status.GENERATING, Step.CODE_GENERATION),
        (Status.FAILED, Step.ERROR),
    )  # fmt: skip
    for status, step in steps:
        assert change_build(build, [], running(build.job_id), update=Progress(status, 10, step, "on its way"))
    found = whole(slipway, receiver, hook)
    assert [(entry["type"], entry["data"].pop("previous_status")) for entry in found] == [
        ("build.pending", None), ("build.generating", "pending"), ("build.failed", "generating"),
    ]  # fmt: skip
    assert found[-1]["data"] == shown(slipway, "api_builds_detail", path={"build_id": build.build_id})


def test_keys_and_sign_ins_are_reported_without_their_secrets(slipway: Installation, receiver: Receiver) -> None:
    hook = make(slipway, receiver.url, events=["key.*", "session.*"])
    nonce = slipway.api("api_identity_nonce").body["nonce"]
    message = sign_in_message(nonce=nonce)
    signed = slipway.api("api_identity_verify", body={"message": message, "signature": sign_text(message)}).body
    made = slipway.api(
        "api_identity_make_key", token=slipway.token(ALICE), body={"name": "ci", "scopes": ["builds:read"]}
    ).body
    (listed,) = shown(slipway, "api_identity_keys")["keys"]
    slipway.api("api_identity_delete_key", token=slipway.token(ALICE), path={"key_id": made["id"]})
    used = signed["refresh_token"]
    for status in (200, 401, 401):
        assert slipway.api("api_identity_refresh", body={"refresh_token": used}).status == status
    messages = whole(slipway, receiver, hook)
    found = {entry["type"]: entry["data"] for entry in messages}
    assert sorted(entry["type"] for entry in messages) == [
        "key.created", "key.deleted", "session.reused", "session.started",
    ]  # fmt: skip
    assert {name: found["key.created"][name] for name in listed} == listed
    assert (found["session.started"]["wallet"], found["session.started"]["domain"]) == (ALICE.address, "slipway.test")
    assert found["session.started"]["source_ip"]
    everything = b"".join(body for _, body in receiver.requests).decode()
    for secret in (made["key"], signed["refresh_token"], signed["access_token"]):
        assert secret not in everything


def mails() -> list[Any]:
    return list(ses_backends[ACCOUNT_ID]["us-east-1"].sent_messages)


def test_a_mail_address_gets_nothing_until_its_reader_confirms_it(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    body: dict[str, Any] = {"url": "mailto:alice@example.com", "events": ["worker.*"]}
    refused = send(slipway, "make", body=body)
    assert (refused.status, refused.code) == (400, "VALIDATION_ERROR"), "no sender, no mail"
    monkeypatch.setenv("NOTIFICATION_SENDER", "slipway@example.org")
    # SES does not know the sender: nothing is left behind.
    assert send(slipway, "make", body=body).status == 502
    assert send(slipway, "list").body["webhooks"] == []
    boto3.client("sesv2").create_email_identity(EmailIdentity="slipway@example.org")
    boto3.client("ses").verify_email_identity(EmailAddress="slipway@example.org")
    hook = make(slipway, body["url"])
    assert (hook["confirmed"], hook["secret"], hook["format"]) == (False, None, "email")
    (mail,) = mails()
    code = re.search(r'"code": "([^"]+)"', mail.body)
    assert code
    assert code[1] not in json.dumps(slipway.items("control"), default=str)
    beat(slipway, enrol(ALICE.address))
    published(slipway)
    assert delivered(slipway) == []
    assert len(mails()) == 1, "nothing before it is confirmed"
    assert send(slipway, "test", webhook=hook["id"]).status == 409
    assert send(slipway, "confirm", BOB, hook["id"], body={"code": code[1]}).status == 404
    assert send(slipway, "confirm", webhook=hook["id"], body={"code": "wrong"}).status == 400
    assert send(slipway, "confirm", webhook=hook["id"], body={"code": code[1]}).body["confirmed"] is True
    assert send(slipway, "confirm", webhook=hook["id"], body={"code": "again"}).status == 200
    assert send(slipway, "secret", webhook=hook["id"]).status == 409
    send(slipway, "test", webhook=hook["id"])
    assert delivered(slipway) == []
    assert mails()[1].destinations["ToAddresses"] == ["alice@example.com"]
    assert mails()[1].subject.startswith("Slipway: webhook.test")
    (entry,) = send(slipway, "deliveries", webhook=hook["id"]).body["deliveries"]
    assert entry["attempts"][0]["response_status"] == 200
    # Nobody's mailbox is filled with codes.
    assert [send(slipway, "make", account, body=body).status for account in (ALICE, ALICE, BOB, BOB)] == [
        201, 201, 201, 429,
    ]  # fmt: skip


def test_a_code_that_is_too_old_confirms_nothing(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFICATION_SENDER", "slipway@example.org")
    boto3.client("ses").verify_email_identity(EmailAddress="slipway@example.org")
    hook = make(slipway, "mailto:alice@example.com")
    code = re.search(r'"code": "([^"]+)"', mails()[0].body)
    assert code
    Webhook(f"WEBHOOKS#{ALICE.address}", hook["id"]).update(actions=[Webhook.code_until.set(int(time.time()) - 1)])
    assert send(slipway, "confirm", webhook=hook["id"], body={"code": code[1]}).status == 400


@pytest.mark.parametrize(
    "url",
    [
        "mailto:", "mailto:alice", "mailto:a@b", "mailto:a@example.com,b@example.com",
        "mailto:a@example.com?cc=b@x.org", "mailto:a@example.com%0ABcc:b@x.org",
        "mailto:a@example.com\nBcc: b@x.org", "mailto:<a@example.com>", "mailto://a@b.org", "MAILTO:a@example.com",
    ],
)  # fmt: skip
def test_what_is_no_mail_address_is_refused(slipway: Installation, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("NOTIFICATION_SENDER", "slipway@example.org")
    assert send(slipway, "make", body={"url": url, "events": ["worker.*"]}).status == 400
    assert mails() == []
