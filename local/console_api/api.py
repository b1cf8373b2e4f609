"""The Console API's routes.

Each request is judged in the real order: whose key it is, whether its shape is right, then what it asks for. Between
the last two a fault may trigger (``controls``).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from local.console_api import answers
from local.console_api.controls import Fault, Scenario
from local.console_api.market import DOLLAR, Account, Deployment, Market, RefusedError
from local.console_api.providers import monthly_dollars
from local.console_api.sdl import InvalidSdlError, Workload, parse_sdl
from local.console_api.tokens import Tokens

_HANG_SECONDS = 300.0
_POLL_INTERVAL_SECONDS = 0.05
_DSEQ = re.compile(r"\d+")
_CODES = {
    400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 409: "conflict",
    429: "rate_limited", 500: "internal_server_error", 502: "database_timeout", 503: "service_unavailable",
}  # fmt: skip
_FAULTS: dict[str, RefusedError] = {
    "payment_required": RefusedError(402, "Not enough credit: add at least 4.20 USD", "payment_required"),
    "wallet_provisioning": RefusedError(
        409, "Your wallet is still being set up. Try again shortly.", "wallet_provisioning"
    ),
    "rate_limited": RefusedError(429, "Too many requests"),
    "unavailable": RefusedError(503, "Service temporarily unavailable"),
    "error": RefusedError(500, "Internal server error"),
    "database_timeout": RefusedError(502, "Database connection timed out"),
    "not_settled": RefusedError(400, "Deployment escrow cannot be settled yet"),
    "bid_closed": RefusedError(
        400,
        "Failed to create lease: Cannot create lease: The selected bid is no longer open. "
        "Please refresh and select an available bid.",
    ),
    "unauthorized": RefusedError(401, "Invalid API key"),
}
Perform = Callable[[], Any]


def refusal(error: RefusedError) -> web.Response:
    """Return the body of every refusal."""
    code = error.code or _CODES.get(error.status, "bad_request")
    kind = "server_error" if error.status >= 500 else "client_error"
    body: dict[str, Any] = {
        "error": code.title().replace("_", "") + "Error",
        "message": error.message,
        "code": code,
        "type": "validation_error" if code == "validation_error" else kind,
    }
    if error.data is not None:
        body["data"] = error.data
    return web.json_response(body, status=error.status)


def _invalid(path: list[str], message: str) -> RefusedError:
    issue = {"code": "invalid_type", "path": path, "message": message}
    return RefusedError(400, "Validation error", "validation_error", [issue])


@web.middleware
async def refusals(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """Turn what was refused into the API's error bodies."""
    try:
        return await handler(request)
    except RefusedError as error:
        return refusal(error)
    except InvalidSdlError as error:
        return refusal(RefusedError(400, f"Invalid SDL: {error}"))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return refusal(RefusedError(error.status, error.reason))


