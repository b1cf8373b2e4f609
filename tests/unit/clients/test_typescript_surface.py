"""The TypeScript client has what the OpenAPI document and the Python client have."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from local.clients import TYPESCRIPT
from local.openapi.document import committed
from slipway_client import Slipway
from tests.unit.clients.left_out import LEFT_OUT

SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in TYPESCRIPT.parent.glob("*.ts")}
OPERATIONS: dict[str, Any] = {
    f"{method.upper()} {path}": operation
    for path, methods in committed()["paths"].items()
    for method, operation in methods.items()
}
_ROUTE = re.compile(r'"((?:GET|POST|PUT|PATCH|DELETE) /[^"]*)"')
# A method of a class, with what is between it and the next one.
_METHOD = re.compile(
    r"^  (?:private )?(?:async )?\*?(\w+)(?:<\w+>)?\((.*?)(?=^  (?:/\*\*|private|async|\w+\()|^}$)",
    re.MULTILINE | re.DOTALL,
)
MODULES = ("client", "connection", "jobs", "resources")


def _methods() -> list[tuple[str, str, str]]:
    """Name, source and route of each method that calls one."""
    return [
        (name, body, route)
        for module in MODULES
        for name, body in _METHOD.findall(SOURCES[module])
        for route in _ROUTE.findall(body)
    ]


METHODS = _methods()


def _id(value: str) -> str:
    return value if _ROUTE.fullmatch(f'"{value}"') else ""


def test_every_route_has_a_method_or_is_left_out_for_a_reason() -> None:
    called = {route for _, _, route in METHODS}
    assert called == {route for module in MODULES for route in _ROUTE.findall(SOURCES[module])}
    assert called & set(LEFT_OUT) == set()
    assert called | set(LEFT_OUT) == set(OPERATIONS)


@pytest.mark.parametrize(("name", "body", "route"), METHODS, ids=_id)
def test_a_method_returns_what_the_document_says(name: str, body: str, route: str) -> None:
    returned = re.search(r"Promise<types\.(\w+)>|AsyncGenerator<types\.(\w+), void>", body)
    answers = OPERATIONS[route]["responses"]
    schema = next(answers[status] for status in sorted(answers) if status.startswith("2"))
    schema = schema.get("content", {}).get("application/json", {}).get("schema", {})
    if not returned or "$ref" not in schema:
        return
    found = schema["$ref"].rpartition("/")[2]
    if field := re.search(r'pages\("[^"]+", "(\w+)"', body):
        page = committed()["components"]["schemas"][found]
        found = page["properties"][field[1]]["items"]["$ref"].rpartition("/")[2]
    elif returned[2]:
        return
    assert (returned[1] or returned[2]) == found


@pytest.mark.parametrize(("name", "body", "route"), METHODS, ids=_id)
def test_a_route_with_an_idempotency_key_lets_the_caller_choose_it(name: str, body: str, route: str) -> None:
    takes = any(parameter["name"] == "idempotency-key" for parameter in OPERATIONS[route].get("parameters", ()))
    assert takes == ("idempotencyKey" in body)


def test_it_has_the_methods_of_the_python_client() -> None:
    client = Slipway("http://x", api_key="k")
    parts = [(name, part) for name, part in vars(client).items() if not name.startswith("_")]
    wanted = {
        re.sub(r"_(\w)", lambda letter: letter[1].upper(), method)
        for part in (client, *(part for _, part in parts))
        for method, _ in inspect.getmembers(part, callable)
        if not method.startswith("_") and method not in dict(parts)
    } - {"close"}
    classes = "".join(SOURCES[module] for module in ("client", "jobs", "resources"))
    named = {name for name, _ in _METHOD.findall(classes)} | {"verifyWebhook"}
    assert wanted - named == set()
    for name, _ in parts:
        assert f"readonly {name}: " in SOURCES["client"]
