"""The document and its page, from the built function."""

from __future__ import annotations

import re

import httpx
import pytest

from local.openapi.document import committed
from tests.stack.conftest import RunningStack

# What Lambda may answer at most, and what the page's largest part may become.
_MAX_ANSWER, _MAX_SENT = 6 * 1024 * 1024, 600 * 1024


def test_the_document_is_served_to_anyone(stack: RunningStack) -> None:
    answer = stack.http.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == committed()


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_the_page_and_every_part_of_it_are_served_from_here(stack: RunningStack, encoding: str) -> None:
    headers = {"accept-encoding": encoding}
    page = stack.http.get("/docs", headers=headers)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    parts = re.findall(r'(?:src|href)="(docs/[^"]+)"', page.text)
    assert {part.rpartition(".")[2] for part in parts} == {"css", "js"}
    for part in parts:
        answer = stack.http.get(f"/{part}", headers=headers)
        assert answer.status_code == 200, part
        assert answer.headers["content-type"] in ("text/css; charset=utf-8", "text/javascript; charset=utf-8")
        assert len(answer.content) < _MAX_ANSWER
        if encoding == "gzip":
            assert int(answer.headers["content-length"]) < _MAX_SENT


def test_who_asks_for_no_compression_gets_none(stack: RunningStack) -> None:
    for path in ("/openapi.json", "/docs", "/docs/swagger-ui.css"):
        answer = stack.http.send(_without_header(stack, path))
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers


def _without_header(stack: RunningStack, path: str) -> httpx.Request:
    request = stack.http.build_request("GET", path)
    del request.headers["accept-encoding"]
    return request


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "NOT_FOUND"),
        ("GET", "/api/nowhere", 404, "NOT_FOUND"),
        ("POST", "/api/deployments/", 404, "NOT_FOUND"),
        ("PATCH", "/api/deployments", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/health", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/health?probe=1", 400, "VALIDATION_ERROR"),
        ("GET", "/openapi.json?v=2", 400, "VALIDATION_ERROR"),
    ],
)
def test_what_no_route_takes_is_refused_in_the_envelope(
    stack: RunningStack, method: str, path: str, status: int, code: str
) -> None:
    answer = stack.http.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["success"] is False
    assert answer.json()["request_id"]


def test_nothing_else_of_the_artifact_is_served(stack: RunningStack) -> None:
    assert stack.http.get("/docs/app.py").status_code == 404
    assert stack.http.get("/docs/swagger-ui-LICENSE").status_code == 404
