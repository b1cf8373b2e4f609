"""The error envelope in the document, and every refusal of a route."""

from __future__ import annotations

from typing import Any

# Modules outside slipway.errors that add to the family.
import slipway.chain.json_rpc  # noqa: F401
from local.openapi.operations import Operation
from slipway.errors import (
    AuthenticationFailedError,
    ForbiddenError,
    IdempotencyMismatchError,
    PayloadTooLargeError,
    SlipwayError,
    UpstreamUnavailableError,
    ValidationFailedError,
)

ENVELOPE = {
    "type": "object",
    "title": "ErrorEnvelope",
    "description": "Every refusal. The request id finds the request in the logs and in the audit trail.",
    "required": ["success", "error", "request_id"],
    "properties": {
        "success": {"const": False, "type": "boolean"},
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "description": "What happened, for programs; see docs/errors.md."},
                "message": {"type": "string", "description": "What happened, for people."},
                "details": {"type": "object", "description": "What else is known, such as the fields that are wrong."},
            },
        },
        "request_id": {"type": "string"},
    },
}
_REQUEST_ID = "BqGzNhQ5oAMEPkw="
_WAITING = frozenset({429, 502, 503})


def codes_of(operation: Operation, declared: dict[str, Any]) -> dict[int, list[str]]:
    """Return the codes that a route may refuse with, by status."""
    # At least for a parameter that the route does not take.
    errors: list[type[SlipwayError]] = [ValidationFailedError]
    if operation.scheme:
        errors.append(AuthenticationFailedError)
    if operation.scheme == "accessToken":
        # A blocked wallet, or an API key that is not for this.
        errors.append(ForbiddenError)
    if operation.body:
        errors.append(PayloadTooLargeError)
    if operation.takes_key:
        errors.append(IdempotencyMismatchError)
    if operation.tag not in ("documents", "health"):
        errors.extend((SlipwayError, UpstreamUnavailableError))
    found = {int(status): list(answer["x-error-codes"]) for status, answer in declared.items() if _refuses(answer)}
    for error in errors:
        codes = found.setdefault(error.status, [])
        codes.extend([] if error.code in codes else [error.code])
    return {status: sorted(found[status]) for status in sorted(found)}


def _refuses(answer: dict[str, Any]) -> bool:
    return "x-error-codes" in answer


def response_name(codes: list[str]) -> str:
    """Return the name under which a refusal is kept in the document, as in ``ConflictOrTokenExists``."""
    return "Or".join(code.title().replace("_", "") for code in codes)


def response(status: int, codes: list[str]) -> dict[str, Any]:
    """Describe a refusal, with an example of each code."""
    examples = {
        code: {
            "value": {"success": False, "error": {"code": code, "message": _meaning(code)}, "request_id": _REQUEST_ID}
        }
        for code in codes
    }
    if status == 400:
        wrong = {"fields": [{"field": "limit", "message": "Input should be less than or equal to 100"}]}
        error: dict[str, Any] = examples["VALIDATION_ERROR"]["value"]["error"]  # type: ignore[assignment]
        error.update(message="limit: Input should be less than or equal to 100", details=wrong)
    headers: dict[str, Any] = {}
    if status == 401:
        headers["WWW-Authenticate"] = {"required": True, "schema": {"type": "string"}}
    if status in _WAITING:
        seconds = {"type": "string", "pattern": "^[0-9]+$"}
        headers["Retry-After"] = {"description": "Seconds to wait.", "schema": seconds}
    return {
        "description": " ".join(f"`{code}`: {_meaning(code)}" for code in codes),
        **({"headers": headers} if headers else {}),
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ErrorEnvelope"}, "examples": examples}
        },
        "x-error-codes": codes,
    }


def _meaning(code: str) -> str:
    """Return the first paragraph of the docstring of the code's first class; an internal error has none."""
    if code == SlipwayError.code:
        return "Something went wrong on our side; the request id finds it."
    first = next(error for error in _family(SlipwayError) if error.code == code)
    text = (first.__doc__ or "").split("\n\n")[0].replace("``", "`")
    return " ".join(text.split())


def _family(root: type[SlipwayError]) -> list[type[SlipwayError]]:
    return [root, *(member for child in root.__subclasses__() for member in _family(child))]
