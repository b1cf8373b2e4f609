"""The jobs table's stream: a build has made progress, so its clients are sent the events."""

from typing import Any

from slipway.streams.publisher import publish


def handler(event: dict[str, Any], context: object) -> None:
    """Publish a batch of new progress events; the batch comes again when this raises."""
    publish(event["Records"])
