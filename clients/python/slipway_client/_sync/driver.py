"""What the synchronous client has of its own; `_async/driver.py` has the same names."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Iterator
from typing import TypeVar

from websockets.sync.client import connect

T = TypeVar("T")
now = time.time
Lock = threading.Lock
sleep = time.sleep


def settled(value: T | Awaitable[T]) -> T:
    """Return what a signer returned.

    Raises:
        TypeError: It is an asynchronous signer.
    """
    if isinstance(value, Awaitable):
        raise TypeError("This signer is asynchronous: use AsyncSlipway")
    return value


def messages(url: str, headers: dict[str, str], timeout: float) -> Iterator[str | bytes]:
    """Yield a WebSocket's messages until the server closes it."""
    with connect(url, additional_headers=headers, open_timeout=timeout, close_timeout=1) as socket:
        yield from socket
