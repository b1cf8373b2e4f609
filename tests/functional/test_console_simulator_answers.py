"""Every answer of the simulator against schemas: our own, and the published document where it is at hand.

CONSOLE_API_DOCUMENT names a file with the Console API's OpenAPI document (``GET /v1/doc``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from local.console_api.clock import Clock
from local.console_api.keys import DEFAULT_KEY
from local.console_api.market import Market
from local.console_api.server import application, running
from tests.support.console_schemas import ANSWERS, ERROR, Schema
from tests.support.console_simulator import RPC_PORT, Simulator, sdl

KEY = {"x-api-key": DEFAULT_KEY}
DOCUMENT = os.environ.get("CONSOLE_API_DOCUMENT")
_INTERNAL = ("/_simulator", "/status", "/healthz")


class Recorder:
    """Asks the simulator and keeps every answer with its route."""

    def __init__(self, url: str) -> None:
        self.simulator = Simulator(url)
        self.answers: list[tuple[str, str, int, Any]] = []

    def __call__(self, method: str, route: str, body: Any = None, query: str = "", **path: str) -> Any:
        address = route.format(**path) + query
        answer = self.simulator.http.request(method, address, json=body, headers=KEY)
        value = answer.json()
        self.answers.append((method, route, answer.status_code, value))
        return value


def _deployments(ask: Recorder) -> None:
    """Deployments in every state: new, with bids, leased, silent, ready, updated, closed."""
    detail = "/v1/deployments/{dseq}"
    exposes = [*RPC_PORT, {"port": 8080, "as": 80, "to": [{"global": True}]}]
    text = sdl(exposes=exposes, attributes={"host": "akash"}, gpu="a100")
    ask.simulator.control()
    made = ask("POST", "/v1/deployments", {"data": {"sdl": text, "deposit": 5}})["data"]
    dseq = made["dseq"]

    def look() -> None:
        ask("GET", detail, dseq=dseq)
        ask("GET", "/v1/deployments", query="?skip=0&limit=1")
        ask("GET", "/v1/bids", query=f"?dseq={dseq}")
        ask("GET", "/v1/balances")

    look()
    ask.simulator.advance(5)
    look()
    bid = ask("GET", "/v1/bids", query=f"?dseq={dseq}")["data"][0]["bid"]["id"]
    chosen = {key: bid[key] for key in ("dseq", "gseq", "oseq", "provider")}
    ask("POST", "/v1/leases", {"manifest": made["manifest"], "leases": [chosen]})
    for _ in range(2):
        look()
        ask.simulator.advance(5)
    ask("PUT", detail, {"data": {"sdl": text.replace("nginx:1.27", "nginx:1.28")}}, dseq=dseq)
    ask("POST", "/v1/deposit-deployment", {"data": {"dseq": dseq, "deposit": 1.5}})
    ask("DELETE", detail, dseq=dseq)
    look()


def _told_wrong(ask: Recorder) -> None:
    """Report forwarded ports as providers may, but for null, which the document does not know."""
    for kind in ("usual", "empty", "no_host", "two_candidates"):
        found = ask.simulator.ready(sdl({"ports": {"kind": kind}}, exposes=RPC_PORT))
        ask("GET", "/v1/deployments/{dseq}", dseq=found.dseq)


def _public(ask: Recorder) -> None:
    ask("GET", "/v1/providers")
    ask("GET", "/v1/providers", query="?scope=trial&addresses=akash1x")
    ask("GET", "/v1/gpu-prices")
    amount = {"cpu": 1000, "memory": 2**30, "storage": 2**30}
    ask("POST", "/v1/pricing", amount)
    ask("POST", "/v1/pricing", [amount, amount])
    token = {"data": {"ttl": 60, "leases": {"access": "scoped", "scope": ["logs"]}}}
    ask("POST", "/v1/create-jwt-token", token)


def _refusals(ask: Recorder) -> None:
    ask("GET", "/v1/deployments/{dseq}", dseq="1")
    ask("GET", "/v1/deployments/{dseq}", dseq="x")
    ask("GET", "/v1/bids")
    ask("POST", "/v1/deployments", {})
    ask("POST", "/v1/deployments", {"data": {"sdl": 1}})
    ask("POST", "/v1/deployments", {"data": {"sdl": "{", "deposit": 5}})
    ask("POST", "/v1/deployments", {"data": {"sdl": sdl(), "deposit": "five"}})
    ask("POST", "/v1/leases", {"manifest": "[]", "leases": []})
    ask("POST", "/v1/pricing", {})
    ask("POST", "/v1/create-jwt-token", {"data": {"ttl": 0}})
    ask("GET", "/v1/providers", query="?scope=none")
    for action in ("payment_required", "wallet_provisioning", "rate_limited", "unavailable", "error", "not_settled"):
        ask.simulator.control(faults=[{"call": "create", "action": action, "times": 1}])
        ask("POST", "/v1/deployments", {"data": {"sdl": sdl(), "deposit": 5}})
    ask.simulator.control()


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with running(Market(Clock())) as url:
        recorder = Recorder(url)
        steps: list[Callable[[Recorder], None]] = [_deployments, _told_wrong, _public, _refusals]
        for step in steps:
            step(recorder)
        yield recorder


def _wrong(schema: Schema, value: Any) -> list[str]:
    errors = Draft202012Validator(schema).iter_errors(value)
    return [f"{error.json_path}: {error.message}"[:300] for error in errors]


def test_every_route_was_asked(recorder: Recorder) -> None:
    asked = {(method, route) for method, route, _, _ in recorder.answers}
    routes = {
        (route.method, route.resource.canonical)
        for route in application(Market(Clock())).router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    routes = {(method, path) for method, path in routes if path != "/" and not path.startswith(_INTERNAL)}
    assert asked == routes
    assert {(method, route) for method, route, status in ANSWERS if status < 400} == routes


def test_every_answer_is_of_our_schemas(recorder: Recorder) -> None:
    for method, route, status, value in recorder.answers:
        schema = ANSWERS.get((method, route, status)) or (ERROR if status >= 400 else None)
        assert schema is not None, (method, route, status)
        assert _wrong(schema, value) == [], (method, route, status)


def test_refusals_name_their_codes(recorder: Recorder) -> None:
    told = {(status, value["code"]) for _, _, status, value in recorder.answers if "code" in value and status >= 400}
    assert told >= {
        (400, "bad_request"),
        (400, "validation_error"),
        (402, "payment_required"),
        (404, "not_found"),
        (409, "wallet_provisioning"),
        (429, "rate_limited"),
        (500, "internal_server_error"),
        (503, "service_unavailable"),
    }


def test_the_schemas_refuse_what_is_wrong(recorder: Recorder) -> None:
    detail = ANSWERS["GET", "/v1/deployments/{dseq}", 200]
    good = next(value for _, route, status, value in recorder.answers if route.endswith("{dseq}") and status == 200)
    assert _wrong(detail, good) == []
    data: dict[str, Any] = good["data"]
    wrong: tuple[dict[str, Any], ...] = (
        {},
        {**data, "leases": None},
        {**data, "deployment": {**data["deployment"], "id": {"owner": "x", "dseq": "d"}}},
    )
    for broken in wrong:
        assert _wrong(detail, {"data": broken})


def _as_json_schema(schema: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as JSON Schema; the lost backslashes of the document's patterns are put back."""
    if isinstance(schema, list):
        return [_as_json_schema(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {key: _as_json_schema(value) for key, value in schema.items() if key not in ("nullable", "example")}
    if converted.get("pattern") == "^d+$":
        converted["pattern"] = r"^\d+$"
    for limit, strict in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if converted.pop(strict, None) is True:
            converted[strict] = converted.pop(limit)
    return {"anyOf": [converted, {"type": "null"}]} if schema.get("nullable") is True else converted


@pytest.mark.skipif(not DOCUMENT, reason="CONSOLE_API_DOCUMENT names no file")
def test_every_answer_is_of_the_published_document(recorder: Recorder) -> None:
    document = json.loads(Path(str(DOCUMENT)).read_text(encoding="utf-8"))
    held = set()
    for method, route, status, value in recorder.answers:
        responses = document["paths"][route][method.lower()]["responses"]
        if str(status) not in responses:
            assert status >= 400, (method, route, status)
            continue
        content = responses[str(status)].get("content", {}).get("application/json")
        if content:
            assert _wrong(_as_json_schema(content["schema"]), value) == [], (method, route, status)
            held.add((method, route))
    assert held == {(method, route) for method, route, _ in ANSWERS}


def test_balances_are_exact_to_the_cent() -> None:
    with running(Market(Clock())) as url:
        simulator = Simulator(url)
        simulator.created()
        told = simulator.api.balances()
        assert (told.balance, told.deployments, told.total) == (Decimal(995), Decimal(5), Decimal(1000))
        assert httpx.get(f"{url}/v1/balances", headers=KEY).json()["data"]["total"] == 1000
