"""The jobs table's stream: a build has made progress, so whoever follows it is told."""

from typing import Any

from slipway.streams.publisher import tell


def handler(event: dict[str, Any], context: object) -> None:
    """Tell of a batch of new progress events; the batch comes again when this raises."""
    tell(event["Records"])
