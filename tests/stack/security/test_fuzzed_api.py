"""Schemathesis sends what docs/openapi.json allows, and what it does not, to the deployed stack.

No answer is a 5xx, every answer is one that the document tells of, and without a token nothing protected succeeds.
SLIPWAY_FUZZ_EXAMPLES gives the number of examples for each route, where somebody has more time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.openapi.document import committed
from tests.stack.conftest import RunningStack
from tests.stack.launches import Token, account, bearer
from tests.support.authorization import ROUTES
from tests.support.workers import enrol_at, wallet

EXAMPLES = int(os.environ.get("SLIPWAY_FUZZ_EXAMPLES", "3"))
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
WORKER = wallet(0xFA55E)
SERVICES = ("tokens", "akash", "builds", "stacks", "projects", "payments", "escrow", "workers")
# The phase that goes through every border of every schema takes minutes.
THOROUGH = "SLIPWAY_FUZZ_EXAMPLES" in os.environ
CONFIGURATION = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": THOROUGH}}})
SCHEMA = schemathesis.openapi.from_dict(committed(), config=CONFIGURATION)
fuzz = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def tokens(stack: RunningStack, admin: Token) -> Iterator[dict[str, Token]]:
    """Yield a good token for everyone of the table; whatever was paused goes on afterwards."""
    caller = stack.sign_in(account(stack, "user", 7))
    beats = enrol_at(stack.client("dynamodb"), stack.outputs["WorkersTableName"], WORKER)
    operator = stack.sign_in(account(stack, "operator"))
    yield {"admin": admin, "operator": operator, "worker": beats, "user": caller, "wallet": caller}
    _resume(stack, admin)


@SCHEMA.parametrize()
@fuzz
def test_answers_are_what_the_document_says(
    stack: RunningStack, tokens: dict[str, Token], case: schemathesis.Case[Any]
) -> None:
    access = ROUTES[f"{case.operation.method.upper()} {case.operation.path}"]
    # What Schemathesis made up for it is nobody's token.
    case.headers.pop("Authorization", None)
    if access.who != "anyone":
        stranger = case.call(base_url=stack.api)
        assert stranger.status_code == 401 or _is_gateways(stranger), f"{stranger.status_code} {stranger.text}"
    headers = {} if access.who == "anyone" else bearer(tokens[access.who])
    answer = case.call(base_url=stack.api, headers=headers)
    if not _is_gateways(answer):
        case.validate_response(answer, checks=CHECKS)
    if case.operation.path.endswith("/pause"):
        _resume(stack, tokens["admin"])


def _is_gateways(answer: Any) -> bool:
    """Whether API Gateway has no such route: a path parameter that is empty or has a slash, or another method."""
    return bool(answer.status_code == 404 and answer.json() == {"message": "Not Found"})


def _resume(stack: RunningStack, admin: Token) -> None:
    for service in SERVICES:
        stack.http.post(f"/api/admin/{service}/resume", json={"reason": "the tests go on"}, headers=bearer(admin))
