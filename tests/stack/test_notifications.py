"""Webhooks through the deployed template: a transition reaches a receiver that verifies, fails and comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from slipway.times import epoch_milliseconds
from tests.stack.launches import Token, bearer
from tests.support.receiver import Receiver, receiving, verified
from tests.support.workers import body, records_at


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_a_worker_that_comes_up_is_reported_to_its_owner(stack: Any, user: Token, receiver: Receiver) -> None:
    http: httpx.Client = stack.http
    receiver.manners = [500]
    made = http.post("/api/webhooks", json={"url": receiver.url, "events": ["worker.*"]}, headers=bearer(user))
    assert made.status_code == 201, made.text
    hook = made.json()
    sent = http.post(f"/api/webhooks/{hook['id']}/test", headers=bearer(user))
    assert sent.status_code == 202, sent.text
    receiver.wait_for(2)
    # The same message, signed again.
    assert [headers["webhook-id"] for headers, _ in receiver.requests] == [sent.json()["id"]] * 2
    enrolled = http.post("/workers", headers=bearer(user)).json()
    wallet = enrolled["wallet"]
    code = {"enrolment_code": enrolled["enrolment_code"]}
    token = http.post(f"/workers/{wallet}/tokens", json=code).json()["token"]
    began = time.monotonic()
    assert http.post("/heartbeat", json=body(wallet, epoch_milliseconds()), headers=bearer(token)).status_code == 200
    receiver.wait_for(3)
    print(f"reached the receiver after {time.monotonic() - began:.2f} s")
    found = verified(hook["secret"], receiver.requests[2])
    assert (found["type"], found["data"]["wallet"]) == ("worker.up", wallet)
    log = http.get(f"/api/webhooks/{hook['id']}/deliveries", headers=bearer(user)).json()["deliveries"]
    assert {entry["type"]: [attempt["response_status"] for attempt in entry["attempts"]] for entry in log} == {
        "worker.up": [204], "webhook.test": [500, 204],
    }  # fmt: skip
    assert http.delete(f"/api/webhooks/{hook['id']}", headers=bearer(user)).status_code == 204
    assert records_at(stack.client("dynamodb"), stack.outputs["WorkersTableName"], wallet) == []


def test_messages_wait_for_a_receiver_that_hangs_and_come_in_order(
    stack: Any, user: Token, owner: str, receiver: Receiver
) -> None:
    """Statuses of one project come one after another, although the first is not taken; other things pass it."""
    http: httpx.Client = stack.http
    wanted = {"url": receiver.url, "events": ["project.*", "payment.recorded"]}
    hook = http.post("/api/webhooks", json=wanted, headers=bearer(user)).json()
    name = f"n{epoch_milliseconds() % 10**12}"
    receiver.manners = [None]
    made = http.post("/deployments", json={"name": name, "github": "o/r"}, headers=bearer(user))
    assert made.status_code == 201, made.text
    receiver.wait_for(1)
    for status in ("processing", "success"):
        moved = http.patch(f"/deployments/{name}/status", json={"status": status}, headers=bearer(user))
        assert moved.status_code == 200, moved.text
    paid = http.post("/payments", json={"name": "March", "amount": "5"}, headers=bearer(user)).json()
    receiver.wait_for(5)
    found = [verified(hook["secret"], request) for request in receiver.requests]
    # It overtakes the message that is tried again. The engine delivers one message of a queue at a time, AWS one of
    # each thing, so there it would not even wait for the receiver that hangs.
    assert found[1]["data"]["id"] == paid["id"]
    of_project = [entry["data"]["status"] for entry in (found[0], *found[2:])]
    assert of_project == ["pending", "pending", "processing", "success"]
    ids = [headers["webhook-id"] for headers, _ in receiver.requests]
    assert len(set(ids)) == 4
    assert ids[0] == ids[2]
    log = http.get(f"/api/webhooks/{hook['id']}/deliveries", headers=bearer(user)).json()["deliveries"]
    (pending,) = (entry for entry in log if entry["id"] == ids[0])
    first, second = pending["attempts"]
    assert (first["response_status"], second["response_status"]) == (None, 204)
    assert 4500 < first["duration_ms"] < 6500
    assert http.delete(f"/api/webhooks/{hook['id']}", headers=bearer(user)).status_code == 204
