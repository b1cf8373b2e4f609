"""Serving a route of API Gateway's HTTP API (payload format 2.0) with nothing between: for functions whose every
millisecond counts. Ids, envelope, log line and metrics are those of ``http``; refusals do not go to the audit trail.
"""

import base64
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from slipway.edge import source_address
from slipway.envelope import (
    NO_SNIFFING,
    NO_STORE,
    begin_request,
    end_request,
    refusal,
    refused_by,
    require_known_parameters,
)
from slipway.errors import PayloadTooLargeError
from slipway.request_budget import REQUEST_SECONDS, limited

Event = dict[str, Any]


def header(event: Event, name: str) -> str:
    """Return a header by its lower-case name; empty when it was not sent."""
    found: str = event["headers"].get(name, "")
    return found


def require_no_parameters(event: Event) -> None:
    """Raise ValidationFailedError for any query parameter."""
    if query := event.get("rawQueryString"):
        require_known_parameters(name for name, _ in parse_qsl(query, keep_blank_values=True))


def raw_body(event: Event, most_bytes: int) -> bytes:
    """Return the body as it was sent.

    Raises:
        PayloadTooLargeError: It is larger than that.
    """
    text = event.get("body") or ""
    # What is not a character stays wrong, for the parser to refuse.
    raw = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode(errors="surrogatepass")
    if len(raw) > most_bytes:
        raise PayloadTooLargeError(f"The body is larger than {most_bytes} bytes")
    return raw


def answer(event: Event, route: Callable[[Event], dict[str, Any]], seconds: float = REQUEST_SECONDS) -> dict[str, Any]:
    """Answer an event with what the route returns, or with the envelope of what it raises.

    Args:
        event: API Gateway's.
        route: Returns ``body`` and, where they differ from 200 and JSON without caching, ``statusCode``, ``headers``
            and ``isBase64Encoded``.
        seconds: How long the route may wait for others in all.
    """
    started = time.perf_counter()
    gateway = event["requestContext"]
    request_id = begin_request(gateway, header(event, "x-correlation-id"))
    try:
        source_address(event["headers"], None)
        with limited(seconds):
            given = route(event)
    except Exception as error:
        refused = refused_by(error)
        envelope, headers = refusal(refused, request_id)
        given = {"statusCode": refused.status, "headers": headers, "body": json.dumps(envelope)}
    status = given.get("statusCode", 200)
    end_request(gateway["routeKey"], status, started)
    return {
        **given,
        "statusCode": status,
        "headers": {
            "content-type": "application/json",
            "x-request-id": request_id,
            **dict((NO_SNIFFING, NO_STORE)),
            **given.get("headers", {}),
        },
    }


def serve(event: Event, route: Callable[[Event], dict[str, Any]], seconds: float = REQUEST_SECONDS) -> dict[str, Any]:
    """Answer an event with what the route returns as JSON (200), or with the envelope of what it raises."""
    return answer(event, lambda given: {"body": json.dumps(route(given))}, seconds)
