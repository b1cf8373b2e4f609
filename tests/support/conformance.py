"""Holds answers of the API to ``docs/openapi.json``."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema

from local.openapi.document import committed
from local.openapi.operations import anonymous


def check_answer(route_key: str, status: int, headers: dict[str, str], body: Any) -> None:
    """Fail when the document does not tell of such an answer: its status, code, media type or shape."""
    told = _responses(*_split(route_key))
    answer = told.get(str(status))
    assert answer is not None, f"{route_key} answered {status}: {body}; {_WHAT_TO_DO}"
    if "x-error-codes" in answer:
        code = body["error"]["code"]
        assert code in answer["x-error-codes"], f"{route_key} answered {status} {code}; {_WHAT_TO_DO}"
    content = answer.get("content", {})
    if not content or status == 304:
        return
    media_type = headers["content-type"].partition(";")[0]
    assert media_type in content or "*/*" in content, f"{route_key} answered {media_type}; {_WHAT_TO_DO}"
    schema = content.get(media_type, {}).get("schema")
    if schema and media_type == "application/json":
        whole = {**schema, "components": committed()["components"]}
        error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(whole).iter_errors(body))
        assert error is None, f"{route_key} answered {status} not as documented: {error.message} at {error.json_path}"


_WHAT_TO_DO = "name it in the route's responses=refusals(…) and run `make openapi`"


def _split(route_key: str) -> tuple[str, str]:
    method, _, path = route_key.partition(" ")
    return method.lower(), anonymous(path)


@cache
def _responses(method: str, path: str) -> dict[str, Any]:
    (methods,) = [found for given, found in committed()["paths"].items() if anonymous(given) == path]
    kept = committed()["components"]["responses"]
    return {
        status: kept[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        for status, answer in methods[method]["responses"].items()
    }