class ConsoleRoutes:
    """The API over one market."""

    def __init__(self, market: Market, tokens: Tokens) -> None:
        self._market = market
        self._tokens = tokens
        self._late: set[asyncio.Task[None]] = set()

    def register(self, router: web.UrlDispatcher) -> None:
        """Add the routes."""
        router.add_post("/v1/deployments", self._create)
        router.add_get("/v1/deployments", self._list)
        router.add_get("/v1/deployments/{dseq}", self._detail)
        router.add_put("/v1/deployments/{dseq}", self._update)
        router.add_delete("/v1/deployments/{dseq}", self._close)
        router.add_post("/v1/deposit-deployment", self._deposit)
        router.add_post("/v1/leases", self._lease)
        router.add_get("/v1/bids", self._bids)
        router.add_get("/v1/balances", self._balances)
        router.add_post("/v1/create-jwt-token", self._token)
        router.add_get("/v1/providers", self._providers)
        router.add_get("/v1/gpu-prices", self._gpu_prices)
        router.add_post("/v1/pricing", self._pricing)
        router.add_get("/status", self._health)
        router.add_get("/healthz", self._health)

    # ── What all calls share ────────────────────────────────────────────────────────────────────

    def _account(self, request: web.Request) -> Account:
        key, bearer = request.headers.get("x-api-key"), request.headers.get("authorization")
        if key and bearer:
            raise RefusedError(400, "API key and bearer token are mutually exclusive")
        if not key or key not in self._market.accounts:
            raise RefusedError(401, "Invalid API key" if key else "Unauthorized")
        return self._market.accounts[key]

    async def _perform(
        self, request: web.Request, call: str, perform: Perform, scenario: Scenario | None = None, status: int = 200
    ) -> web.Response:
        """Do a call, unless a fault triggers."""
        latency = self._market.effective(scenario).latency
        await asyncio.sleep(latency.get(call, latency.get("*", 0.0)))  # type: ignore[call-overload]
        fault = self._market.fault(call, scenario)
        if fault and fault.performed and fault.late:
            self._later(perform, fault.late)
        if fault and (fault.late or not fault.performed):
            return await _strike(request, fault)
        answer = perform()
        if fault:
            return await _strike(request, fault)
        return web.json_response(answer, status=status)

    def _later(self, perform: Perform, seconds: float) -> None:
        async def work() -> None:
            await asyncio.sleep(seconds)
            with suppress(RefusedError):
                perform()

        task = asyncio.create_task(work())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _body(self, request: web.Request) -> dict[str, Any]:
        try:
            body = json.loads(await request.read())
        except ValueError as error:
            raise RefusedError(400, "Malformed JSON in request body") from error
        if not isinstance(body, dict):
            raise _invalid([], "Expected object")
        return body

    async def _data(self, request: web.Request) -> dict[str, Any]:
        data = (await self._body(request)).get("data")
        if not isinstance(data, dict):
            raise _invalid(["data"], "Required")
        return data

    def _deployment(self, account: Account, request: web.Request) -> Deployment:
        return self._market.find(account, _dseq(request.match_info["dseq"]))

    def _detail_answer(self, deployment: Deployment) -> dict[str, Any]:
        return {"data": answers.deployment_answer(self._market, deployment, with_status=True)}

    # ── Deployments ─────────────────────────────────────────────────────────────────────────────

    async def _create(self, request: web.Request) -> web.Response:
        account, data = self._account(request), await self._data(request)
        workload, deposit = _sdl(data), _deposit(data)
        # Upstream's number is its clock when it gets the request, however long the transaction takes.
        dseq = str(int(self._market.clock.wall() * 1000))
        scenario = self._market.scenario(workload)

        def perform() -> Any:
            found = self._market.create(account, dseq, workload, deposit, scenario)
            transaction = {"code": 0, "transactionHash": answers.transaction_hash(found.dseq), "rawLog": ""}
            return {"data": {"dseq": found.dseq, "manifest": workload.manifest, "signTx": transaction}}

        return await self._perform(request, "create", perform, scenario, 201)

    async def _list(self, request: web.Request) -> web.Response:
        account = self._account(request)
        skip, limit = _number(request, "skip", 0, None), _number(request, "limit", 1, None)

        def perform() -> Any:
            active = [found for found in self._market.all_of(account.address) if found.is_active]
            start, size = skip or 0, limit or 1000
            page = active[start : start + size]
            has_more = skip is not None and limit is not None and start + size < len(active)
            return {
                "data": {
                    "deployments": [
                        answers.deployment_answer(self._market, found, with_status=False) for found in page
                    ],
                    "pagination": {"total": len(active), "skip": start, "limit": size, "hasMore": has_more},
                }
            }

        return await self._perform(request, "list", perform)

    async def _detail(self, request: web.Request) -> web.Response:
        account = self._account(request)
        found = self._deployment(account, request)
        return await self._perform(
            request, "detail", lambda: self._detail_answer(self._deployment(account, request)), found.scenario
        )

    async def _update(self, request: web.Request) -> web.Response:
        account, data = self._account(request), await self._data(request)
        found, workload = self._deployment(account, request), _sdl(data)

        def perform() -> Any:
            self._market.update(found, workload)
            return self._detail_answer(found)

        return await self._perform(request, "update", perform, found.scenario)

    async def _close(self, request: web.Request) -> web.Response:
        account = self._account(request)
        found = self._deployment(account, request)

        def perform() -> Any:
            self._market.close(self._market.settled(found))
            return {"data": {"success": True}}

        return await self._perform(request, "close", perform, found.scenario)

    async def _deposit(self, request: web.Request) -> web.Response:
        account, data = self._account(request), await self._data(request)
        found, deposit = self._market.find(account, _dseq(str(data.get("dseq")))), _deposit(data)

        def perform() -> Any:
            self._market.add_deposit(found, deposit)
            return self._detail_answer(found)

        return await self._perform(request, "other", perform, found.scenario)

    # ── Bids and leases ─────────────────────────────────────────────────────────────────────────

    async def _bids(self, request: web.Request) -> web.Response:
        account = self._account(request)
        dseq = _dseq(request.match_info.get("dseq") or request.query.get("dseq", ""))
        found = self._market.deployments.get((account.address, dseq))

        def perform() -> Any:
            listed = self._market.listed_bids(self._market.settled(found)) if found else []
            return {"data": [answers.bid_answer(self._market, found, bid, state) for bid, state in listed if found]}

        return await self._perform(request, "bids", perform, found.scenario if found else None)

    async def _lease(self, request: web.Request) -> web.Response:
        account, body = self._account(request), await self._body(request)
        chosen, dseq = _chosen(body)
        manifest = body.get("manifest")
        if not isinstance(manifest, str):
            raise _invalid(["manifest"], "Required")
        found = self._market.find(account, dseq)

        def perform() -> Any:
            self._market.lease(self._market.settled(found), chosen)
            return None

        def deliver() -> Any:
            if manifest != found.workload.manifest:
                raise RefusedError(400, "Provider rejected the manifest: manifest version validation failed")
            self._market.deliver_manifest(found)
            return self._detail_answer(found)

        if self._market.fault("manifest", found.scenario):
            perform()
            raise RefusedError(503, "Provider service is temporarily unavailable")
        return await self._perform(request, "lease", lambda: (perform(), deliver())[1], found.scenario)

    # ── The account ─────────────────────────────────────────────────────────────────────────────

    async def _balances(self, request: web.Request) -> web.Response:
        account = self._account(request)

        def perform() -> Any:
            open_ones = [found for found in self._market.all_of(account.address) if found.is_active]
            held = sum((self._market.escrow(found).left for found in open_ones), Decimal(0))
            amounts = {"balance": account.credit, "deployments": held, "total": account.credit + held}
            return {"data": {name: float(amount / DOLLAR) for name, amount in amounts.items()}}

        return await self._perform(request, "balances", perform)

    async def _token(self, request: web.Request) -> web.Response:
        account, data = self._account(request), await self._data(request)

        def perform() -> Any:
            return {"data": {"token": self._tokens.make(account, data.get("ttl"), data.get("leases"))}}

        return await self._perform(request, "token", perform, status=201)

    # ── Public ──────────────────────────────────────────────────────────────────────────────────

    async def _providers(self, request: web.Request) -> web.Response:
        if request.query.get("scope", "all") not in ("all", "trial"):
            raise _invalid(["scope"], "Invalid enum value. Expected 'all' | 'trial'")
        wanted = set(filter(None, request.query.get("addresses", "").split(",")))
        shown = [provider for address, provider in self._market.providers.items() if not wanted or address in wanted]
        return await self._perform(
            request,
            "providers",
            lambda: [answers.provider_answer(self._market, provider) for provider in shown],
        )

    async def _gpu_prices(self, request: web.Request) -> web.Response:
        return await self._perform(request, "prices", lambda: answers.gpu_prices_answer(self._market))

    async def _pricing(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
        except ValueError as error:
            raise RefusedError(400, "Malformed JSON in request body") from error
        specs = body if isinstance(body, list) else [body]
        estimates = [_estimate(spec) for spec in specs]
        return await self._perform(request, "prices", lambda: estimates if isinstance(body, list) else estimates[0])

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})


