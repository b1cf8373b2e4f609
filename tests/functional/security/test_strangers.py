"""What somebody who has not signed in can make us do: no reading, no rows, no surprises."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slipway import http
from tests.support.authorization import ROUTES
from tests.support.functions import CONTEXT, event, function_app
from tests.support.installation import Installation
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


# ── Paths ───────────────────────────────────────────────────────────────────────────────────────


def _elsewhere(method: str, path: str) -> dict[str, Any]:
    given = event("api_documents_document")
    given["routeKey"] = given["requestContext"]["routeKey"] = "$default"
    given["requestContext"]["http"] |= {"method": method, "path": path}
    given["rawPath"] = path
    found: dict[str, Any] = function_app("api/documents").handler(given, CONTEXT)
    return {**found, "body": json.loads(found["body"])}


@pytest.mark.parametrize(
    "path",
    ["/", "/api", "/api/nowhere", "/api/deployments/", "/api/deployments/a/b", "/favicon.ico", "/.env", "//docs"],
)
def test_an_unknown_path_is_refused_in_the_envelope(path: str) -> None:
    found = _elsewhere("GET", path)
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
def test_an_unknown_method_is_refused_in_the_envelope(method: str, path: str, allowed: str) -> None:
    found = _elsewhere(method, path)
    assert (found["statusCode"], found["body"]["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert found["headers"]["allow"] == allowed
