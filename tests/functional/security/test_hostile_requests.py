"""Requests that nobody sends by mistake, at every route that takes anything: refused or taken, never our failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from slipway import http
from tests.support.authorization import ROUTES
from tests.support.clock import effort
from tests.support.functions import event
from tests.support.installation import Answer, Installation
from tests.support.template import ROOT
from tests.support.wallets import ADMIN, ALICE, OPERATOR
from tests.support.workers import enrol

ACCOUNTS = {"admin": ADMIN, "operator": OPERATOR, "user": ALICE, "wallet": ALICE}
EVENTS = {
    path.stem: given
    for path in sorted((ROOT / "events").glob("*.json"))
    if "routeKey" in (given := json.loads(path.read_text()))
}
WITH_BODY = [name for name, given in EVENTS.items() if given.get("body")]
LONG_BODIES = {
    "POST /api/deployments",
    "POST /api/deployments/estimate",
    "PUT /api/deployments/{id}",
    "POST /heartbeat",
}
MAX_EFFORT = 2_000
LEVELS = 100_000
NOT_JSON = {
    "arrays in arrays": b"[" * LEVELS + b"]" * LEVELS,
    "objects in objects": b'{"a":' * 50_000,
    "quotation marks": b'"' * 60_000,
    "a number without an end": b'{"amount": ' + b"9" * 60_000 + b"}",
    "an exponent": b'{"amount": 1e999999}',
    "NaN": b'{"amount": NaN}',
    "bytes that are no UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "half a character": b'{"name": "\\ud800"}',
    "a NUL": b'{"name": "a\x00b"}',
    "two documents": b"{}{}",
    "YAML": b"a: &a [*a, *a]",
    "text": b'"text"',
    "a list": b"[]",
    "null": b"null",
}
TEXTS = {
    "NUL": "a\x00b",
    "CRLF": "a\r\nset-cookie: a=b",
    "right to left": "nimda\u202e",
    "zero width": "ad\u200bmin",
    "not composed": "e\u0301",
    "full width": "\uff21\uff22",
    "tags": "\U000e0041",
    "a script": "<script>alert(1)</script>",
    "a shell": "$(reboot); `id` && rm -rf / #",
    "a path": "../../../../etc/passwd",
    "a template": "${jndi:ldap://x.test/a} {{7*7}} %n%s",
    "SQL": "' OR 1=1 --",
    "long": "a" * 20_000,
    "empty": "",
}


@pytest.fixture
def tokens(slipway: Installation) -> dict[str, str]:
    found = {who: slipway.token(account) for who, account in ACCOUNTS.items()}
    return {**found, "worker": enrol(ALICE.address)}


def _send(slipway: Installation, tokens: dict[str, str], name: str, **parts: Any) -> Answer:
    token = tokens.get(ROUTES[EVENTS[name]["routeKey"]].who)
    answers: list[Answer] = []
    assert effort(lambda: answers.append(slipway.api(name, token=token, **parts))) < MAX_EFFORT
    return answers[0]


@pytest.mark.parametrize("name", WITH_BODY)
def test_what_is_not_plain_json_is_refused(slipway: Installation, tokens: dict[str, str], name: str) -> None:
    body = EVENTS[name]["body"]
    inside = body.rstrip()[:-1]
    comma = ", " if len(inside.strip()) > 1 else ""
    twice = (
        {}
        if body.strip() == "{}" or body.startswith("[")
        else {"a field twice": f"{inside}, {inside.strip()[1:]}}}".encode()}
    )
    deep = f'{inside}{comma}"deep": {"[" * 40}{"]" * 40}}}'.encode()
    more = {} if body.startswith("[") else {**twice, "deeper than is read": deep}
    for reason, raw in {**NOT_JSON, **more}.items():
        if name == "api_builds_deploy" and reason == "a list":
            continue
        if name == "api_deployments_patch" and reason == "bytes that are no UTF-8":
            # Read as Latin-1 they are two letters, and so the name of a workload that there is not.
            continue
        answer = _send(slipway, tokens, name, raw=raw.decode("latin-1"))
        assert (answer.status, answer.code) in ((400, "VALIDATION_ERROR"), (413, "PAYLOAD_TOO_LARGE")), reason


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_body_beyond_the_limit_is_not_parsed(
    slipway: Installation, tokens: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[int] = []
    monkeypatch.setattr(http, "parse_json", lambda raw: parsed.append(len(raw)))
    most = 256 if EVENTS[name]["routeKey"] in LONG_BODIES else 64
    answer = _send(slipway, tokens, name, raw=" " * (most * 1024 + 1))
    assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")
    assert parsed == []


@pytest.mark.parametrize("name", WITH_BODY)
def test_no_text_in_any_field_makes_it_fail(slipway: Installation, tokens: dict[str, str], name: str) -> None:
    for path, kept in _texts(json.loads(EVENTS[name]["body"])):
        for reason, text in TEXTS.items():
            for value in (text, kept + text):
                body = _with(json.loads(EVENTS[name]["body"]), path, value)
                answer = _send(slipway, tokens, name, body=body)
                assert answer.status < 500 or answer.code in ("UPSTREAM_UNAVAILABLE", "DEPLOYMENT_FAILED"), (
                    path,
                    reason,
                )
                if reason in ("NUL", "CRLF") and path[-1] not in ("sdl", "message", "prompt", "reason", "port"):
                    assert answer.status >= 400, (path, reason)


# The documents are compressed, which `Installation` does not read; test_documents_api.py looks at them.
@pytest.mark.parametrize("name", [name for name in EVENTS if not name.startswith("api_documents")])
def test_no_header_makes_it_fail_or_comes_back(slipway: Installation, tokens: dict[str, str], name: str) -> None:
    for text in ("a\r\nx-injected: yes", "\x00", "é" * 300, "x" * 9000, "%0d%0ax-injected:%20yes"):
        for headers in (("x-correlation-id",), ("idempotency-key", "last-event-id", "accept-encoding", "origin")):
            answer = _send(slipway, tokens, name, headers=dict.fromkeys(headers, text))
            assert answer.status < 500 or answer.code == "UPSTREAM_UNAVAILABLE", headers
            told = json.dumps(answer.headers)
            assert "x-injected" not in told
            assert not [value for value in answer.headers.values() if "\r" in value or "\n" in value]


@pytest.mark.parametrize("name", ["api_deployments_list", "api_projects_list", "api_payments_list", "api_workers_list",
                                  "api_providers_page", "api_admin_audit", "api_builds_list"])  # fmt: skip
@pytest.mark.parametrize("cursor", ["eyJhIjoxfQ", "AAAA", "%00", "..%2F..", "A" * 1025, "W10", "bnVsbA", "é"])
def test_a_made_up_cursor_leads_nowhere(slipway: Installation, tokens: dict[str, str], name: str, cursor: str) -> None:
    answer = _send(slipway, tokens, name, query=f"cursor={cursor}")
    # Builds are paged by number and take no cursor; where no copy of the providers is kept, nobody can be asked.
    assert answer.status == 400 or name == "api_builds_list" or answer.code == "UPSTREAM_UNAVAILABLE"


def test_a_line_of_the_log_is_one_line_whatever_it_says(
    slipway: Installation, tokens: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    forged = '{"level": "INFO", "message": "forged"}'
    for name in ("api_deployments_create", "api_projects_detail", "api_admin_pause"):
        path = {key: f"a\n{forged}" for key in event(name).get("pathParameters", {})}
        _send(slipway, tokens, name, path=path, headers={"x-correlation-id": f"a\n{forged}"})
        if name == "api_deployments_create":
            body = {"model_id": f"a\n{forged}", "user_address": ALICE.address}
            _send(slipway, tokens, name, body=body, headers={"idempotency-key": f"a\n{forged}"})
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.strip()]
    assert lines
    assert not [line for line in lines if line.get("message") == "forged"]


def _texts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(value, str):
        yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _texts(child, (*path, key))


def _with(body: Any, path: tuple[Any, ...], text: str) -> Any:
    inner = body
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = text
    return body
