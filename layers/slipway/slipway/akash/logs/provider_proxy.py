"""The Akash Console's provider proxy over WebSocket: logs of a lease, as the provider streams them.

Source: ``apps/provider-proxy`` of akash-network/console. A client sends what it wants to read with a token, and gets a
message for each line, which names the pod and holds the text. It names neither the stream nor the service, so
each socket carries one stream at a time.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from slipway.errors import UpstreamUnavailableError
from slipway.network import require_public_url
from slipway.settings import provider_proxy_address
from slipway.times import Clock

_OPEN_SECONDS = 1.5
_CLOSE_SECONDS = 0.3
_SEND_SECONDS = 1.5
# The proxy drops clients that are silent; its documents say nothing of how soon.
PING_SECONDS = 5.0
_MAX_MESSAGE_BYTES = 2 * 2**20
_RETRY_SECONDS = 5


@dataclass(frozen=True)
class LeaseAddress:
    """A lease, and where its provider answers (``https://host:port``)."""

    provider: str
    host_uri: str
    dseq: str
    gseq: int
    oseq: int


@dataclass(frozen=True)
class LogLine:
    """A line that a pod wrote."""

    pod: str
    text: str


@dataclass(frozen=True)
class TokenExpired:
    """The token is not good any more; the socket is, for another one."""


@dataclass(frozen=True)
class StreamEnded:
    """The provider ended the stream: 4001 no such lease, 4000 nothing runs there, 1000 the log is complete."""

    code: int
    reason: str


LEASE_NOT_FOUND = 4001


class ProxySocket:
    """One socket. A broken one raises ``ConnectionError``, as does a stream that the provider refused."""

    def __init__(self, socket: ClientConnection, clock: Clock = time) -> None:
        self._clock = clock
        self._socket = socket
        self._heard_from_us_at = self._clock.monotonic()

    async def subscribe(self, lease: LeaseAddress, service: str, tail: int, token: str) -> None:
        """Ask for a service's lines, beginning with the last ``tail`` ones of each pod."""
        query = urlencode({"follow": "true", "tail": tail, "service": service})
        path = f"/lease/{lease.dseq}/{lease.gseq}/{lease.oseq}/logs"
        await self._send(
            {
                "type": "websocket",
                "url": f"{lease.host_uri.rstrip('/')}{path}?{query}",
                "auth": {"type": "jwt", "token": token},
                "providerAddress": lease.provider,
            }
        )

    async def next(self, seconds: float) -> LogLine | TokenExpired | StreamEnded | None:
        """Return the next message; None if none comes within ``seconds``. Meanwhile, keep the socket alive."""
        ends_at = self._clock.monotonic() + max(seconds, 0.0)
        while True:
            if self._clock.monotonic() >= self._heard_from_us_at + PING_SECONDS:
                await self._send({"type": "ping"})
            wait = min(ends_at, self._heard_from_us_at + PING_SECONDS) - self._clock.monotonic()
            try:
                async with asyncio.timeout(max(wait, 0.0)):
                    text = await self._socket.recv()
            except TimeoutError:
                if self._clock.monotonic() >= ends_at:
                    return None
                continue
            except ConnectionClosed as error:
                raise ConnectionError("The provider proxy closed the connection") from error
            if (message := _message(text)) is not None:
                return message

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._socket.send(json.dumps(message))
        except (TimeoutError, ConnectionClosed) as error:
            raise ConnectionError("The provider proxy takes nothing") from error
        self._heard_from_us_at = self._clock.monotonic()


def _message(text: str | bytes) -> LogLine | TokenExpired | StreamEnded | None:
    """Read a message of the proxy; None for one that has no meaning here."""
    try:
        message = json.loads(text)
        if message.get("error") == "tokenExpired":
            return TokenExpired()
        if message.get("error"):
            raise ConnectionError(f"The provider proxy answered: {str(message['error'])[:200]}")
        if message.get("closed"):
            return StreamEnded(int(message.get("code") or 0), str(message.get("reason") or "")[:200])
        if message.get("type") != "websocket" or not message.get("message"):
            return None
        line = json.loads(message["message"])
        return LogLine(str(line["name"]), str(line["message"]))
    except (ValueError, TypeError, LookupError, AttributeError):
        return None


class ProviderProxy:
    """Opens sockets.

    Args:
        address: The proxy's, with the scheme https or wss (in the local build also http or ws).
        clock: Gives the time.
    """

    def __init__(self, address: str, clock: Clock = time) -> None:
        self._clock = clock
        parts = urlsplit(address)
        scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
        self._url = parts._replace(scheme=scheme).geturl()

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[ProxySocket]:
        """Yield a socket, for as long as the context lasts.

        Raises:
            UpstreamUnavailableError: The proxy does not answer.
        """
        try:
            connection = await connect(
                self._url,
                open_timeout=_OPEN_SECONDS,
                close_timeout=_CLOSE_SECONDS,
                max_size=_MAX_MESSAGE_BYTES,
                # Without the environment's proxies.
                proxy=None,
            )
        except (OSError, TimeoutError, WebSocketException) as error:
            raise UpstreamUnavailableError(
                f"The provider proxy does not answer: {type(error).__name__}", retry_after=_RETRY_SECONDS
            ) from error
        try:
            yield ProxySocket(connection, self._clock)
        finally:
            await connection.close()


@cache
def provider_proxy() -> ProviderProxy:
    """Return the proxy at AKASH_PROVIDER_PROXY_URL."""
    address = provider_proxy_address()
    require_public_url(address.replace("wss://", "https://", 1))
    return ProviderProxy(address)
