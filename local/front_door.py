"""The second half of gap 4: one plain address for the API, as API Gateway's own domain is on AWS.

Serves HTTP and WebSocket on loopback and forwards to the engine's path form of the APIs. What API Gateway does around a
function and the engine does not, it does as well: the body limit, the deadline, the answer when a function breaks, and
the WebSocket API's address behind the path of the specification. Besides, every port of this machine is an allowed
origin here, so that a frontend can be developed against it; API Gateway has no pattern for ports.

The engine starts a process for each concurrent invocation, and a burst of cold starts on two cores makes all of them
miss their ten seconds. On AWS they would start on machines of their own. So only a few requests at a time get through,
the others wait, and a throttle of the engine's is tried again; a caller only ever sees 429 from a function.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote

from aiohttp import (
    BaseConnector,
    ClientConnectionError,
    ClientPayloadError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    DummyCookieJar,
    TCPConnector,
    WSMsgType,
    WSServerHandshakeError,
    hdrs,
    web,
)
from multidict import CIMultiDict
from yarl import URL

from local.engine.server import CREDENTIALS, LOOPBACK, REGION
from local.serving import serve
from local.source_template import source_template

# API Gateway's limits: 10 MB of body, 30 s for an answer. 10,240 bytes of headers; a little more passes here.
BODY_LIMIT = 10 * 1024 * 1024
DEADLINE_SECONDS = 30.0
_HEADER_LIMIT = 16 * 1024
_RETRY_SECONDS = 0.25
# A long poll keeps a process for twenty seconds that does nothing but wait, so it takes no other request's turn.
_LONG_POLL_PATH = re.compile(r"/api/deployments/[^/]+/logs/?")
_LONG_POLLS_AT_ONCE = 16
_STREAM_PATH = re.compile(r"/api/v1/builds/(?P<build_id>[^/]+)/stream/?")
# RFC 9110, 7.6.1: these are about one connection, not about the message.
_HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
}  # fmt: skip
_ONLY_FOR_THE_HANDSHAKE = {
    "sec-websocket-accept", "sec-websocket-extensions", "sec-websocket-key", "sec-websocket-protocol",
    "sec-websocket-version",
}  # fmt: skip
# A WebSocket API has no `$default` stage on AWS; its stage is a part of its address.
WEBSOCKET_STAGE = "v1"
STREAM_SUBPROTOCOL = "bearer"
_LOCAL_ORIGIN = re.compile(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?")
_MAX_MESSAGE = 128 * 1024  # API Gateway's limit of a WebSocket message.

# What one metric may have in a call.
_MAX_VALUES = 150
_SCOPE = f"{CREDENTIALS['AWS_ACCESS_KEY_ID']}/20260101/{REGION}/monitoring/aws4_request"
_CLOUDWATCH = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "GraniteServiceVersion20100801.PutMetricData",
    "Authorization": f"AWS4-HMAC-SHA256 Credential={_SCOPE}, SignedHeaders=host, Signature=0",
}

log = logging.getLogger("front_door")


@dataclass
class FrontDoor:
    """Forwards requests to the engine.

    Attributes:
        engine: The engine's address, such as `http://127.0.0.1:4566`.
        http_api: Id of the HTTP API.
        websocket_api: Id of the WebSocket API, which need not be deployed.
        host: The API's own host and port; functions see no other, as on AWS.
        at_once: How many requests the engine gets at a time.
        deadline_seconds: How long a caller waits at most.
        metrics_seconds: How often requests are counted in the engine's CloudWatch, as API Gateway does; 0 for never.
        connector: How the engine is reached.
    """

    engine: str
    http_api: str
    websocket_api: str
    host: str
    at_once: int
    deadline_seconds: float = DEADLINE_SECONDS
    metrics_seconds: float = 0
    # Connections are not limited here, because WebSockets would use them up; the slots limit requests.
    connector: Callable[[], BaseConnector] = lambda: TCPConnector(limit=0)
    _slots: asyncio.Semaphore = field(init=False)
    _long_polls: asyncio.Semaphore = field(init=False)
    _session: ClientSession = field(init=False)
    _served: list[tuple[int, float]] = field(init=False, default_factory=list)

    async def session(self, _app: web.Application) -> Any:
        """Hold the connections to the engine while the server runs."""
        self._slots = asyncio.Semaphore(self.at_once)
        self._long_polls = asyncio.Semaphore(_LONG_POLLS_AT_ONCE)
        self._session = ClientSession(
            connector=self.connector(),
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            timeout=ClientTimeout(total=None),
            # Callers who ask for no compression get none.
            skip_auto_headers=(hdrs.ACCEPT_ENCODING,),
        )
        counting = asyncio.create_task(self._count()) if self.metrics_seconds else None
        yield
        if counting:
            counting.cancel()
        await self._session.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any request."""
        started = time.monotonic()
        status = 500
        try:
            if _LOCAL_ORIGIN.fullmatch(request.headers.get(hdrs.ORIGIN, "")) and _is_preflight(request):
                response: web.StreamResponse = web.Response(status=204)
            elif request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
                response = await self._websocket(request)
            else:
                response = await self._http(request, started + self.deadline_seconds)
            status = response.status
            return response
        finally:
            # Without the query: it may hold a ticket.
            milliseconds = 1000 * (time.monotonic() - started)
            if self.metrics_seconds:
                self._served.append((status, milliseconds))
            log.info("%s %s %s %.0f ms", request.method, request.path, status, milliseconds)

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(self.metrics_seconds)
            served, self._served = self._served, []
            for start in range(0, len(served), _MAX_VALUES):
                body = json.dumps(metric_data(self.http_api, served[start : start + _MAX_VALUES]))
                try:
                    async with self._session.post(self.engine, data=body, headers=_CLOUDWATCH):
                        pass
                except ClientConnectionError as error:
                    log.warning("requests not counted: %r", error)

    # ── HTTP ────────────────────────────────────────────────────────────────────────────────────

    async def _http(self, request: web.Request, deadline: float) -> web.StreamResponse:
        try:
            # Held whole, as API Gateway holds it, because a throttled request is sent again.
            body = await asyncio.wait_for(request.read(), deadline - time.monotonic())
        except web.HTTPRequestEntityTooLarge:
            return _message(413, "Request Entity Too Large")
        except TimeoutError:
            return _message(408, "Request Timeout")
        response: web.StreamResponse | None = None
        slots = self._long_polls if _LONG_POLL_PATH.fullmatch(request.path) else self._slots
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + deadline - time.monotonic()):
                while response is None:
                    async with slots:
                        response = await self._forward(request, body)
                    if response is None:
                        await asyncio.sleep(_RETRY_SECONDS)
        except (TimeoutError, ClientConnectionError) as error:
            log.warning("%s %s: the engine did not answer: %r", request.method, request.path, error)
            return _message(503, "Service Unavailable")
        return response

    async def _forward(self, request: web.Request, body: bytes) -> web.StreamResponse | None:
        """Try a request once; None if the engine throttled it."""
        url = URL(f"{self.engine}/_aws/execute-api/{self.http_api}/$default{request.raw_path}", encoded=True)
        async with self._session.request(
            request.method, url, headers=self._request_headers(request), data=body, allow_redirects=False
        ) as answer:
            if answer.status in (429, 502):
                content = await answer.read()
                if answer.status == 429 and is_throttle(content):
                    return None
                if answer.status == 502 and is_function_error(content):
                    log.error("%s %s: the function failed: %s", request.method, request.path, content[:4000])
                    return _message(500, "Internal Server Error")
                return web.Response(status=answer.status, headers=_end_to_end(answer.headers), body=content)
            return await _relay(request, answer)

    def _request_headers(self, request: web.Request) -> CIMultiDict[str]:
        headers = _end_to_end(request.headers)
        headers.popall(hdrs.HOST, None)
        headers.popall(hdrs.CONTENT_LENGTH, None)  # Set again from the body, which may have come in chunks.
        headers.popall(hdrs.EXPECT, None)
        headers[hdrs.HOST] = self.host
        forwarded = [*headers.popall(hdrs.X_FORWARDED_FOR, []), request.remote or LOOPBACK]
        headers[hdrs.X_FORWARDED_FOR] = ", ".join(forwarded)
        headers["X-Forwarded-Proto"] = "http"
        headers["X-Forwarded-Port"] = self.host.rpartition(":")[2]
        return headers

    # ── WebSocket ───────────────────────────────────────────────────────────────────────────────

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        offered = [part.strip() for part in request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")]
        offered = [part for part in offered if part]
        headers = self._request_headers(request)
        for name in _ONLY_FOR_THE_HANDSHAKE:
            headers.popall(name, None)
        try:
            # The engine invokes $connect before it answers.
            async with asyncio.timeout(self.deadline_seconds), self._slots:
                far = await self._session.ws_connect(
                    self._websocket_url(request), protocols=offered, headers=headers, max_msg_size=_MAX_MESSAGE
                )
        except WSServerHandshakeError as error:
            return _message(error.status, "Forbidden" if error.status in (401, 403) else "Not Found")
        except (TimeoutError, ClientConnectionError) as error:
            log.warning("%s: the engine did not answer: %r", request.path, error)
            return _message(503, "Service Unavailable")
        # The engine drops the headers that $connect answers with. On AWS they name the subprotocol; a browser that
        # offered some takes silence for a refusal.
        chosen = far.protocol or (STREAM_SUBPROTOCOL if STREAM_SUBPROTOCOL in offered else None)
        near = web.WebSocketResponse(protocols=[chosen] if chosen else [], max_msg_size=_MAX_MESSAGE)
        try:
            await near.prepare(request)
            await _join(near, far)
        finally:
            await far.close()
        return near

    def _websocket_url(self, request: web.Request) -> URL:
        query = request.rel_url.raw_query_string
        if found := _STREAM_PATH.fullmatch(request.path):
            # The path alone names the build.
            given = [part for part in query.split("&") if part and part.partition("=")[0] != "build_id"]
            query = "&".join([f"build_id={quote(found['build_id'], safe='')}", *given])
        url = f"{self.engine.replace('http', 'ws', 1)}/_aws/execute-api/{self.websocket_api}/{WEBSOCKET_STAGE}"
        return URL(f"{url}?{query}" if query else url, encoded=True)


def metric_data(http_api: str, served: list[tuple[int, float]]) -> dict[str, Any]:
    """Return what API Gateway counts of requests, each a status and its milliseconds, as PutMetricData takes it.

    4xx and 5xx are ones and zeros, so that their averages are shares.
    """
    shares = {name: [float(status // 100 == digit) for status, _ in served] for name, digit in (("4xx", 4), ("5xx", 5))}
    values = {"Count": [1.0] * len(served), "Latency": [milliseconds for _, milliseconds in served], **shares}
    dimensions = [{"Name": "ApiId", "Value": http_api}]
    data = [{"MetricName": name, "Dimensions": dimensions, "Values": found} for name, found in values.items()]
    return {"Namespace": "AWS/ApiGateway", "MetricData": data}


def is_throttle(content: bytes) -> bool:
    """Return whether a 429 is the engine's own refusal to start another process, and not a function's answer."""
    body = _json_object(content)
    return body.get("__type") == "TooManyRequestsException" and "Reason" in body


def is_function_error(content: bytes) -> bool:
    """Return whether a 502 is the report of a function that raised or died; API Gateway does not show those to
    callers."""
    body = _json_object(content)
    return {"errorMessage", "errorType"} <= set(body) and "statusCode" not in body


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _message(status: int, text: str) -> web.Response:
    """Return an answer of API Gateway's own."""
    return web.json_response({"message": text}, status=status)


def _is_preflight(request: web.Request) -> bool:
    return request.method == "OPTIONS" and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers


@cache
def _cors() -> dict[str, Any]:
    found: dict[str, Any] = source_template()["Resources"]["HttpApi"]["Properties"]["CorsConfiguration"]
    return found


async def _allow_local_origin(request: web.Request, response: web.StreamResponse) -> None:
    """Let a page on any port of this machine read an answer, as the template's CORS settings let the dashboard."""
    origin = request.headers.get(hdrs.ORIGIN, "")
    if not _LOCAL_ORIGIN.fullmatch(origin):
        return
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
    response.headers[hdrs.VARY] = "Origin"
    if _is_preflight(request):
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = ",".join(_cors()["AllowMethods"])
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = ",".join(_cors()["AllowHeaders"])
        response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(_cors()["MaxAge"])
    else:
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = ",".join(_cors()["ExposeHeaders"])


def _end_to_end(headers: Any) -> CIMultiDict[str]:
    named = {name.strip().lower() for line in headers.getall(hdrs.CONNECTION, []) for name in line.split(",")}
    dropped = _HOP_BY_HOP | named
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in dropped)


async def _relay(request: web.Request, answer: ClientResponse) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=_end_to_end(answer.headers))
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
    except (ClientPayloadError, ClientConnectionError):
        # Too late for another status: a connection that breaks off shows the caller that the answer is not whole.
        if request.transport:
            request.transport.abort()
        return response
    await response.write_eof()
    return response


async def _join(near: web.WebSocketResponse, far: ClientWebSocketResponse) -> None:
    """Pass messages both ways until either side closes; the other is closed with the same code."""

    async def pump(
        source: web.WebSocketResponse | ClientWebSocketResponse, sink: web.WebSocketResponse | ClientWebSocketResponse
    ) -> None:
        async for message in source:
            if message.type is WSMsgType.TEXT:
                await sink.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await sink.send_bytes(message.data)
        await sink.close(code=_sendable(source.close_code))

    pumps = [asyncio.create_task(pump(near, far)), asyncio.create_task(pump(far, near))]
    try:
        done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if (error := task.exception()) and not isinstance(error, ConnectionError):
                raise error
    finally:
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


def _sendable(code: int | None) -> int:
    # 1004 to 1006 and 1015 only report what happened; no close frame may hold them.
    allowed = code is not None and (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999)
    return code if allowed and code is not None else 1001


def application(door: FrontDoor) -> web.Application:
    """Return the server's application."""
    app = web.Application(client_max_size=BODY_LIMIT)
    app.on_response_prepare.append(_allow_local_origin)
    app.cleanup_ctx.append(door.session)
    app.router.add_route("*", "/{path:.*}", door.handle)
    return app


def default_at_once() -> int:
    """Return SLIPWAY_ENGINE_CONCURRENCY, by default what this machine's cores can start in time."""
    return int(os.environ.get("SLIPWAY_ENGINE_CONCURRENCY") or max(4, 2 * (os.cpu_count() or 1)))


def runner_of(door: FrontDoor) -> web.AppRunner:
    """Return the server, with API Gateway's room for headers."""
    return web.AppRunner(
        application(door),
        access_log=None,
        max_line_size=_HEADER_LIMIT,
        max_field_size=_HEADER_LIMIT,
        shutdown_timeout=1.0,
    )


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--http-api", required=True)
    parser.add_argument("--websocket-api", required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    door = FrontDoor(
        engine=options.engine,
        http_api=options.http_api,
        websocket_api=options.websocket_api,
        host=f"localhost:{options.port}",
        at_once=default_at_once(),
        metrics_seconds=5,
    )
    asyncio.run(serve(runner_of(door), options.port, ipv6=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