async def until_gone(request: web.Request) -> None:
    """Say nothing until the client has left, at most for some minutes."""
    for _ in range(int(_HANG_SECONDS / _POLL_INTERVAL_SECONDS)):
        if request.transport is None or request.transport.is_closing():
            return
        await asyncio.sleep(_POLL_INTERVAL_SECONDS)


async def _strike(request: web.Request, fault: Fault) -> web.Response:
    """Answer as a fault says, or not at all."""
    if fault.action == "hang":
        await until_gone(request)
    if fault.action in ("drop", "hang"):
        if request.transport:
            request.transport.abort()
        return web.Response()
    headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    if fault.action in ("malformed", "gateway_timeout"):
        status = 504 if fault.action == "gateway_timeout" else 200
        return web.Response(status=status, text="<html></html>", content_type="text/html", headers=headers)
    if fault.action == "challenge":
        return web.Response(status=403, text="<html>Just a moment</html>", headers={"cf-mitigated": "challenge"})
    answer = refusal(_FAULTS[fault.action])
    answer.headers.update(headers)
    return answer


def _dseq(text: str) -> str:
    if not _DSEQ.fullmatch(text):
        raise _invalid(["dseq"], "Invalid dseq format")
    return text


def _number(request: web.Request, name: str, least: int, otherwise: int | None) -> int | None:
    text = request.query.get(name)
    if text is None or text == "":
        return otherwise
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise _invalid([name], f"Number must be greater than or equal to {least}")
    return int(text)


