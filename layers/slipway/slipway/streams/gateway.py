"""Serving the routes of API Gateway's WebSocket API with nothing between: ids, envelope, log line and metrics are those
of every route, and refused handshakes are sampled for the audit trail like other refusals of strangers.

Source: API Gateway developer guide, "Working with WebSocket APIs". Only $connect has headers and an answer that the
client sees.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from slipway.edge import source_address
from slipway.envelope import begin_request, end_request, refusal, refused_by
from slipway.errors import SlipwayError
from slipway.jobs.store import RequestContext, sample_refusal
from slipway.observability import logger

Event = dict[str, Any]
_CONNECT = "CONNECT"


def serve(event: Event, routes: Mapping[str, Callable[[Event], dict[str, str]]]) -> dict[str, Any]:
    """Answer an event with 200 and the headers that its route returns, or with the envelope of what it raises.

    Args:
        event: Of the WebSocket API.
        routes: What does it, by the kind of event: ``CONNECT``, ``MESSAGE``, ``DISCONNECT``.
    """
    started = time.perf_counter()
    gateway = event["requestContext"]
    # Not the route's key, which a client may choose by what it sends.
    kind = gateway["eventType"]
    request_id = begin_request(gateway, "")
    logger.append_keys(connection_id=gateway["connectionId"])
    answer: dict[str, Any] = {"statusCode": 200}
    source = (gateway.get("identity") or {}).get("sourceIp")
    try:
        if kind == _CONNECT:
            # Later events have no headers.
            headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
            source = source_address(headers, source)
        if headers := routes[kind](event):
            answer["headers"] = headers
    except Exception as error:
        refused = refused_by(error)
        answer["statusCode"] = refused.status
        if kind == _CONNECT:
            answer["body"] = json.dumps(refusal(refused, request_id)[0])
            _audit(event, request_id, source, refused)
    end_request(f"stream {kind}", answer["statusCode"], started)
    return answer


def _audit(event: Event, request_id: str, source: str | None, error: SlipwayError) -> None:
    context = RequestContext(request_id, source, "GET /api/v1/builds/{id}/stream")
    build_id = str((event.get("queryStringParameters") or {}).get("build_id", ""))[:64] or None
    # Who asks for streams without end is nobody that is believed.
    sample_refusal(context, error, build_id)
