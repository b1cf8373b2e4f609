"""The document as a whole."""

from __future__ import annotations

import json
import re
from functools import cache
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.datastructures import Default
from fastapi.openapi.utils import get_openapi

from local.openapi import refusals
from local.openapi.examples import Sampler, body_examples, parameter_examples
from local.openapi.operations import Operation, operations
from local.paths import ROOT
from slipway import __version__

DOCUMENT = ROOT / "docs" / "openapi.json"
_REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')
_DESCRIPTION = """\
Launches ERC-20 tokens for validated models, workloads on Akash, smart-contract builds and stacks, and keeps watch over
a fleet of workers.

**Sign in** with your wallet (Sign-In with Ethereum, EIP-4361): take a nonce from `GET /api/auth/nonce`, sign a
message with it, exchange it at `POST /api/auth/verify` for an access token, and send
that as `Authorization: Bearer <token>`.

**Refusals** have one shape, `ErrorEnvelope`, also of unknown paths (404), methods (405) and query parameters (400).
Wait as long as `Retry-After` says where it is given. API Gateway itself may answer 429 or 503 with `{"message"}` when
there are too many requests.

**Idempotency-Key**: the same key with the same body gets the same answer for a day, and starts nothing twice.

**Lists** are newest first; pass `next_cursor` on as `cursor` until it is null.

Times are ISO 8601 in UTC. Amounts of tokens and gas are whole numbers of the smallest unit as text.
"""
_TAGS = {
    "identity": "Sign-in and the keys of access tokens",
    "deployments": "Tokens for models and workloads on Akash",
    "tokens": "Launched tokens, for anyone",
    "providers": "Who offers what on Akash",
    "escrow": "Deposits and refunds, signed by the caller's wallet",
    "projects": "Projects and payments",
    "workers": "The fleet: enrolment, heartbeats and uptime",
    "builds": "Smart contracts from a prompt: written, compiled, audited, deployed",
    "stacks": "A node and the API that uses it",
    "admin": "Switches, audit trail, metrics and the model catalogue",
    "health": "Whether the API answers",
    "documents": "This document",
}
_SCHEMES = {
    "accessToken": {
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "From `POST /api/auth/verify`.",
    },
    "workerToken": {
        "type": "http", "scheme": "bearer", "description": "From `POST /workers/{wallet}/tokens`; a worker's own.",
    },
}  # fmt: skip


def document() -> dict[str, Any]:
    """Build the OpenAPI 3.1 document of every route in the template.

    Raises:
        UndocumentedRouteError: See ``operations``.
    """
    found = operations()
    whole = _of_fastapi(found)
    components = whole["components"]
    schemas = _with_short_names(whole)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["ErrorEnvelope"] = refusals.ENVELOPE
    components["responses"] = {}
    sampler = Sampler(schemas)
    for operation in found:
        _finish(whole["paths"][operation.route.path][operation.route.method.lower()], operation, components, sampler)
    asked = _requested(whole)
    for name, schema in schemas.items():
        _describe_attributes(schema)
        if name not in asked:
            _require_constants(schema)
    _discriminate(whole, schemas)
    components["securitySchemes"] = _SCHEMES
    components["schemas"] = dict(sorted(schemas.items()))
    components["responses"] = dict(sorted(components["responses"].items()))
    return {**whole, "paths": dict(sorted(whole["paths"].items())), "components": dict(sorted(components.items()))}


def _discriminate(node: Any, schemas: dict[str, Any]) -> None:
    """Say of a choice between kinds which field distinguishes them, so that generated clients know which one it is."""
    if isinstance(node, list):
        for entry in node:
            _discriminate(entry, schemas)
    if not isinstance(node, dict):
        return
    for entry in node.values():
        _discriminate(entry, schemas)
    references = [branch.get("$ref", "") for branch in node.get("anyOf", ()) if isinstance(branch, dict)]
    kinds = {_kind_of(schemas.get(reference.rpartition("/")[2], {})): reference for reference in references}
    if len(kinds) > 1 and len(kinds) == len(references) and None not in kinds:
        node["oneOf"] = node.pop("anyOf")
        node["discriminator"] = {"propertyName": "kind", "mapping": kinds}


def _kind_of(schema: dict[str, Any]) -> str | None:
    kind: str | None = schema.get("properties", {}).get("kind", {}).get("const")
    return kind


def text() -> str:
    """Write the document as it is committed."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def _of_fastapi(found: list[Operation]) -> dict[str, Any]:
    # All routes in one application, so that models of the same name are distinguished.
    application = FastAPI()
    for operation in found:
        declared = operation.declared
        application.add_api_route(
            operation.route.path,
            operation.endpoint,
            methods=[operation.route.method],
            tags=[operation.tag],
            operation_id=f"{operation.tag}_{operation.name}{'_slash' if operation.route.path.endswith('/') else ''}",
            response_model=declared.response_model,
            status_code=declared.status_code,
            responses=declared.responses,
            response_class=declared.response_class
            if isinstance(declared.response_class, type)
            else Default(declared.response_class.value),
        )
    used = {operation.tag for operation in found}
    # A capability without words of its own is still in the document.
    tags = {**_TAGS, **{tag: tag.capitalize() for tag in sorted(used - set(_TAGS))}}
    return get_openapi(
        title="Slipway",
        version=__version__,
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        description=_DESCRIPTION,
        routes=application.routes,
        tags=[{"name": tag, "description": words} for tag, words in tags.items() if tag in used],
        servers=[{"url": "/"}],
    )


def _with_short_names(whole: dict[str, Any]) -> dict[str, Any]:
    """Shorten the schemas' names; models of one name in two modules are distinguished by their capability."""
    schemas: dict[str, Any] = whole["components"]["schemas"]
    names = {}
    for name in schemas:
        module, _, model = name.rpartition("__")
        parts = [part for part in module.split("__") if part not in ("slipway", "models", "rules", "")]
        names[name] = "".join(part.title().replace("_", "") for part in parts[:1]) + model if module else name
    renamed = json.loads(
        _REFERENCE.sub(lambda found: f'"#/components/schemas/{names[found.group(1)]}"', json.dumps(whole))
    )
    whole.clear()
    whole.update(renamed)
    if len(set(names.values())) != len(names):
        raise ValueError(f"models whose short names are the same: {sorted(names.items())}")
    whole["components"]["schemas"] = {names[name]: schema for name, schema in whole["components"]["schemas"].items()}
    found: dict[str, Any] = whole["components"]["schemas"]
    return found


