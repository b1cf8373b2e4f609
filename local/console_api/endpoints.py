"""Forwarded ports that really answer, on loopback, while their lease is ready (``controls.Ports.serve``)."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from local.console_api.api import until_gone
from local.console_api.market import Deployment, Lease, Market, forwarded
from local.engine.server import LOOPBACK

log = logging.getLogger("console_api")
# What a Banano node answers to {"action": "version"}.
BANANO_VERSION = {
    "rpc_version": "1",
    "store_version": "22",
    "protocol_version": "20",
    "node_vendor": "Banano V26.1",
    "store_vendor": "LMDB 0.9.70",
    "network": "live",
    "network_identifier": "29BF1184B0A2CDD3C5F1BE6E9D9D7F8A5F7A3B1C2D4E6F8091A2B3C4D5E6F708",
    "build_info": "simulated",
}
_POLL_INTERVAL_SECONDS = 0.1


async def _banano(request: web.Request) -> web.Response:
    try:
        action = json.loads(await request.read())["action"]
    except (ValueError, TypeError, LookupError):
        return web.json_response({"error": "Unable to parse JSON"})
    answers = {
        "version": BANANO_VERSION,
        "block_count": {"count": "123456", "unchecked": "0", "cemented": "123456"},
        "peers": {"peers": {f"[::ffff:198.51.100.{number}]:7071": "20" for number in range(3)}},
    }
    return web.json_response(answers.get(action, {"error": "Unknown command"}))


async def _nonsense(_: web.Request) -> web.Response:
    return web.Response(text="It works!", content_type="text/html")


async def _silence(request: web.Request) -> web.Response:
    await until_gone(request)
    return web.Response()


_ANSWERS = {"banano": _banano, "nonsense": _nonsense, "silence": _silence}


class Endpoints:
    """Opens and closes ports as leases come and go."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._open: dict[int, web.AppRunner] = {}
        self._lock = asyncio.Lock()

    async def run(self, _app: web.Application) -> Any:
        """Keep the ports as the market wants them while the server runs."""
        task = asyncio.create_task(self._follow())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for runner in self._open.values():
            await runner.cleanup()

    @web.middleware
    async def before_answers(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Open what an answer may call ready before it is given."""
        answer = await handler(request)
        await self._settle()
        return answer

    async def _follow(self) -> None:
        while True:
            await self._settle()
            await asyncio.sleep(_POLL_INTERVAL_SECONDS)

    async def _settle(self) -> None:
        async with self._lock:
            wanted = self._wanted()
            for port in [port for port in self._open if port not in wanted]:
                await self._open.pop(port).cleanup()
            for port, kind in wanted.items():
                if port not in self._open:
                    await self._serve(port, kind)

    def _wanted(self) -> dict[int, str]:
        return {
            port: kind
            for deployment in self._market.everything()
            if (kind := self._market.served(deployment))
            for lease in deployment.leases
            if self._market.is_ready(deployment, lease)
            for port in _tcp_ports(deployment, lease)
        }

    async def _serve(self, port: int, kind: str) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", _ANSWERS[kind])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, port).start()
        except OSError as error:
            log.warning("port %s of a workload can't be opened: %s", port, error)
            await runner.cleanup()
            return
        self._open[port] = runner


def _tcp_ports(deployment: Deployment, lease: Lease) -> list[int]:
    return [
        lease.node_ports[service.name, expose.port, expose.proto]
        for service, expose in forwarded(deployment.group(lease.bid.gseq))
        if expose.proto == "TCP"
    ]
