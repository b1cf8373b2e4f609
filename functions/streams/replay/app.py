"""Sends one client what it has not been sent; invoked asynchronously when it connects, and when that failed before."""

from slipway.streams.models import Connection
from slipway.streams.publisher import replay


def handler(event: dict[str, str], context: object) -> None:
    """Deliver to ``{"build_id", "connection_id"}``; Lambda asks again when this raises."""
    replay(Connection(event["build_id"], event["connection_id"]))
