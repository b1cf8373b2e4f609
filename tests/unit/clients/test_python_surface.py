"""The Python client has what the OpenAPI document has, in both forms, fresh."""

from __future__ import annotations

import ast
import inspect
import re
from typing import Any

import pytest

from local.clients import PYTHON, main, wanted
from local.openapi.document import committed
from local.paths import ROOT
from slipway_client import AsyncSlipway, Slipway
from tests.unit.clients.left_out import LEFT_OUT

OPERATIONS: dict[str, Any] = {
    f"{method.upper()} {path}": operation
    for path, methods in committed()["paths"].items()
    for method, operation in methods.items()
}
NAMES = {schema.replace("-", ""): schema for schema in committed()["components"]["schemas"]}


def _functions() -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [
        node
        for module in sorted((PYTHON / "_async").glob("*.py"))
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _routes(function: ast.AST) -> list[str]:
    return [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.partition(" ")[0] in ("GET", "POST", "PUT", "PATCH", "DELETE")
        and node.value.partition(" ")[2].startswith("/")
    ]


METHODS = {(function.name, route): function for function in _functions() for route in _routes(function)}


def test_every_route_has_a_method_or_is_left_out_for_a_reason() -> None:
    called = {route for _, route in METHODS}
    assert called & set(LEFT_OUT) == set()
    assert called | set(LEFT_OUT) == set(OPERATIONS)
    assert all(LEFT_OUT.values())


@pytest.mark.parametrize(("name", "route"), METHODS)
def test_a_method_returns_what_the_document_says(name: str, route: str) -> None:
    function = METHODS[name, route]
    if name == "_refreshed" or not isinstance(function, ast.AsyncFunctionDef) or function.returns is None:
        return  # Lists are checked by what their pages hold, below.
    returned = ast.unparse(function.returns)
    (_, answer), *_ = sorted((status, found) for status, found in _resolved(route).items() if status.startswith("2"))
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in schema and returned.startswith("types."):
        assert NAMES[returned.removeprefix("types.")] == schema["$ref"].rpartition("/")[2]
    elif not answer.get("content"):
        assert returned == "None"


def _resolved(route: str) -> dict[str, Any]:
    responses: dict[str, Any] = OPERATIONS[route]["responses"]
    return responses


@pytest.mark.parametrize(("name", "route"), [found for found in METHODS if isinstance(METHODS[found], ast.FunctionDef)])
def test_a_list_names_the_field_of_its_entries(name: str, route: str) -> None:
    function = METHODS[name, route]
    (call,) = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "self._api.pages"
    ]
    field = ast.literal_eval(call.args[1])
    schemas = committed()["components"]["schemas"]
    page = _resolved(route)["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    items = schemas[page]["properties"][field]["items"]
    assert "next_cursor" in schemas[page]["properties"]
    if "$ref" in items:
        assert ast.unparse(function.returns or call) == f"AsyncIterator[types.{items['$ref'].rpartition('/')[2]}]"


@pytest.mark.parametrize(("name", "route"), METHODS)
def test_a_method_names_only_parameters_of_its_route(name: str, route: str) -> None:
    """Parameters of the query and fields of the body, as far as they stand in one dictionary of the method."""
    operation = OPERATIONS[route]
    known = {parameter["name"] for parameter in operation.get("parameters", ())}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for one in body.get("anyOf", [body]):
        schema = committed()["components"]["schemas"].get(one.get("$ref", "").rpartition("/")[2], one)
        known |= set(schema.get("properties", ()))
    for node in ast.walk(METHODS[name, route]):
        if isinstance(node, ast.Assign | ast.keyword):
            target = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else str(node.arg)
            if target.split(",")[0].strip("(") in ("query", "body") and isinstance(node.value, ast.Dict):
                assert {ast.literal_eval(key) for key in node.value.keys if key} <= known
            elif target == "body" and isinstance(node.value, ast.Call):
                assert {str(keyword.arg) for keyword in node.value.keywords} <= known


def test_a_route_with_an_idempotency_key_lets_the_caller_choose_it() -> None:
    for (name, route), function in METHODS.items():
        takes = any(parameter["name"] == "idempotency-key" for parameter in OPERATIONS[route].get("parameters", ()))
        arguments = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
        assert takes == ("idempotency_key" in arguments), (name, route)


def test_generated_files_are_fresh() -> None:
    for path, text in wanted().items():
        assert path.read_text(encoding="utf-8") == text, "run `make openapi` and commit what it wrote"


def test_a_stale_file_is_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["clients", "--check"])
    monkeypatch.setattr("local.clients.wanted", lambda: {PYTHON / "types.py": "stale"})
    assert main() == 1
    assert "types.py: stale" in capsys.readouterr().err


def test_both_clients_have_the_same_methods() -> None:
    """And one is awaited where the other is not."""
    blocking, awaited = Slipway("http://x", api_key="k"), AsyncSlipway("http://x", api_key="k")
    parts = [name for name, value in vars(blocking).items() if not name.startswith("_")]
    assert len(parts) == 13
    for of_one, of_other in [(blocking, awaited), *((getattr(blocking, n), getattr(awaited, n)) for n in parts)]:
        methods = {name for name, _ in inspect.getmembers(of_one, callable) if not name.startswith("_")}
        others = {name for name, _ in inspect.getmembers(of_other, callable) if not name.startswith("_")}
        assert {name.replace("close", "aclose") if of_one is blocking else name for name in methods} == others
        for name in methods - {"close"}:
            one, other = (inspect.signature(getattr(part, name)) for part in (of_one, of_other))
            assert list(one.parameters) == list(other.parameters)


def test_every_method_is_in_the_guide() -> None:
    guide = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    client = Slipway("http://x", api_key="k")
    parts = [(name, part) for name, part in vars(client).items() if not name.startswith("_")]
    methods = {
        method
        for part in (client, *(part for _, part in parts))
        for method, _ in inspect.getmembers(part, callable)
        if not method.startswith("_")
    }
    methods -= {"close", *(name for name, _ in parts)}
    assert {name for name in methods if not re.search(rf"`\.?{name}`", guide)} == set()
