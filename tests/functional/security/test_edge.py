"""The address in front: an API that knows what the distribution sends lets nothing else in, and knows the viewer."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.functional.security.test_strangers import EVENTS
from tests.support import installation
from tests.support.functions import event, function_app
from tests.support.installation import Installation
from tests.support.template import functions
from tests.support.wallets import ALICE
from tests.support.workers import enrol

OLD, NEW = "o" * 32, "n" * 32
VIEWER = "198.51.100.23"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _through(secret: str, **headers: str) -> dict[str, str]:
    return {"x-slipway-edge": secret, "x-slipway-viewer": VIEWER, **headers}


@pytest.fixture
def _closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SECRET_HASHES", f"{_hash(OLD)},{_hash(NEW)}")


@pytest.mark.usefixtures("_closed")
@pytest.mark.parametrize("secret", [None, "", "x" * 32, _hash(NEW), "é" * 32])
def test_what_did_not_come_through_the_distribution_is_refused(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch, secret: str | None
) -> None:
    # The document is of the installation's own address.
    monkeypatch.setattr(installation, "check_answer", lambda *_: None)
    tokens = {"heartbeat": enrol(ALICE.address)}
    tried = 0
    for name, given in EVENTS.items():
        if given["routeKey"] == "GET /health":
            continue
        headers = {} if secret is None else _through(secret)
        answer = slipway.api(name, token=tokens.get(name, slipway.token()), headers=headers)
        assert (answer.status, answer.code) == (403, "FORBIDDEN"), name
        tried += 1
    assert tried > 60
    given = event("api_documents_document")
    given["routeKey"] = given["requestContext"]["routeKey"] = "$default"
    assert slipway.invoke("DocumentsFunction", given)["statusCode"] == 403
    # It costs nothing: no row, no read.
    assert slipway.audit() == []
    assert slipway.called() == []


@pytest.mark.usefixtures("_closed")
@pytest.mark.parametrize("secret", [OLD, NEW])
def test_both_secrets_are_taken_while_they_are_rotated(slipway: Installation, secret: str) -> None:
    assert slipway.api("api_deployments_list", token=slipway.token(), headers=_through(secret)).status == 200
    assert slipway.api("api_documents_document", headers=_through(secret, **{"accept-encoding": ""})).status == 200
    assert slipway.api("api_identity_nonce", headers=_through(secret)).status == 200


@pytest.mark.usefixtures("_closed")
def test_the_callers_address_is_the_viewers(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    assert slipway.api("api_deployments_list", headers=_through(NEW)).status == 401
    assert [row["source_ip"] for row in slipway.audit()] == [VIEWER]
    monkeypatch.setattr(function_app("api/identity"), "MAX_NONCES", 1)
    asked = [slipway.api("api_identity_nonce", headers=_through(NEW)).status for _ in range(2)]
    other = slipway.api("api_identity_nonce", headers=_through(NEW, **{"x-slipway-viewer": "198.51.100.24"}))
    assert (asked, other.status) == ([200, 429], 200)


def test_without_a_distribution_nobody_chooses_an_address(slipway: Installation) -> None:
    assert slipway.api("api_deployments_list", headers=_through(NEW)).status == 401
    assert [row["source_ip"] for row in slipway.audit()] == ["203.0.113.7"]


def _connect(slipway: Installation, headers: dict[str, str]) -> Any:
    given = event("stream_connect")
    given["headers"] = headers
    return slipway.invoke("StreamConnectionsFunction", given)["statusCode"]


@pytest.mark.usefixtures("_closed")
def test_streams_are_reached_through_it_as_well(slipway: Installation) -> None:
    assert _connect(slipway, {}) == 403
    # API Gateway keeps the case of a handshake's headers.
    assert _connect(slipway, {"X-Slipway-Edge": NEW, "X-Slipway-Viewer": VIEWER}) == 401
    assert {row["outcome"]: row["source_ip"] for row in slipway.audit()}["AUTH_FAILED"] == VIEWER


def test_strangers_at_the_streams_leave_one_row_a_minute_and_kind(slipway: Installation) -> None:
    for _ in range(5):
        assert _connect(slipway, {}) == 401
    assert len(slipway.audit()) == 1


def test_every_function_with_a_route_knows_what_is_accepted() -> None:
    served = {name for name, entry in functions().items() if entry.get("Events")} | {"StreamConnectionsFunction"}
    told = {
        name
        for name, entry in functions().items()
        if "EDGE_SECRET_HASHES" in entry.get("Environment", {}).get("Variables", {})
    }
    # It imports nothing, reads nothing and says that it is there.
    assert told == served - {"HealthFunction"}
