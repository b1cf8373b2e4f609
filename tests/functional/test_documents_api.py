"""GET /openapi.json and /docs, from the function's own folder; the drawing library comes with the build."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
from typing import Any

import pytest

from local.openapi.document import committed
from slipway import store
from tests.support.functions import CONTEXT, event, function_app
from tests.support.template import ROOT

FOLDER = ROOT / "functions" / "api" / "documents"


def _get(name: str, headers: dict[str, str] | None = None, file: str | None = None) -> dict[str, Any]:
    given = event(name)
    given["headers"].update(headers or {})
    if file is not None:
        given["pathParameters"]["file"] = file
    found: dict[str, Any] = function_app("api/documents").handler(given, CONTEXT)
    return found


def _text(found: dict[str, Any]) -> str:
    if not found.get("isBase64Encoded"):
        return str(found["body"])
    return gzip.decompress(base64.b64decode(found["body"])).decode()


def test_the_document_is_the_committed_one() -> None:
    found = _get("api_documents_document")
    assert found["statusCode"] == 200
    assert found["headers"]["content-type"] == "application/json"
    assert found["headers"]["content-encoding"] == "gzip"
    assert json.loads(_text(found)) == committed()


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "*;q=0.0", "x-gzip"])
def test_who_takes_no_compressed_answer_gets_a_plain_one(accepted: str) -> None:
    found = _get("api_documents_document", {"accept-encoding": accepted})
    assert "content-encoding" not in found["headers"]
    assert json.loads(found["body"]) == committed()


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*", "GZIP"])
def test_who_takes_a_compressed_answer_gets_one(accepted: str) -> None:
    assert _get("api_documents_document", {"accept-encoding": accepted})["headers"]["content-encoding"] == "gzip"


class _Lambda:
    """Takes one invocation and answers as it is told."""

    def __init__(self, answer: dict[str, Any], **more: str) -> None:
        self.answer, self.more = answer, more
        self.asked: dict[str, Any] = {}

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 (AWS's names)
        self.asked = json.loads(Payload)
        return {"Payload": io.BytesIO(json.dumps(self.answer).encode()), **self.more}


def _with_slash(monkeypatch: pytest.MonkeyPatch, method: str, path: str, function: _Lambda) -> dict[str, Any]:
    monkeypatch.setenv("BUILDS_FUNCTION", "builds")
    monkeypatch.setattr(store, "aws_client", lambda *_: function)
    given = event("api_documents_document")
    given |= {"routeKey": "$default", "rawPath": path}
    given["requestContext"]["http"] |= {"method": method, "path": path}
    found: dict[str, Any] = function_app("api/documents").handler(given, CONTEXT)
    return found


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("POST", "/api/v1/builds/", "POST /api/v1/builds"),
        ("GET", "/api/v1/builds/", "GET /api/v1/builds"),
        ("GET", "/api/v1/builds/a1/code/", "GET /api/v1/builds/{build_id}/code"),
        ("POST", "/api/v1/builds/preview/", "POST /api/v1/builds/preview"),
    ],
)
def test_a_path_of_builds_with_a_slash_is_the_path_without(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str, route: str
) -> None:
    function = _Lambda({"statusCode": 200, "headers": {"a": "b"}, "body": "{}"})
    found = _with_slash(monkeypatch, method, path, function)
    assert (found["statusCode"], found["body"], found["headers"]["a"]) == (200, "{}", "b")
    assert function.asked["routeKey"] == function.asked["requestContext"]["routeKey"] == route
    assert function.asked["rawPath"] == function.asked["requestContext"]["http"]["path"] == path.rstrip("/")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/api/v1/builds/", 405),
        ("GET", "/api/v1/buildsx/", 404),
        ("GET", "/health/", 404),
        ("GET", "/api/v1/", 404),
    ],
)
def test_no_other_slash_is_forgiven(monkeypatch: pytest.MonkeyPatch, method: str, path: str, status: int) -> None:
    function = _Lambda({})
    assert _with_slash(monkeypatch, method, path, function)["statusCode"] == status
    assert function.asked == {}


def test_a_function_that_breaks_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = _Lambda({"errorMessage": "secret"}, FunctionError="Unhandled")
    found = _with_slash(monkeypatch, "GET", "/api/v1/builds/", broken)
    assert found["statusCode"] == 502
    assert "secret" not in found["body"]


def test_who_has_it_already_learns_so() -> None:
    tag = _get("api_documents_document")["headers"]["etag"]
    found = _get("api_documents_document", {"if-none-match": tag})
    assert (found["statusCode"], found["body"]) == (304, "")
    assert _get("api_documents_document", {"if-none-match": '"other"'})["statusCode"] == 200


def test_the_page_takes_everything_from_here() -> None:
    found = _get("api_documents_page")
    page = _text(found)
    policy = dict(part.strip().split(" ", 1) for part in found["headers"]["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert not re.search(r"https?://|<script>|<style|\son\w+=|\sstyle=", page)
    for part in re.findall(r'(?:src|href)="docs/([^"]+)"', page):
        assert part in function_app("api/documents")._PARTS


def test_every_part_is_a_file_of_the_folder_or_of_the_library() -> None:
    built = (FOLDER / "Makefile").read_text()
    for part in function_app("api/documents")._PARTS.values():
        name = part.path.name
        assert (FOLDER / name).exists() or f"node_modules/swagger-ui-dist/{name}" in built
        assert name in built


def test_the_page_of_the_command_line_runs_nothing_but_its_script() -> None:
    found = _get("api_documents_part", file="sign-in")
    assert found["headers"]["content-type"] == "text/html; charset=utf-8"
    policy = found["headers"]["content-security-policy"]
    assert policy == _get("api_documents_page")["headers"]["content-security-policy"]
    assert not re.search(r"https?://|<script>|<style|\son\w+=|\sstyle=", _text(found))
    for part in re.findall(r'(?:src|href)="([\w.-]+)"', _text(found)):
        assert part in function_app("api/documents")._PARTS


def test_other_files_are_not_there() -> None:
    for name in ("app.py", "../app.py", "..%2Fapp.py", "openapi.json.gz", ""):
        found = _get("api_documents_part", file=name)
        assert found["statusCode"] == 404
        assert json.loads(found["body"])["error"]["code"] == "NOT_FOUND"
