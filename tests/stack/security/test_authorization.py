"""Every route of the built template against everyone who may not call it, from the table of tests/support."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest
import yaml

from local.openapi.document import committed
from local.paths import BUILD
from tests.stack.conftest import RunningStack
from tests.stack.launches import Token, account, bearer, ended, launch, new_model
from tests.stack.security.forgeries import Forger
from tests.support.authorization import ROUTES

PROTECTED = [key for key, access in ROUTES.items() if access.who != "anyone"]
OWNED = [key for key, access in ROUTES.items() if access.others is not None]
ROLES = ("admin", "operator")
EVERYWHERE = ("altered claims", "another key", "alg none", "expired", "wrong audience", "wrong issuer")


@pytest.fixture(scope="module")
def forger(stack: RunningStack) -> Forger:
    return Forger(stack, str(stack.sign_in(account(stack, "admin"))))


@pytest.fixture(scope="module")
def forgeries(forger: Forger) -> dict[str, str]:
    return forger.forgeries()


@pytest.fixture(scope="module")
def things(stack: RunningStack, admin: Token) -> dict[str, str]:
    """One thing of each kind, all of one user; by kind, what names it in a path."""
    owner = account(stack, "user", 6)
    session = stack.sign_in(owner)
    wallet = owner["address"]

    def made(path: str, body: dict[str, Any], name: str) -> str:
        answer = stack.http.post(path, json=body, headers=bearer(session))
        assert answer.is_success, answer.text
        return str(answer.json()[name])

    model = new_model(stack, admin, wallet)
    launched = launch(stack, session, model, wallet)
    assert launched.status_code == 202, launched.text
    project = f"p-{uuid.uuid4().hex[:12]}"
    payment = {"name": "hosting", "amount": "25000000", "creator": wallet}
    return {
        "model": model,
        "deployment": launched.json()["deployment_id"],
        "build": made(
            "/api/v1/builds", {"prompt": "An ERC-20 token named Test with symbol TST", "chains": [31337]}, "build_id"
        ),
        "payment": made("/payments", payment, "id"),
        "token": ended(stack, session, launched.json()["deployment_id"])["token_address"],
        "webhook": made("/api/webhooks", {"url": "https://example.com/", "events": ["worker.down"]}, "id"),
        "project": made("/deployments", {"name": project, "github": "octocat/shop"}, "name"),
        "worker": made("/workers", {}, "wallet"),
        "key": made("/api/keys", {"name": "ci", "scopes": ["builds:read"]}, "id"),
    }


def test_the_table_has_every_route_of_the_built_template() -> None:
    built = yaml.safe_load((BUILD / "template.yaml").read_text())
    routes = {
        f"{event['Properties']['Method']} {event['Properties']['Path']}"
        for resource in built["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi" and "Path" in event["Properties"]
    }
    assert routes == set(ROUTES)


@pytest.mark.parametrize("key", PROTECTED)
def test_nobody_gets_in_without_a_good_token(stack: RunningStack, forgeries: dict[str, str], key: str) -> None:
    _stays_out(stack, key, "no token", {})
    for reason in EVERYWHERE:
        _stays_out(stack, key, reason, bearer(forgeries[reason]))


# One function of each way to authenticate; every forgery there is.
@pytest.mark.parametrize("key", ["GET /payments", "POST /api/v1/builds", "GET /api/admin/audit", "POST /heartbeat"])
def test_no_forgery_is_believed(stack: RunningStack, forgeries: dict[str, str], key: str) -> None:
    _stays_out(stack, key, "no bearer", {"authorization": "Basic YWRtaW46YWRtaW4="})
    _stays_out(stack, key, "empty bearer", {"authorization": "Bearer"})
    for reason, token in forgeries.items():
        _stays_out(stack, key, reason, bearer(token))


@pytest.mark.parametrize(
    "reason", ["no token at all", "altered claims", "alg none", "expired", "no expiry", "no audience"]
)
def test_a_token_in_the_body_is_judged_the_same(stack: RunningStack, forgeries: dict[str, str], reason: str) -> None:
    given = {"auth_token": forgeries[reason]} if reason in forgeries else {}
    answer = stack.http.post("/api/deployments", json={**_body("POST /api/deployments"), **given})
    assert answer.status_code == 401


@pytest.mark.parametrize("key", [key for key in PROTECTED if ROUTES[key].who in ROLES])
def test_only_its_role_is_let_in(stack: RunningStack, key: str) -> None:
    for role in {"user", *ROLES} - {ROUTES[key].who}:
        answer = _call(stack, key, bearer(stack.sign_in(account(stack, role))))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN"), role


@pytest.mark.parametrize("key", [key for key in PROTECTED if ROUTES[key].who == "wallet"])
def test_a_token_without_a_wallet_owns_nothing(stack: RunningStack, forger: Forger, key: str) -> None:
    answer = _call(stack, key, bearer(forger.signed(wallet=None)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("key", [key for key in PROTECTED if ROUTES[key].who == "worker"])
def test_a_persons_token_is_no_workers(stack: RunningStack, admin: Token, user: Token, key: str) -> None:
    for token in (admin, user):
        assert _call(stack, key, bearer(token)).status_code == 401


@pytest.mark.parametrize("key", OWNED)
def test_another_users_thing_stays_theirs(stack: RunningStack, things: dict[str, str], key: str) -> None:
    access = ROUTES[key]
    assert access.thing is not None
    stranger = stack.sign_in(account(stack, "user", 7))
    answer = _call(stack, key, bearer(stranger), things[access.thing])
    assert answer.status_code == access.others, answer.text
    if access.others == 404:
        missing = _call(stack, key, bearer(stranger), _missing(things[access.thing]))
        assert missing.status_code == 404
        # Whether it exists can't be told from the answer.
        assert answer.json()["error"] == missing.json()["error"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/deployments", {"model_id": "sentiment-v2"}),
        ("/api/deployments/estimate", {"model_id": "sentiment-v2"}),
        ("/deployments", {"name": "p-of-another", "github": "octocat/shop"}),
        ("/payments", {"name": "hosting", "amount": "1"}),
    ],
)
def test_nothing_is_made_in_another_users_name(
    stack: RunningStack, user: Token, path: str, body: dict[str, str]
) -> None:
    other = account(stack, "user", 7)["address"]
    named = "user_address" if path.startswith("/api/") else "creator"
    answer = stack.http.post(path, json={**body, named: other}, headers=bearer(user))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN"), answer.text


def test_lists_hold_only_what_is_the_callers(stack: RunningStack, things: dict[str, str]) -> None:
    stranger = bearer(stack.sign_in(account(stack, "user", 7)))
    for path, name in (
        ("/api/deployments", "deployment"),
        ("/api/models", "model"),
        ("/api/v1/builds", "build"),
        ("/payments", "payment"),
    ):
        answer = stack.http.get(path, headers=stranger)
        assert answer.status_code == 200
        assert things[name] not in answer.text


def test_a_workers_containers_are_its_owners_to_see(stack: RunningStack, things: dict[str, str]) -> None:
    stranger = bearer(stack.sign_in(account(stack, "user", 7)))
    assert stack.http.get(f"/workers/{things['worker']}", headers=stranger).json()["containers"] is None


def _stays_out(stack: RunningStack, key: str, reason: str, headers: dict[str, str]) -> None:
    answer = _call(stack, key, headers)
    assert answer.status_code == 401, f"{reason}: {answer.text}"
    assert answer.json()["error"]["code"] == "AUTH_FAILED"
    assert answer.headers["www-authenticate"] == "Bearer"


def _call(stack: RunningStack, key: str, headers: dict[str, str], name: str | None = None) -> httpx.Response:
    """Call a route with its documented example, naming a thing in the path if one is given: what it names first."""
    method, path = key.split(" ")
    operation = committed()["paths"][path][method.lower()]
    query = {}
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            value = name if name is not None else str(parameter.get("example", "x"))
            path = path.replace(f"{{{parameter['name']}}}", value)
            name = None
        elif parameter["in"] == "query" and parameter["required"]:
            query[parameter["name"]] = parameter["example"]
    body = _body(key) if "requestBody" in operation else None
    return stack.http.request(method, path, params=query, json=body, headers=headers)


def _body(key: str) -> Any:
    method, path = key.split(" ")
    content = committed()["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]
    return content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]


def _missing(name: str) -> str:
    """Return a name of the same form that nothing has."""
    if re.fullmatch(r"0x[0-9a-fA-F]{40}", name):
        return "0x" + "00" * 19 + "01"
    return "0" * 16 if re.fullmatch(r"[0-9a-f]{16}", name) else str(uuid.uuid4())
