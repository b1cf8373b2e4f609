"""The whole simulator as one server on loopback."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from local.console_api.api import ConsoleRoutes, refusals
from local.console_api.clock import Clock
from local.console_api.endpoints import Endpoints
from local.console_api.market import Deployment, Lease, Market
from local.console_api.provider_proxy import ProviderProxy
from local.console_api.steering import Steering
from local.console_api.tokens import Tokens
from local.engine.server import LOOPBACK

_TICK_SECONDS = 0.05
_START_SECONDS = 20.0


def application(market: Market) -> web.Application:
    """Return the server's application: the API, the provider proxy's WebSocket at ``/``, and the routes for tests."""
    tokens = Tokens()
    endpoints = Endpoints(market)
    app = web.Application(middlewares=[refusals, endpoints.before_answers], client_max_size=2 * 1024 * 1024)
    ConsoleRoutes(market, tokens).register(app.router)
    Steering(market).register(app.router)
    app.router.add_get("/", ProviderProxy(market, tokens).handle)
    app.cleanup_ctx.append(endpoints.run)
    app.cleanup_ctx.append(Services(market).run)
    return app


class Services:
    """What services write to their logs by themselves."""

    def __init__(self, market: Market) -> None:
        self._market = market

    async def run(self, _app: web.Application) -> Any:
        """Let services write while the server runs."""
        task = asyncio.create_task(self._follow())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            for deployment in self._market.everything():
                for lease in deployment.leases:
                    if self._market.is_heard(deployment, lease):
                        self._write(deployment, lease)
            await asyncio.sleep(_TICK_SECONDS)

    def _write(self, deployment: Deployment, lease: Lease) -> None:
        now, pause = self._market.clock.now(), self._market.effective(deployment.scenario).logs.lines_every
        for name, book in lease.logs.items():
            if book.written_at is None:
                book.written_at = now
                book.write(f"starting {name}", "ready to serve")
            elif pause and now >= book.written_at + pause:
                # Many services write the same line again and again; readers must not take two for one.
                book.written_at = now
                book.write("GET / 200")


@contextmanager
def running(market: Market | None = None, port: int = 0) -> Iterator[str]:
    """Run the simulator in a thread of this process, at the address that the context yields."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(application(market or Market(Clock())), access_log=None, shutdown_timeout=0.1)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, port)
        await site.start()
        return int(runner.addresses[0][1])

    try:
        bound = asyncio.run_coroutine_threadsafe(start(), loop).result(_START_SECONDS)
        yield f"http://{LOOPBACK}:{bound}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(_START_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_START_SECONDS)
        loop.close()
