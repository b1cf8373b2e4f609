"""An API that answers what a test wants, and the clients of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import httpx

from slipway_client import AsyncSlipway, Slipway

API = "https://api.example.com"
BEGAN = 1_800_000_000.0
KEY = "0x" + "11" * 32
TOKENS = {"token_type": "Bearer", "expires_in": 900, "refresh_expires_in": 86400}
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def answered(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def refused(code: str, status: int, **headers: str) -> httpx.Response:
    body = {"success": False, "error": {"code": code, "message": f"It is {code}"}, "request_id": "r-1"}
    return answered(body, status, **headers)


@dataclass
class Api:
    """Answers each route with what was put there, the last one again and again, and signs anybody in."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    sessions: int = 0

    def on(self, route: str, *answers: Answer) -> Api:
        self.answers[route] = list(answers)
        return self

    def asked(self, route: str) -> list[httpx.Request]:
        return [request for request in self.requests if _route(request) == route]

    def handle(self, request: httpx.Request) -> httpx.Response:
        # A copy: the client may send the same request with another token.
        self.requests.append(
            httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        )
        answers = self.answers.get(_route(request))
        if not answers:
            return self._auth(request)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer(request)
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def _auth(self, request: httpx.Request) -> httpx.Response:
        if _route(request) == "GET /api/auth/nonce":
            return answered({"nonce": f"nonce{len(self.requests):08}", "chain_id": 31337})
        if _route(request) in ("POST /api/auth/verify", "POST /api/auth/refresh"):
            self.sessions += 1
            return answered(
                {**TOKENS, "access_token": f"access-{self.sessions}", "refresh_token": f"refresh-{self.sessions}"}
            )
        return refused("NOT_FOUND", 404)

    @contextmanager
    def sync(self, **options: Any) -> Iterator[Slipway]:
        http = httpx.Client(transport=httpx.MockTransport(self.handle))
        with self.clock(), Slipway(API, http=http, **{"private_key": KEY, **options}) as client:
            yield client

    def asynchronous(self, task: Callable[[AsyncSlipway], Any], **options: Any) -> Any:
        async def run() -> Any:
            http = httpx.AsyncClient(transport=httpx.MockTransport(self.handle))
            async with AsyncSlipway(API, http=http, **{"private_key": KEY, **options}) as client:
                return await task(client)

        with self.clock():
            return asyncio.run(run())

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Keep waits instead of waiting; the clock runs with them."""

        def now() -> float:
            return BEGAN + sum(self.waited)

        async def later(seconds: float) -> None:
            self.waited.append(seconds)

        with (
            mock.patch.multiple("slipway_client._sync.driver", sleep=self.waited.append, now=now),
            mock.patch.multiple("slipway_client._async.driver", sleep=later, now=now),
        ):
            yield


def _route(request: httpx.Request) -> str:
    return f"{request.method} {request.url.path}"


def bearer(request: httpx.Request) -> str:
    return str(request.headers.get("authorization", "")).removeprefix("Bearer ")


def body_of(request: httpx.Request) -> Any:
    return json.loads(request.content)