def _sdl(data: dict[str, Any]) -> Workload:
    sdl = data.get("sdl")
    if not isinstance(sdl, str):
        raise _invalid(["data", "sdl"], "Required")
    return parse_sdl(sdl)


def _deposit(data: dict[str, Any]) -> Decimal:
    given = data.get("deposit")
    if given is None:
        raise RefusedError(400, "deposit is required")
    try:
        deposit = Decimal(str(given))
    except InvalidOperation as error:
        raise _invalid(["data", "deposit"], "Expected number") from error
    if isinstance(given, bool) or not isinstance(given, int | float) or not deposit.is_finite() or deposit <= 0:
        raise _invalid(["data", "deposit"], "Expected number")
    return deposit


def _chosen(body: dict[str, Any]) -> tuple[list[tuple[int, int, str]], str]:
    leases = body.get("leases")
    if not isinstance(leases, list) or not leases:
        raise _invalid(["leases"], "Array must contain at least 1 element(s)")
    chosen = []
    for index, entry in enumerate(leases):
        provider = entry.get("provider") if isinstance(entry, dict) else None
        if not isinstance(provider, str) or not provider.startswith("akash1"):
            raise _invalid(["leases", str(index), "provider"], "Invalid address")
        gseq, oseq = entry.get("gseq"), entry.get("oseq")
        if not isinstance(gseq, int) or not isinstance(oseq, int):
            raise _invalid(["leases", str(index), "gseq"], "Expected number")
        chosen.append((gseq, oseq, provider))
    return chosen, _dseq(str(leases[0].get("dseq")))


def _estimate(spec: Any) -> dict[str, Any]:
    if not isinstance(spec, dict) or any(
        not isinstance(spec.get(name), int | float) or spec[name] < 0 for name in ("cpu", "memory", "storage")
    ):
        raise _invalid(["cpu"], "Expected number")
    price = monthly_dollars(int(spec["cpu"]), int(spec["memory"]), int(spec["storage"]))
    return {
        "spec": {name: spec[name] for name in ("cpu", "memory", "storage")},
        "akash": float(price),
        "aws": float(price * 5),
        "gcp": float(price * 4),
        "azure": float(price * 5),
    }
