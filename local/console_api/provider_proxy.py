"""The provider proxy's WebSocket: log streams of leases (``wss://console-provider-proxy.akash.network``).

A client sends ``{"type": "websocket", "url", "auth": {"type": "jwt", "token"}, "providerAddress"}`` and gets
``{"type": "websocket", "message": "<JSON of {name, message}>"}`` for each line: a pod's name and its text, with neither
a time nor a number. Several streams may share a socket; a socket on which the client is silent for long dies.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import WSMsgType, web

from local.console_api.logs import LogBook
from local.console_api.market import Deployment, Lease, Market
from local.console_api.tokens import TokenExpiredError, TokenRefusedError, Tokens

_PATH = re.compile(r"/lease/(?P<dseq>\d+)/(?P<gseq>\d+)/(?P<oseq>\d+)/logs")
# While nothing is written, a stream looks this often at what else may end it.
_POLL_INTERVAL_SECONDS = 0.1
_LEASE_NOT_FOUND = (4001, "lease not found")
_NO_PODS = (4000, "no running pods")


class _RefusedByProviderError(Exception):
    """The provider does not open the stream."""


@dataclass(frozen=True)
class _Subscription:
    """What a client asked for."""

    dseq: str
    gseq: int
    provider: str
    token: str
    follow: bool
    tail: int
    services: frozenset[str]


@dataclass
class _Socket:
    """One client's connection."""

    response: web.WebSocketResponse
    request: web.Request
    heard_at: float
    idle_after: float
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def send(self, **message: Any) -> None:
        await self.response.send_str(json.dumps(message))

    def die(self) -> None:
        """End without a close frame, as a connection that was cut."""
        if self.request.transport:
            self.request.transport.abort()


class ProviderProxy:
    """Serves log streams of one market's leases."""

    def __init__(self, market: Market, tokens: Tokens) -> None:
        self._market = market
        self._tokens = tokens

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one client, until it leaves or its socket dies."""
        response = web.WebSocketResponse(max_msg_size=64 * 1024)
        if not response.can_prepare(request).ok:
            return web.json_response({"message": "expected a WebSocket"}, status=400)
        await response.prepare(request)
        socket = _Socket(response, request, self._market.clock.now(), self._market.controls.logs.idle_after)
        watchdog = asyncio.create_task(self._watch(socket))
        try:
            async for message in response:
                socket.heard_at = self._market.clock.now()
                if message.type is WSMsgType.TEXT:
                    await self._message(socket, message.data)
        finally:
            for task in (watchdog, *socket.tasks):
                task.cancel()
            await asyncio.gather(watchdog, *socket.tasks, return_exceptions=True)
        return response

    async def _watch(self, socket: _Socket) -> None:
        while True:
            await asyncio.sleep(_POLL_INTERVAL_SECONDS)
            if self._market.clock.now() - socket.heard_at > socket.idle_after:
                socket.die()
                return

    async def _message(self, socket: _Socket, text: str) -> None:
        try:
            message = json.loads(text)
            if message["type"] == "ping":
                await socket.send(type="pong")
                return
            wanted = _subscription(message)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            await socket.send(error="Invalid message format", errors=[str(error)])
            return
        except _RefusedByProviderError:
            await socket.send(error="Received error from provider websocket")
            return
        task = asyncio.create_task(self._stream(socket, wanted))
        socket.tasks.add(task)
        task.add_done_callback(socket.tasks.discard)

    async def _stream(self, socket: _Socket, wanted: _Subscription) -> None:
        with suppress(ConnectionError):
            try:
                code, reason = await self._lines(socket, wanted)
                await socket.send(type="websocket", message="", closed=True, code=code, reason=reason)
            except TokenExpiredError:
                await socket.send(error="tokenExpired")
            except (TokenRefusedError, _RefusedByProviderError):
                await socket.send(error="Received error from provider websocket")

    async def _lines(self, socket: _Socket, wanted: _Subscription) -> tuple[int, str]:
        """Send lines until the stream ends; return the code and reason of its end."""
        deployment, lease = self._lease(wanted)
        self._check(wanted)
        if deployment is None or lease is None or lease.closed_at is not None:
            return _LEASE_NOT_FOUND
        if not self._market.is_heard(deployment, lease):
            return _NO_PODS
        books = [book for name, book in lease.logs.items() if not wanted.services or name in wanted.services]
        if not books:
            return _NO_PODS
        socket.idle_after = self._market.effective(deployment.scenario).logs.idle_after
        return await self._follow(socket, wanted, deployment, books)

    async def _follow(
        self, socket: _Socket, wanted: _Subscription, deployment: Deployment, books: list[LogBook]
    ) -> tuple[int, str]:
        positions = [book.tail(wanted.tail) for book in books]
        began = self._market.clock.now()
        news = asyncio.Event()
        for book in books:
            book.watch(news)
        try:
            while True:
                news.clear()
                await _send_new(socket, books, positions)
                if not wanted.follow or all(book.ended for book in books):
                    return 1000, ""
                self._check(wanted)
                cut_after = self._market.effective(deployment.scenario).logs.cut_after
                if cut_after is not None and self._market.clock.now() - began > cut_after:
                    socket.die()
                self._market.settled(deployment)
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), _POLL_INTERVAL_SECONDS)
        finally:
            for book in books:
                book.unwatch(news)

    def _lease(self, wanted: _Subscription) -> tuple[Deployment | None, Lease | None]:
        for deployment in self._market.everything():
            if deployment.dseq == wanted.dseq:
                for lease in reversed(deployment.leases):
                    if (lease.bid.gseq, lease.provider.address) == (wanted.gseq, wanted.provider):
                        return deployment, lease
        return None, None

    def _check(self, wanted: _Subscription) -> None:
        """Raise unless the provider answers and the token allows the stream now."""
        provider = self._market.providers.get(wanted.provider)
        if provider is None or not provider.online:
            raise _RefusedByProviderError
        self._tokens.check(wanted.token, wanted.provider, wanted.dseq, set(wanted.services), "logs")
        deployment, _ = self._lease(wanted)
        logs = self._market.effective(deployment.scenario if deployment else None).logs
        made_at = float(self._tokens.read(wanted.token)["iat"])
        if logs.token_seconds is not None and time.time() > made_at + logs.token_seconds:
            raise TokenExpiredError


async def _send_new(socket: _Socket, books: list[LogBook], positions: list[int]) -> None:
    for index, book in enumerate(books):
        lines = book.since(positions[index])
        positions[index] += len(lines)
        for pod, line in lines:
            await socket.send(type="websocket", message=json.dumps({"name": pod, "message": line}))


def _subscription(message: Any) -> _Subscription:
    if message["type"] != "websocket" or message["auth"]["type"] != "jwt":
        raise ValueError("type must be ping or websocket, and auth a jwt")
    token, provider = message["auth"]["token"], message["providerAddress"]
    parts = urlsplit(message["url"])
    if not isinstance(token, str) or not isinstance(provider, str) or parts.scheme not in ("https", "wss"):
        raise ValueError("token, providerAddress or url is not of its kind")
    found = _PATH.fullmatch(parts.path)
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    tail, service = query.get("tail", "-1"), query.get("service", "")
    # Such things the provider answers with 400, which the proxy reports in its own words.
    if not found or not re.fullmatch(r"-1|\d+", tail) or service.endswith(","):
        raise _RefusedByProviderError
    return _Subscription(
        dseq=found["dseq"],
        gseq=int(found["gseq"]),
        provider=provider,
        token=token,
        follow=query.get("follow") == "true",
        tail=int(tail),
        services=frozenset(filter(None, service.split(","))),
    )