def _requested(whole: dict[str, Any]) -> set[str]:
    """Return the names of the schemas that request bodies use."""
    bodies = [entry.get("requestBody") for methods in whole["paths"].values() for entry in methods.values()]
    found: set[str] = set()
    waiting = _REFERENCE.findall(json.dumps(bodies))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_REFERENCE.findall(json.dumps(whole["components"]["schemas"][name])))
    return found


def _require_constants(schema: dict[str, Any]) -> None:
    """Say of an answer that a constant field is always there: it distinguishes kinds."""
    properties: dict[str, Any] = schema.get("properties", {})
    constant = [name for name, entry in properties.items() if "const" in entry and "default" in entry]
    if constant:
        required = {*schema.get("required", []), *constant}
        schema["required"] = [name for name in properties if name in required]


def _describe_attributes(schema: dict[str, Any]) -> None:
    """Move what a model's docstring says of its attributes to the properties."""
    text, _, attributes = str(schema.get("description", "")).replace("``", "`").partition("\n\nAttributes:\n")
    if text:
        schema["description"] = " ".join(text.split())
    for name, words in re.findall(r"^    (\w+): (.*(?:\n     .*)*)", attributes, flags=re.MULTILINE):
        entry = schema.get("properties", {}).get(name)
        if entry is not None:
            entry.setdefault("description", " ".join(words.split()))


def _finish(entry: dict[str, Any], operation: Operation, components: dict[str, Any], sampler: Sampler) -> None:
    summary, _, rest = str(entry.pop("description", "")).partition("\n\n")
    entry["summary"] = " ".join(summary.split()).removesuffix(".")
    if rest.strip():
        entry["description"] = " ".join(rest.split())
    entry["security"] = [{operation.scheme: []}] if operation.scheme else []
    _describe_parameters(entry, operation)
    _describe_body(entry, operation)
    _describe_answers(entry, operation, components, sampler)


def _describe_parameters(entry: dict[str, Any], operation: Operation) -> None:
    examples = parameter_examples(operation.route.key)
    for parameter in entry.get("parameters", []):
        # What may be left out can still not be null: there is no such thing in a URL or header.
        parameter["schema"] = _without_null(parameter["schema"])
        example = examples.get((parameter["in"], parameter["name"]))
        if example is not None:
            numeric = "integer" in json.dumps(parameter["schema"])
            parameter["example"] = int(example) if numeric and example.isdigit() else example


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    branches = [branch for branch in schema.get("anyOf", []) if branch.get("type") != "null"]
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**branches[0], **rest} if len(branches) == 1 else schema


def _describe_body(entry: dict[str, Any], operation: Operation) -> None:
    if operation.body is None:
        return
    entry["requestBody"]["required"] = not operation.body.may_be_empty
    (content,) = entry["requestBody"]["content"].values()
    bodies = body_examples(operation.route.key) or ([{}] if operation.body.may_be_empty else [])
    if len(bodies) == 1:
        content["example"] = bodies[0]
    elif bodies:
        content["examples"] = {f"example{number}": {"value": body} for number, body in enumerate(bodies, 1)}


def _describe_answers(
    entry: dict[str, Any], operation: Operation, components: dict[str, Any], sampler: Sampler
) -> None:
    given: dict[str, Any] = entry["responses"]
    if "x-error-codes" not in given.get("422", {}):
        # FastAPI's own, which our applications never answer.
        given.pop("422", None)
    main = given[str(operation.declared.status_code or 200)]
    answers = {status: answer for status, answer in given.items() if "x-error-codes" not in answer}
    for status, answer in answers.items():
        answer["description"] = HTTPStatus(int(status)).phrase
        for media_type, content in answer.get("content", {}).items():
            if media_type.endswith("json") and content.get("schema") == {"type": "string"}:
                # FastAPI knows only that the bytes are sent as they are kept.
                content["schema"] = {"type": "object"}
        if status != "204" and "content" not in answer and "content" in main:
            answer["content"] = json.loads(json.dumps(main["content"]))
        _exemplify(answer, sampler)
    refused = refusals.codes_of(operation, {status: given[status] for status in given if status not in answers})
    for number, codes in refused.items():
        name = refusals.response_name(codes)
        components["responses"].setdefault(name, refusals.response(number, codes))
        answers[str(number)] = {"$ref": f"#/components/responses/{name}"}
    entry["responses"] = dict(sorted(answers.items()))


def _exemplify(answer: dict[str, Any], sampler: Sampler) -> None:
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    if not schema or schema == {"type": "object"}:
        return
    examples = sampler.examples(schema)
    content = answer["content"]["application/json"]
    if len(examples) == 1:
        (content["example"],) = examples.values()
    else:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}


@cache
def committed() -> dict[str, Any]:
    """Return the committed document; to be read, not changed."""
    loaded: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return loaded
