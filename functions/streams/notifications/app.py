"""Notifications: events from the jobs table's stream are queued, and queued messages are delivered."""

import json
from typing import Any

from slipway.notifications.delivery import deliveries
from slipway.notifications.publisher import publish
from slipway.notifications.queue import try_later
from slipway.notifications.rules import pause_after


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Queue or deliver a batch; what can't be delivered now comes again after its pause."""
    records = event["Records"]
    if "dynamodb" in records[0]:
        publish(records)
        return {}
    failed = []
    for entry in records:
        if not deliveries().deliver(json.loads(entry["body"])):
            try_later(entry["receiptHandle"], pause_after(int(entry["attributes"]["ApproximateReceiveCount"])))
            failed.append({"itemIdentifier": entry["messageId"]})
    return {"batchItemFailures": failed}
