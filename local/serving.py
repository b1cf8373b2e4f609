"""Serves one of the local build's own servers on loopback until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket

from aiohttp import web

from local.engine.server import LOOPBACK

log = logging.getLogger(__name__)


async def serve(runner: web.AppRunner, port: int, *, ipv6: bool = False) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        runner: The server.
        port: Where it listens.
        ipv6: On ::1 as well, which ``localhost`` may mean; without it where there is none.
    """
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    if ipv6 and _has_ipv6_loopback():
        try:
            await web.TCPSite(runner, "::1", port).start()
        except OSError as error:
            log.warning("not on ::1: %s", error)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await runner.cleanup()


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
