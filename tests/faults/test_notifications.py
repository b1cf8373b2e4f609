"""Whoever dies between a change and its delivery, a receiver gets each message under one id, in order."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
import pytest

from tests.faults.boundaries import WHENS
from tests.faults.conftest import PATIENCE_SECONDS, FaultyStack
from tests.support.receiver import Receiver, receiving, verified

WORKFLOW = "uptime_flush"
STATUSES = ("pending", "processing", "success")
FAULTS = [
    # The change itself, the stream's reader, what takes messages from the queue.
    *(
        (part, when, "kill")
        for part in ("PATCH /deployments/{name}/status", "stream:notifications", "queue:notifications")
        for when in WHENS
    ),
    # Queued or delivered, and nobody heard of it.
    ("stream:notifications", "before", "die:SendMessage"),
    ("stream:notifications", "before", "die:GetItem"),
    ("queue:notifications", "before", "die:PutItem"),
    ("queue:notifications", "before", "die:GetSecretValue"),
    ("NotificationsFunction", "start", "kill"),
    *(("stream:notifications", "before", f"throttle:any.{what}") for what in ("SendMessage", "GetItem", "Query")),
    *(("queue:notifications", "before", f"throttle:any.{what}") for what in ("GetItem", "PutItem")),
]


@dataclass
class Hook:
    """A webhook of the user, and who is behind it."""

    stack: FaultyStack
    receiver: Receiver
    secret: str
    headers: dict[str, str]

    def send(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        """Send a request until it is answered, as a client does."""
        for _ in range(5):
            url = f"{self.stack.described['api']}{path}"
            answer = httpx.request(method, url, json=body, headers=self.headers, timeout=60)
            if answer.status_code < 500:
                return answer
        raise AssertionError(answer.text)


@pytest.fixture
def hook(stack: FaultyStack) -> Iterator[Hook]:
    described = stack.described
    sqs = boto3.client("sqs", endpoint_url=described["aws_endpoint"], region_name=described["region"])
    (queue,) = (url for url in sqs.list_queues()["QueueUrls"] if "Notifications" in url and "Undelivered" not in url)
    # What a process that died had taken comes again after this, and not after a minute.
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "4"})
    with receiving() as receiver:
        headers = {"authorization": f"Bearer {stack.session('user')}"}
        found = Hook(stack, receiver, "", headers)
        made = found.send("POST", "/api/webhooks", {"url": receiver.url, "events": ["project.*"]})
        assert made.status_code == 201, made.text
        found.secret = made.json()["secret"]
        yield found
        found.send("DELETE", f"/api/webhooks/{made.json()['id']}", {})


@pytest.mark.parametrize("fault", FAULTS, ids="-".join)
def test_each_message_comes_under_one_id_and_in_order(hook: Hook, fault: tuple[str, str, str]) -> None:
    name = f"f{uuid.uuid4().hex[:16]}"
    assert hook.send("POST", "/deployments", {"name": name, "github": "o/r"}).status_code == 201
    hook.receiver.wait_for(1, PATIENCE_SECONDS)
    # These trigger in a process that is new.
    fresh = fault[1] == "start" or "GetSecretValue" in fault[2]
    if fresh:
        hook.stack.renew("NotificationsFunction")
    injected = [hook.stack.inject(*each) for each in ([("queue:notifications", "before", "kill")] if fresh else [])]
    injected.append(hook.stack.inject(*fault))
    for status in STATUSES[1:]:
        answer = hook.send("PATCH", f"/deployments/{name}/status", {"status": status})
        assert answer.status_code == 200, answer.text
    # What was delivered twice has come before the last of them.
    seen: dict[str, str] = {}
    count = len(STATUSES)
    while set(STATUSES) - set(seen.values()):
        hook.receiver.wait_for(count, PATIENCE_SECONDS)
        for request in hook.receiver.requests:
            data = verified(hook.secret, request)["data"]
            assert data["name"] == name
            assert seen.setdefault(request[0]["webhook-id"], data["status"]) == data["status"]
        count += 1
    assert not any(path.exists() for path in injected), "the fault did not trigger"
    assert list(seen.values()) == list(STATUSES), "each once, in order"
