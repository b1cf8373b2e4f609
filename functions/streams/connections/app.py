"""The routes of the WebSocket API: a client connects to the stream of a build, sends something, leaves."""

from collections.abc import Callable
from typing import Any

from slipway.streams.gateway import Event, serve
from slipway.streams.rules import handshake, protocol_headers
from slipway.streams.service import answer, connect, disconnect


def _connect(event: Event) -> dict[str, str]:
    headers = event.get("headers") or {}
    connect(event["requestContext"]["connectionId"], handshake(headers, event.get("queryStringParameters") or {}))
    return protocol_headers(headers)


def _disconnect(event: Event) -> dict[str, str]:
    disconnect(event["requestContext"]["connectionId"])
    return {}


def _message(event: Event) -> dict[str, str]:
    answer(event["requestContext"]["connectionId"], event.get("body") or "")
    return {}


ROUTES: dict[str, Callable[[Event], dict[str, str]]] = {
    "CONNECT": _connect,
    "DISCONNECT": _disconnect,
    "MESSAGE": _message,
}


def handler(event: Event, context: Any) -> dict[str, Any]:
    """Answer a route; a refusal of $connect is the status of the handshake's answer."""
    return serve(event, ROUTES)
