"""docs/openapi.json: fresh, whole, and true to the models it was written from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.openapi.document import DOCUMENT, committed, text
from local.openapi.plain_routes import Heartbeat
from local.source_template import http_routes
from slipway.errors import ValidationFailedError
from slipway.times import epoch_milliseconds
from slipway.workers.heartbeat_request import read_beat
from tests.support.functions import function_app

ROUTES = {route.key: route for route in http_routes()}
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in committed()["paths"].items()
    for method, operation in methods.items()
}
# Anyone may call them; every other route needs a token.
PUBLIC = {
    "GET /.well-known/jwks.json",
    "GET /api/auth/nonce",
    "POST /api/auth/verify",
    # The message, the refresh token or the issuer's own token is the proof.
    "POST /api/auth/refresh",
    "POST /api/auth/logout",
    "POST /api/auth/link",
    "GET /api/providers",
    "GET /api/setup",
    "GET /api/tokens/{address}",
    "GET /api/tokens/{address}/abi",
    "GET /api/tokens/{address}/metadata",
    "GET /health",
    # The enrolment code is the proof.
    "POST /workers/{wallet}/tokens",
    # Where the owner allows it.
    "GET /workers/{wallet}/badge.svg",
    "GET /workers/{wallet}/status",
    "GET /openapi.json",
    "GET /docs",
    "GET /docs/{file}",
}


def test_the_committed_document_is_fresh() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "run `make openapi` and commit docs/openapi.json"


def test_it_reports_every_route_of_the_template_and_of_no_other() -> None:
    assert set(OPERATIONS) == set(ROUTES)


def test_operations_have_names_of_their_own_and_a_tag() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    told = {tag["name"] for tag in committed()["tags"]}
    assert {tag for operation in OPERATIONS.values() for tag in operation["tags"]} == told


@pytest.mark.parametrize("key", OPERATIONS)
def test_a_route_that_is_not_public_asks_for_a_token(key: str) -> None:
    operation = OPERATIONS[key]
    assert bool(operation["security"]) == (key not in PUBLIC)
    if key not in PUBLIC:
        assert _codes(operation, "401") == ["AUTH_FAILED"]


@pytest.mark.parametrize("key", OPERATIONS)
def test_what_takes_a_body_says_how_it_is_refused_and_has_an_example_that_fits(key: str) -> None:
    operation = OPERATIONS[key]
    if "requestBody" not in operation:
        return
    assert {"400", "413"} <= set(operation["responses"])
    content = operation["requestBody"]["content"]["application/json"]
    examples = list(_examples(content))
    assert examples
    for example in examples:
        _fits(example, content["schema"])


@pytest.mark.parametrize("key", OPERATIONS)
def test_answers_have_examples_that_fit(key: str) -> None:
    for status, answer in OPERATIONS[key]["responses"].items():
        content = _resolved(answer).get("content", {}).get("application/json")
        if content is None or content["schema"] in ({}, {"type": "object"}):
            continue
        examples = list(_examples(content))
        assert examples, status
        for example in examples:
            _fits(example, content["schema"])


def test_every_reference_leads_somewhere() -> None:
    for pointer in _references(committed()):
        found: Any = committed()
        for part in pointer.removeprefix("#/").split("/"):
            found = found[part]


def test_it_is_what_openapi_says_it_must_be() -> None:
    assert committed()["openapi"].startswith("3.1.")
    assert set(committed()["components"]["securitySchemes"]) == {"accessToken", "workerToken"}
    for schema in committed()["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


# ── Heartbeats are read by hand; the model in the document says the same ─────────────────────────────
NOW = epoch_milliseconds()
TEXT = st.text(max_size=300)
BEATS = st.fixed_dictionaries(
    {
        "walletAddress": st.sampled_from(["0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "0x12", ""]) | TEXT,
        "timestamp": st.just("2026-11-21T04:20:00Z"),
        "containers": st.lists(
            st.fixed_dictionaries({"containerName": TEXT, "port": TEXT}, optional={"image": TEXT}), max_size=3
        ),
    },
    optional={"signature": TEXT},
)


@given(body=BEATS)
def test_a_heartbeat_is_taken_as_the_document_says(body: dict[str, Any]) -> None:
    now = 1795235200000
    assert _taken(lambda: Heartbeat.model_validate(body)) == _taken(lambda: read_beat(body, now))


def test_the_plain_functions_are_there() -> None:
    for folder in ("heartbeat", "api/health"):
        assert callable(function_app(folder).handler)


def _taken(read: Any) -> bool:
    try:
        read()
    except (ValueError, ValidationFailedError):
        return False
    return True


def _codes(operation: dict[str, Any], status: str) -> list[str]:
    return list(_resolved(operation["responses"][status])["x-error-codes"])


def _resolved(answer: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in answer:
        return answer
    found: dict[str, Any] = committed()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return found


def _examples(content: dict[str, Any]) -> Iterator[Any]:
    if "example" in content:
        yield content["example"]
    yield from (entry["value"] for entry in content.get("examples", {}).values())


def _fits(example: Any, schema: dict[str, Any]) -> None:
    whole = {**schema, "components": committed()["components"]}
    jsonschema.Draft202012Validator(whole).validate(json.loads(json.dumps(example)))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for entry in value.values():
            yield from _references(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _references(entry)
