"""A crowd of strangers at the deployed template: what one of them costs, and that nobody else notices.

SLIPWAY_STRANGERS=10000 sends the whole crowd.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from slipway.times import epoch_milliseconds
from tests.stack.conftest import RunningStack
from tests.stack.launches import Token, bearer
from tests.support.workers import body, enrol_at, wallet

FORGED = {"authorization": "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiJhIn0." + "A" * 86}
UNKNOWN_KEY = {"authorization": "Bearer slk_" + "A" * 80}
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "no token": ("GET", "/api/deployments", {}),
    "no token, a body": ("POST", "/api/deployments", {"json": {"model_id": "m"}}),
    "a large body": ("POST", "/api/v1/builds", {"content": b'{"auth_token": "' + b"x" * 200_000 + b'"}'}),
    "a forged token": ("GET", "/workers", {"headers": FORGED}),
    "an unknown key": ("GET", "/payments", {"headers": UNKNOWN_KEY}),
    "an unknown path": ("GET", "/wp-login.php", {}),
    "an unknown method": ("PUT", "/api/escrow", {}),
    "a beat without a token": ("POST", "/heartbeat", {"json": {}}),
    "a sign-in for another site": ("POST", "/api/auth/verify", {"json": {
        "message": "x" * 3800 + " wants you to sign in with your Ethereum account:", "signature": "0x" + "00" * 65,
    }}),
    "a made-up refresh token": ("POST", "/api/auth/refresh", {"json": {"refresh_token": "x" * 80}}),
    "a made-up enrolment code": ("POST", f"/workers/0x{'1' * 40}/tokens", {"json": {"enrolment_code": "x" * 32}}),
}  # fmt: skip
TICKS = os.sysconf("SC_CLK_TCK")
TIMES, EACH = 3.0, 20


def _seconds_of(stack: RunningStack) -> float:
    """CPU seconds that the engine and its functions have used; those that ended count with the engine."""
    named = f"AWS_ENDPOINT_URL=http://127.0.0.1:{urlsplit(stack.aws_endpoint).port}".encode()
    used = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if named in (process / "environ").read_bytes().split(b"\0"):
                used += sum(map(int, (process / "stat").read_text().rpartition(")")[2].split()[11:15]))
        except OSError:
            continue
    return used / TICKS


def _cost(stack: RunningStack, ask: Callable[[], httpx.Response]) -> float:
    for _ in range(3):
        ask()
    before = _seconds_of(stack)
    for _ in range(EACH):
        ask()
    return (_seconds_of(stack) - before) / EACH


def test_a_stranger_costs_less_than_three_looks_at_health(stack: RunningStack) -> None:
    health = min(_cost(stack, lambda: stack.http.get("/health")) for _ in range(2))
    assert health > 0
    costs = {}
    for name, (method, path, parts) in KINDS.items():

        def ask(method: str = method, path: str = path, parts: dict[str, Any] = parts) -> httpx.Response:
            answer = stack.http.request(method, path, **parts)
            assert 400 <= answer.status_code < 500, answer.text
            return answer

        costs[name] = _cost(stack, ask) / health
    print({name: round(cost, 2) for name, cost in costs.items()}, f"× {1000 * health:.1f} ms")
    assert {name: cost for name, cost in costs.items() if cost >= TIMES} == {}


def test_nobody_notices_a_crowd_of_strangers(stack: RunningStack, admin: Token) -> None:
    crowd, began = int(os.environ.get("SLIPWAY_STRANGERS") or 200), datetime.now(UTC)
    address = wallet(secrets.randbits(150))
    token = enrol_at(stack.client("dynamodb"), stack.outputs["WorkersTableName"], address)
    kinds = list(KINDS.values())

    def send(number: int) -> int:
        if number % 10:
            method, path, parts = kinds[number % len(kinds)]
            return stack.http.request(method, path, **parts).status_code
        given = body(address, epoch_milliseconds())
        return stack.http.post("/heartbeat", json=given, headers=bearer(token)).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(send, range(crowd)))
    assert set(statuses[::10]) == {200}
    assert {status for number, status in enumerate(statuses) if number % 10} <= {400, 401, 404, 405, 413}
    rows, query = [], {"from": began.isoformat(), "limit": "200"}
    while query:
        page = stack.http.get("/api/admin/audit", params=query, headers=bearer(admin)).json()
        rows += [row for row in page["events"] if row["user"] is None]
        query = {**query, "cursor": page["next_cursor"]} if page["next_cursor"] else {}
    kinds_of_rows = {(row["at"][:16], row["outcome"]) for row in rows}
    assert len(rows) == len(kinds_of_rows) < 30
