"""The queue of messages on their way: SQS, first in first out for one webhook and one thing."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from slipway.errors import UpstreamUnavailableError
from slipway.notifications.rules import message_id, pause_after
from slipway.notifications.store import Webhook
from slipway.settings import notification_queue
from slipway.store import aws_client


def enqueue(webhook: Webhook, kind: str, pk: str, sk: str, moment: str, data: dict[str, Any]) -> str:
    """Put a message about an event on the queue, once within five minutes; returns its id.

    Args:
        webhook: Who gets it.
        kind: The event's type.
        pk: The thing's key; messages about it keep their order.
        sk: The event's key.
        moment: When it happened.
        data: What the thing looked like then.

    Raises:
        UpstreamUnavailableError: The queue did not take it.
    """
    found = message_id(webhook.sk, pk, sk)
    body = {"id": found, "webhook": [webhook.pk, webhook.sk], "type": kind, "timestamp": moment, "data": data}
    try:
        aws_client("sqs", 3.0).send_message(
            QueueUrl=notification_queue(),
            MessageBody=json.dumps(body),
            MessageGroupId=hashlib.sha256(f"{webhook.sk} {pk}".encode()).hexdigest(),
            MessageDeduplicationId=found,
        )
    except (BotoCoreError, ClientError) as error:
        raise UpstreamUnavailableError("The queue of notifications did not answer", retry_after=2) from error
    return found


def receive(records: list[dict[str, Any]], deliver: Callable[[dict[str, Any]], bool]) -> list[dict[str, str]]:
    """Deliver queued messages; return those that are to come again, each after its pause, as SQS wants them named."""
    failed = []
    for entry in records:
        if not deliver(json.loads(entry["body"])):
            try_later(entry["receiptHandle"], pause_after(int(entry["attributes"]["ApproximateReceiveCount"])))
            failed.append({"itemIdentifier": str(entry["messageId"])})
    return failed


def try_later(receipt: str, seconds: int) -> None:
    """Let a message come again after so many seconds."""
    try:
        aws_client("sqs", 3.0).change_message_visibility(
            QueueUrl=notification_queue(), ReceiptHandle=receipt, VisibilityTimeout=seconds
        )
    except (BotoCoreError, ClientError) as error:
        raise UpstreamUnavailableError("The queue of notifications did not answer", retry_after=2) from error
