"""GET /health: says that the API answers, without importing anything."""

from typing import Any

_HEADERS = {"content-type": "application/json", "cache-control": "no-store"}
_ANSWER = {"statusCode": 200, "headers": _HEADERS, "body": '{"status": "ok"}'}
# The envelope of every refusal, which needs no library for this one.
_ERROR = '{"code": "VALIDATION_ERROR", "message": "There are no parameters"}'
_REFUSAL = f'{{"success": false, "error": {_ERROR}, "request_id": "%s"}}'


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer 200 with ``{"status": "ok"}``, or 400 to parameters."""
    if event.get("rawQueryString"):
        return {"statusCode": 400, "headers": _HEADERS, "body": _REFUSAL % event["requestContext"]["requestId"]}
    return _ANSWER
