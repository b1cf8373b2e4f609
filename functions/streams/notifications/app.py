"""Notifications: events from the jobs table's stream are queued, and queued messages are delivered."""

from typing import Any

from slipway.notifications.delivery import deliveries
from slipway.notifications.publisher import publish
from slipway.notifications.queue import receive


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Queue or deliver a batch; what can't be delivered now comes again after its pause."""
    records = event["Records"]
    if "dynamodb" in records[0]:
        publish(records)
        return {}
    return {"batchItemFailures": receive(records, deliveries().deliver)}
