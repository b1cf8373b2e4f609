"""What somebody who has not signed in can make us do: no reading, no rows, no surprises."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections import Counter
from typing import Any

import pytest

from slipway import http
from slipway.jobs import store as job_store
from slipway.times import epoch_text
from tests.support.authorization import ROUTES
from tests.support.functions import CONTEXT, event, function_app
from tests.support.installation import Answer, Installation
from tests.support.template import ROOT
from tests.support.wallets import ADMIN, ALICE, OPERATOR
from tests.support.workers import enrol

EVENTS = {
    path.stem: given
    for path in sorted((ROOT / "events").glob("*.json"))
    if "routeKey" in (given := json.loads(path.read_text()))
}
ACCOUNTS = {"admin": ADMIN, "operator": OPERATOR, "user": ALICE, "wallet": ALICE}


# ── Parameters ──────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_parameter_is_refused(slipway: Installation) -> None:
    """Once the caller is known: a stranger does not learn which parameters a route takes."""
    tokens = {**{who: slipway.token(account) for who, account in ACCOUNTS.items()}, "worker": enrol(ALICE.address)}
    for name, given in EVENTS.items():
        token = tokens.get(ROUTES[given["routeKey"]].who)
        query = f"{given['rawQueryString']}&surprise=1".lstrip("&")
        body = {"raw": given["body"]} if "body" in given else {}
        answer = slipway.api(name, token=token, query=query, **body)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), name
        assert "surprise" in answer.body["error"]["message"] or name == "api_health"
        if token:
            assert slipway.api(name, query=query, **body).status == 401, name


# ── Bodies ──────────────────────────────────────────────────────────────────────────────────────


def test_a_strangers_body_is_not_parsed(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    loads = json.loads

    def counted(text: Any, *given: Any, **more: Any) -> Any:
        if len(text) > http.MAX_BODY_BYTES:
            parsed.append(len(text))
        return loads(text, *given, **more)

    monkeypatch.setattr(json, "loads", counted)
    large = json.dumps({"auth_token": "x" * 20, "padding": "[" * 5_500_000})
    for name, given in EVENTS.items():
        if given.get("body"):
            expected = 413 if ROUTES[given["routeKey"]].who == "anyone" else 401
            assert slipway.api(name, raw=large).status == expected, name
            assert slipway.api(name, raw="[" * 200_000).status == expected, name
    assert parsed == []


# ── Rows ────────────────────────────────────────────────────────────────────────────────────────

# What a stranger may send as a credential, however they came by it.
CREDENTIALS = ["", "Bearer ", "Bearer x", "Basic YTpi", "Bearer a.b.c", f"Bearer slk_{'A' * 80}", "Bearer slk_x", "é"]


def test_a_crowd_of_strangers_leaves_one_row_a_minute_and_kind(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """SLIPWAY_STRANGERS=10000 sends the whole crowd."""
    crowd = int(os.environ.get("SLIPWAY_STRANGERS") or 1000)
    names, began = itertools.cycle(EVENTS), 1_800_000_030
    refused: Counter[str] = Counter()
    for number in range(crowd):
        # The crowd comes within three minutes.
        monkeypatch.setattr(job_store, "now_text", lambda at=began + 180 * number / crowd: epoch_text(int(at)))
        name = next(names)
        if name == "heartbeat" or ROUTES[EVENTS[name]["routeKey"]].who != "anyone":
            body: dict[str, Any] = {"raw": "x" * (number % 50)} if number % 3 else {}
            credential = CREDENTIALS[number % len(CREDENTIALS)]
            answer = slipway.api(name, headers={"authorization": credential} if credential else {}, **body)
            assert answer.status == 401, (name, credential)
            refused[answer.code] += 1
    capfd.readouterr()
    rows = slipway.audit()
    assert sum(refused.values()) > crowd / 2
    minutes = {row["created_at"][:16] for row in rows}
    assert (len(rows), len(minutes), {row["outcome"] for row in rows}) == (4, 4, {"AUTH_FAILED"})
    assert [item for item in slipway.items("control") if item["pk"].startswith("STANDING")] == []


def test_a_sampled_row_is_of_the_first_of_its_minute(slipway: Installation) -> None:
    for name in ("api_deployments_list", "api_escrow_deposit", "api_deployments_list"):
        assert slipway.api(name).status == 401
    assert slipway.api("api_identity_verify", body={}).status == 400
    rows = {row["outcome"]: row for row in slipway.audit()}
    assert set(rows) == {"AUTH_FAILED", "VALIDATION_ERROR"}
    assert rows["AUTH_FAILED"]["action"] == "GET /api/deployments"
    # Another process finds the row.
    slipway.forget()
    assert slipway.api("api_escrow_deposit").status == 401
    assert slipway.audit() == sorted(rows.values(), key=lambda row: row["sk"])


def test_rows_of_the_trail_end(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_DAYS", "7")
    slipway.api("api_deployments_list")
    assert slipway.launch("unknown").status == 404
    slipway.model()
    assert slipway.launch().status == 202
    assert {row["outcome"] for row in slipway.audit()} >= {"AUTH_FAILED", "MODEL_NOT_FOUND", "accepted"}
    for row in slipway.audit():
        assert abs(float(row["expires_at"]) - time.time() - 7 * 86400) < 60


def test_an_address_gets_so_many_nonces_a_minute(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    app = function_app("api/identity")
    assert app.MAX_NONCES >= 300
    monkeypatch.setattr(app, "MAX_NONCES", 3)
    now = 1_800_000_030.0
    monkeypatch.setattr(time, "time", lambda: now)

    def ask(address: str) -> Answer:
        given = event("api_identity_nonce")
        given["requestContext"]["http"]["sourceIp"] = address
        return slipway.send(given)

    assert [ask("203.0.113.7").status for _ in range(5)] == [200, 200, 200, 429, 429]
    refused = ask("203.0.113.7")
    assert (refused.code, refused.headers["retry-after"]) == ("RATE_LIMIT_EXCEEDED", "30")
    # Nothing is written for the rest of the minute.
    slipway.calls.clear()
    ask("203.0.113.7")
    assert slipway.called("UpdateItem", "PutItem") == []
    assert ask("203.0.113.8").status == 200
    # An IPv6 customer has a whole network.
    assert [ask(f"2001:db8:1:2::{number}").status for number in range(4)] == [200, 200, 200, 429]
    assert ask("2001:db8:1:3::1").status == 200
    assert ask("::ffff:203.0.113.7").status == 429
    now += 30
    assert ask("203.0.113.7").status == 200


# ── Paths ───────────────────────────────────────────────────────────────────────────────────────


def _elsewhere(monkeypatch: pytest.MonkeyPatch, method: str, path: str) -> dict[str, Any]:
    given = event("api_documents_document")
    given["routeKey"] = given["requestContext"]["routeKey"] = "$default"
    given["requestContext"]["http"] |= {"method": method, "path": path}
    given["rawPath"] = path
    monkeypatch.setenv("BUILDS_FUNCTION", "builds")
    found: dict[str, Any] = function_app("api/documents").handler(given, CONTEXT)
    return {**found, "body": json.loads(found["body"])}


@pytest.mark.parametrize(
    "path",
    ["/", "/api", "/api/nowhere", "/api/deployments/", "/api/deployments/a/b", "/favicon.ico", "/.env", "//docs"],
)
def test_an_unknown_path_is_refused_in_the_envelope(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    found = _elsewhere(monkeypatch, "GET", path)
    assert (found["statusCode"], found["body"]["error"]["code"]) == (404, "NOT_FOUND")
    assert found["body"]["success"] is False
    assert found["body"]["request_id"] == found["headers"]["x-request-id"]
    assert path not in json.dumps(found["body"]) or path == "/"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/api/deployments", "GET, POST"),
        ("POST", "/health", "GET"),
        ("GET", "/heartbeat", "POST"),
        ("DELETE", "/api/admin/budgets", "GET, PUT"),
        ("TRACE", "/api/deployments/abc", "DELETE, GET, PATCH, PUT"),
    ],
)
def test_an_unknown_method_is_refused_in_the_envelope(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str, allowed: str
) -> None:
    found = _elsewhere(monkeypatch, method, path)
    assert (found["statusCode"], found["body"]["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert found["headers"]["allow"] == allowed
