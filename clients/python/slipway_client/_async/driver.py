"""What the asynchronous client has of its own; `_sync/driver.py` has the same names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from websockets.asyncio.client import connect

T = TypeVar("T")
now = time.time
Lock = asyncio.Lock
sleep = asyncio.sleep


async def settled(value: T | Awaitable[T]) -> T:
    """Return what a signer returned, waiting for it if need be."""
    return await value if isinstance(value, Awaitable) else value


async def messages(url: str, headers: dict[str, str], timeout: float) -> AsyncIterator[str | bytes]:
    """Yield a WebSocket's messages until the server closes it."""
    async with connect(url, additional_headers=headers, open_timeout=timeout, close_timeout=1) as socket:
        async for message in socket:
            yield message
