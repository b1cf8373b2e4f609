"""The routes for tests, which need no key, and the ledger.

| route | does |
|---|---|
| ``GET /_simulator/ledger`` | every deployment with what was done to it, sums, and faults that triggered by scenario |
| ``GET · PUT /_simulator/controls`` | controls for all (``controls.Controls``); a PUT replaces them |
| ``POST /_simulator/next`` | a scenario (``controls.Scenario``) for the next SDL that is created |
| ``POST /_simulator/advance {"seconds"}`` | skip simulated time |
| ``POST /_simulator/reset`` | forget everything but the accounts and the pace of time |
| ``POST /_simulator/accounts {"name", "key"?, "dollars"?}`` | another account, or another credit |
| ``GET /_simulator/providers`` · ``PUT /_simulator/providers/{address} {"online"}`` | providers by name and address |
| ``POST /_simulator/deployments/{dseq}/logs {"service", "lines", "every"?}`` | write lines, in steps of real seconds |
| ``POST /_simulator/deployments/{dseq}/leases/close`` | the provider gives the leases up |
"""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from local.console_api.answers import lease_state
from local.console_api.controls import Controls, Scenario
from local.console_api.market import Deployment, Market, RefusedError


class Steering:
    """Controls of one market."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._writers: set[asyncio.Task[None]] = set()

    def register(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_get("/_simulator/ledger", self._ledger)
        router.add_get("/_simulator/controls", self._controls)
        router.add_put("/_simulator/controls", self._set_controls)
        router.add_post("/_simulator/next", self._next)
        router.add_post("/_simulator/advance", self._advance)
        router.add_post("/_simulator/reset", self._reset)
        router.add_post("/_simulator/accounts", self._add_account)
        router.add_get("/_simulator/providers", self._providers)
        router.add_put("/_simulator/providers/{address}", self._set_provider)
        router.add_post("/_simulator/deployments/{dseq}/logs", self._write)
        router.add_post("/_simulator/deployments/{dseq}/leases/close", self._close_leases)

    async def _ledger(self, request: web.Request) -> web.Response:
        wanted = request.query.get("owner")
        entries = [
            self._entry(deployment)
            for deployment in self._market.everything()
            if wanted in (None, deployment.account.address, deployment.account.name)
        ]
        return web.json_response(
            {
                "deployments": entries,
                "manifests": _by_manifest(entries, self._market.creates),
                "faults": dict(self._market.triggered),
                "open": sum(entry["state"] == "active" for entry in entries),
                "closed": sum(entry["state"] == "closed" for entry in entries),
                "leased": sum(entry["leased_at"] is not None for entry in entries),
                "paid": str(sum((Decimal(entry["paid"]) for entry in entries), Decimal(0))),
            }
        )

    def _entry(self, deployment: Deployment) -> dict[str, Any]:
        clock, leases = self._market.clock, deployment.leases
        escrow = self._market.escrow(deployment)
        return {
            "dseq": deployment.dseq,
            "owner": deployment.account.address,
            "account": deployment.account.name,
            "key": deployment.account.key,
            "hash": deployment.workload.hash,
            "scenario": deployment.scenario.id,
            "state": "active" if deployment.is_active else "closed",
            "created_at": clock.text(deployment.created_at),
            "closed_at": None if deployment.closed_at is None else clock.text(deployment.closed_at),
            "closed_by": deployment.closed_by,
            "leased_at": clock.text(leases[0].created_at) if leases else None,
            "leases": [
                {
                    "gseq": lease.bid.gseq,
                    "provider": lease.provider.address,
                    "state": lease_state(self._market, deployment, lease),
                    "price": str(lease.bid.price),
                    "reason": lease.reason or None,
                    "has_manifest": lease.manifest_at is not None,
                    "ready": self._market.is_ready(deployment, lease),
                }
                for lease in leases
            ],
            "deposit": str(deployment.deposit),
            "paid": str(escrow.spent),
        }

    async def _controls(self, _: web.Request) -> web.Response:
        return web.json_response(text=self._market.controls.model_dump_json(by_alias=True))

    async def _set_controls(self, request: web.Request) -> web.Response:
        self._market.set_controls(await _read(request, Controls))
        return await self._controls(request)

    async def _next(self, request: web.Request) -> web.Response:
        self._market.queue(await _read(request, Scenario))
        return web.Response(status=204)

    async def _advance(self, request: web.Request) -> web.Response:
        self._market.clock.advance(float((await _json(request))["seconds"]))
        return web.Response(status=204)

    async def _reset(self, _: web.Request) -> web.Response:
        self._market.reset(Controls())
        return web.Response(status=204)

    async def _add_account(self, request: web.Request) -> web.Response:
        given = await _json(request)
        dollars = Decimal(str(given.get("dollars", 1000)))
        account = self._market.add_account(str(given["name"]), given.get("key"), dollars)
        return web.json_response({"name": account.name, "key": account.key, "address": account.address}, status=201)

    async def _providers(self, _: web.Request) -> web.Response:
        return web.json_response(
            [
                {
                    "name": provider.name,
                    "address": address,
                    "online": provider.online,
                    "audited": provider.audited,
                    "region": provider.region,
                }
                for address, provider in self._market.providers.items()
            ]
        )

    async def _set_provider(self, request: web.Request) -> web.Response:
        provider = self._market.providers.get(request.match_info["address"])
        if provider is None:
            raise RefusedError(404, "Provider not found")
        provider.online = bool((await _json(request))["online"])
        return web.Response(status=204)

    async def _write(self, request: web.Request) -> web.Response:
        given = await _json(request)
        service, lines = str(given["service"]), [str(line) for line in given["lines"]]
        books = [
            lease.logs[service]
            for lease in self._find(request).leases
            if lease.closed_at is None and service in lease.logs
        ]
        if not books:
            raise RefusedError(404, f"No service {service} runs")
        if every := float(given.get("every", 0)):

            async def write() -> None:
                for line in lines:
                    books[0].write(line)
                    await asyncio.sleep(every)

            task = asyncio.create_task(write())
            self._writers.add(task)
            task.add_done_callback(self._writers.discard)
        else:
            books[0].write(*lines)
        return web.Response(status=204)

    async def _close_leases(self, request: web.Request) -> web.Response:
        for lease in self._find(request).leases:
            self._market.close_lease(lease, "lease_closed_unstable")
        return web.Response(status=204)

    def _find(self, request: web.Request) -> Deployment:
        dseq = request.match_info["dseq"]
        found = next((entry for entry in self._market.everything() if entry.dseq == dseq), None)
        if found is None:
            raise RefusedError(404, "Deployment not found")
        return found


def _by_manifest(entries: list[dict[str, Any]], creates: dict[str, int]) -> dict[str, dict[str, int]]:
    """Count how often each manifest was created, how many of those are open, and how many were ever leased: paid
    for."""
    return {
        manifest: {
            "creates": count,
            "open": sum(entry["hash"] == manifest and entry["state"] == "active" for entry in entries),
            "leased": sum(entry["hash"] == manifest and entry["leased_at"] is not None for entry in entries),
        }
        for manifest, count in creates.items()
    }


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        given = json.loads(await request.read())
    except ValueError as error:
        raise RefusedError(400, "The body is not JSON") from error
    if not isinstance(given, dict):
        raise RefusedError(400, "The body is not an object")
    return given


async def _read[Shape: BaseModel](request: web.Request, shape: type[Shape]) -> Shape:
    try:
        return shape.model_validate(await _json(request))
    except ValidationError as error:
        raise RefusedError(400, str(error)) from error
