"""HTTP calls that end at their deadline, whatever the far side does.

httpx's own timeouts are for one read of a socket each, so a server that sends a byte now and then is waited for without
end, and resolving a name has no timeout at all. Here each call runs on an event loop in a thread of its own, where it
can be cancelled as a whole.
"""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx

from slipway.request_budget import BudgetSpentError, waiting
from slipway.times import Clock

# For a call that does not end although it was cancelled; its thread is left to itself.
_GRACE_SECONDS = 1.0


_starting = threading.Lock()


@cache
def _running_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="outgoing-http", daemon=True).start()
    return loop


def _loop() -> asyncio.AbstractEventLoop:
    # A cache alone would let threads that come at once make a loop each, and connections live on one.
    with _starting:
        return _running_loop()


class DeadlineClient:
    """Makes an asynchronous client usable from ordinary code, with a deadline on every call and no memory of cookies.

    Args:
        client: The HTTP client; used by no one else, because its connections belong to one event loop.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        # What one server sets would go to the next one at its address.
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))

    def request(
        self, method: str, url: str, seconds: float, *, most_bytes: int | None = None, **arguments: Any
    ) -> httpx.Response:
        """Make one request and read its whole answer.

        Args:
            method: The HTTP method.
            url: The whole address.
            seconds: The deadline, from name resolution to the answer's last byte.
            most_bytes: The answer is cut after so many; for servers that are not trusted.
            arguments: As ``httpx.AsyncClient.request`` takes them.

        Raises:
            httpx.HTTPError: As the client raises them; ``httpx.ReadTimeout`` when the deadline has passed.
        """
        call = self._request if most_bytes is None else partial(self._request_some, most_bytes)
        try:
            with waiting(seconds) as left:
                future = asyncio.run_coroutine_threadsafe(call(method, url, left, arguments), _loop())
                try:
                    return future.result(left + _GRACE_SECONDS)
                except TimeoutError as error:
                    future.cancel()
                    raise httpx.ReadTimeout("The deadline passed") from error
        except BudgetSpentError as error:
            raise httpx.ConnectTimeout("The request has waited too long already") from error

    async def _request(self, method: str, url: str, seconds: float, arguments: dict[str, Any]) -> httpx.Response:
        async with asyncio.timeout(seconds):
            return await self._client.request(method, url, timeout=seconds, **arguments)

    async def _request_some(
        self, most_bytes: int, method: str, url: str, seconds: float, arguments: dict[str, Any]
    ) -> httpx.Response:
        found = b""
        async with (
            asyncio.timeout(seconds),
            self._client.stream(method, url, timeout=seconds, **arguments) as response,
        ):
            # As it came: what a few bytes unpack to has no bound.
            async for part in response.aiter_raw():
                found += part
                if len(found) > most_bytes:
                    break
        return httpx.Response(response.status_code, content=found[:most_bytes])


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=64, thread_name_prefix="http")


def request_within(
    client: httpx.Client,
    method: str,
    url: str,
    seconds: float,
    *,
    most_bytes: int,
    clock: Clock = time,
    **arguments: Any,
) -> httpx.Response:
    """Make one request by an ordinary client and read its whole answer.

    Args:
        client: The HTTP client; others may use it at the same time.
        method: The HTTP method.
        url: The whole address.
        seconds: The deadline, from name resolution to the answer's last byte.
        most_bytes: A longer answer is an error.
        clock: Gives the time.
        arguments: As ``httpx.Client.stream`` takes them.

    Raises:
        httpx.HTTPError: As the client raises them; ``httpx.ReadTimeout`` when the deadline has passed, and
            ``httpx.ReadError`` for an answer that is too long; ``httpx.DecodingError`` for a packed one.
    """
    # In a thread, because neither resolving a name nor waiting for a byte can be cut short.
    future = _threads().submit(_read, client, method, url, clock.monotonic() + seconds, most_bytes, arguments, clock)
    try:
        return future.result(seconds)
    except TimeoutError as error:
        future.cancel()
        raise httpx.ReadTimeout("The deadline passed") from error


def _read(
    client: httpx.Client,
    method: str,
    url: str,
    ends_at: float,
    most_bytes: int,
    arguments: dict[str, Any],
    clock: Clock,
) -> httpx.Response:
    found = bytearray()
    headers = {**arguments.pop("headers", {}), "accept-encoding": "identity"}
    left = max(0.001, ends_at - clock.monotonic())
    with client.stream(method, url, headers=headers, timeout=left, **arguments) as response:
        # What a few bytes unpack to has no bound; nobody was asked to pack any.
        if response.headers.get("content-encoding", "identity") != "identity":
            raise httpx.DecodingError("The answer is packed")
        for part in response.iter_bytes():
            found += part
            if len(found) > most_bytes:
                raise httpx.ReadError("The answer is too long")
            if clock.monotonic() >= ends_at:
                raise httpx.ReadTimeout("The deadline passed")
    return httpx.Response(response.status_code, content=bytes(found), request=response.request)
