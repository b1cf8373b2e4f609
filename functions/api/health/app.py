"""GET /health: says that the API answers, without importing anything."""

from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer 200 with ``{"status": "ok"}``."""
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": '{"status": "ok"}',
    }
