"""Calls from many threads at once share one event loop, and each ends at its own deadline."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import httpx
import pytest

from slipway import deadline_client
from slipway.deadline_client import DeadlineClient
from tests.support.clock import patient_seconds


def test_the_first_calls_of_many_threads_use_one_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a process that has made no call yet; other tests' connections stay on their loop.
    monkeypatch.setattr(deadline_client, "_running_loop", cache(deadline_client._running_loop.__wrapped__))
    made: list[asyncio.AbstractEventLoop] = []
    new_event_loop = asyncio.new_event_loop

    def slow() -> asyncio.AbstractEventLoop:
        time.sleep(0.02)  # noqa: TID251 (long enough for others to begin one as well, if they might)
        made.append(new_event_loop())
        return made[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", slow)
    together = threading.Barrier(8)

    async def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=str(id(asyncio.get_running_loop())))

    client = DeadlineClient(httpx.AsyncClient(transport=httpx.MockTransport(answer)))

    def ask(_: int) -> str:
        together.wait()
        return client.request("GET", "https://far.test/", 5).text

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {str(id(made[0]))}
    assert len(made) == 1


def test_a_slow_call_holds_up_no_other() -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(float(request.url.path[1:]))  # noqa: TID251 (the slowness itself)
        return httpx.Response(200)

    client = DeadlineClient(httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    started, began = time.monotonic(), patient_seconds()
    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(client.request, "GET", "https://far.test/60", 0.4)
        assert client.request("GET", "https://far.test/0", 5).status_code == 200
        assert patient_seconds() - began < 0.3
        with pytest.raises(httpx.ReadTimeout):
            slow.result()
    assert time.monotonic() - started > 0.35
    assert patient_seconds() - began < 1.5


def test_no_answers_cookie_is_sent_with_the_next_call() -> None:
    """Who answers at one address is not who answers there next: webhooks of strangers share a host."""
    sent: list[str | None] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("cookie"))
        return httpx.Response(200, headers={"set-cookie": "session=hostile; Path=/"}, stream=httpx.ByteStream(b""))

    client = DeadlineClient(httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    for most_bytes in (None, 10, None):
        client.request("GET", "https://198.51.100.7/", 5, most_bytes=most_bytes)
    assert sent == [None] * 3
