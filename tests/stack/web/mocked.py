"""Answers of the API that the stack itself would take long to give, or never gives."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route

CREATED = "2026-11-20T08:00:00.000Z"
_LIST = "**/api/deployments?*"


def workload(status: str = "active", **changes: Any) -> dict[str, Any]:
    """Return a workload as the list has it."""
    return {
        "deployment_id": str(uuid.uuid4()),
        "kind": "akash",
        "status": status,
        "dseq": "1795260785801",
        "provider": "akash1606dh6y4s0apc3z5zmqj93x0agztzr2d74kk8v",
        "price": "2.541667",
        "usd_per_hour": "0.0015",
        "services": {"web": {"available": 1, "total": 1, "uris": ["web.ingress.example.com"]}},
        "forwarded_ports": {},
        "ips": {},
        "observed_at": CREATED,
        "error": None,
        "close_requested_at": None,
        "close_reason": None,
        "closed_at": CREATED if status in ("closed", "error") else None,
        "active_at": CREATED,
        "created_at": CREATED,
        "updated_at": CREATED,
        "live": None,
        **changes,
    }


def token(status: str = "completed") -> dict[str, Any]:
    """Return a token as the list has it."""
    return {
        "deployment_id": str(uuid.uuid4()),
        "kind": "token",
        "status": status,
        "model_id": "sentiment-v2",
        "token_symbol": "SENT",
        "token_address": "0xC8BC8Ef611301D606B76e2c7809b6847D7760fb0",
        "total_cost": "799053873528321",
        "error": None,
        "created_at": CREATED,
        "updated_at": CREATED,
    }


def refusal(code: str, message: str) -> dict[str, Any]:
    """Return the envelope of a refusal."""
    return {"success": False, "error": {"code": code, "message": message}, "request_id": "request-1"}


def answer(route: Route, body: Any, status: int = 200) -> None:
    """Answer as the API would, to another origin."""
    origin = route.request.headers.get("origin", "*")
    route.fulfill(
        status=status,
        headers={"access-control-allow-origin": origin, "content-type": "application/json"},
        body=json.dumps(body),
    )


@dataclass
class MockedList:
    """Answers for the list of deployments, in pages as the API gives them.

    Attributes:
        deployments: What the list has.
        failing: A status and a body to answer instead.
        asked: How often its first page was asked for.
    """

    deployments: list[dict[str, Any]] = field(default_factory=list)
    failing: tuple[int, dict[str, Any]] | None = None
    asked: int = 0

    def serve(self, page: Page) -> MockedList:
        """Take the page's requests for the list; what Akash tells of each workload is nothing."""
        page.route(_LIST, self._page)
        page.route("**/api/deployments/*/status", lambda route: answer(route, {**workload(), "live": None}))
        return self

    def _page(self, route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        start, limit = int(query.get("cursor", ["0"])[0]), int(query["limit"][0])
        self.asked += start == 0
        if self.failing:
            answer(route, self.failing[1], self.failing[0])
            return
        end = start + limit
        next_cursor = str(end) if end < len(self.deployments) else None
        answer(route, {"deployments": self.deployments[start:end], "next_cursor": next_cursor})
