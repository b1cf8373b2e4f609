"""Secrets of every kind go through every route that takes one; no log line, refusal or audit event tells them."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from local.openapi.document import committed
from local.source_template import http_routes
from tests.support.authorization import ROUTES
from tests.support.functions import event
from tests.support.installation import Answer, Installation
from tests.support.template import ROOT
from tests.support.wallets import ADMIN, ALICE, OPERATOR, sign_in_message, sign_text
from tests.support.workers import enrol

ACCOUNTS = {"admin": ADMIN, "operator": OPERATOR, "user": ALICE, "wallet": ALICE}
# Fields of requests that carry what nobody but the receiver may know.
SECRET_FIELDS = {"auth_token", "signature", "enrolment_code", "sdl", "env", "refresh_token"}
# What looks like one by its name.
SUSPICIOUS = ("token", "secret", "signature", "code", "key", "password", "env", "sdl", "permit", "private")
HARMLESS = {"token_name", "token_symbol", "permit"}
CANARY = "canary-7f3b91d2"


def _event_of(route: str) -> str:
    return next(
        path.stem
        for path in sorted((ROOT / "events").glob("*.json"))
        if json.loads(path.read_text()).get("routeKey") == route
    )


def _told(slipway: Installation, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> str:
    captured = capfd.readouterr()
    trail = [item for item in slipway.items("jobs") if item["pk"].startswith("AUDIT#")]
    return caplog.text + captured.out + captured.err + json.dumps(trail, default=str)


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_every_field_that_looks_like_a_secret_is_one_of_those_that_are_tried() -> None:
    properties = {
        name for schema in committed()["components"]["schemas"].values() for name in schema.get("properties", {})
    }
    asked = {name for name in properties if any(word in name.lower() for word in SUSPICIOUS)}
    answers_only = {"access_token", "token", "token_address", "token_type", "error_code", "code", "code_url"}
    answers_only |= {name for name in asked if name not in SECRET_FIELDS and not _in_a_request(name)}
    assert asked - answers_only - HARMLESS <= SECRET_FIELDS


def _in_a_request(name: str) -> bool:
    requests = json.dumps([told.get("requestBody") for path in committed()["paths"].values() for told in path.values()])
    waiting, seen = [requests], set[str]()
    while waiting:
        text = waiting.pop()
        for reference in text.split("#/components/schemas/")[1:]:
            schema = reference.partition('"')[0]
            if schema not in seen:
                seen.add(schema)
                waiting.append(json.dumps(committed()["components"]["schemas"][schema]))
    return any(name in committed()["components"]["schemas"][schema].get("properties", {}) for schema in seen)


@pytest.mark.parametrize("route", [route.key for route in http_routes() if ROUTES[route.key].who != "anyone"])
def test_access_tokens_stay_out_of_the_logs(
    slipway: Installation, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], route: str
) -> None:
    who = ROUTES[route].who
    good = enrol(ALICE.address) if who == "worker" else slipway.token(ACCOUNTS[who])
    for token in (good, good[:-6] + "AAAAAA", CANARY):
        slipway.api(_event_of(route), token=token)
    told = _told(slipway, caplog, capfd)
    assert route in told
    for secret in (good, good[:-6] + "AAAAAA", CANARY, good.rpartition(".")[2]):
        assert secret not in told


def _say(slipway: Installation, field: str) -> list[Answer]:
    """Return requests whose ``field`` has the canary in it, good ones and bad ones."""
    token = slipway.token()
    if field == "auth_token":
        return [
            slipway.api(name, body={**json.loads(event(name)["body"]), **more})
            for name in ("api_deployments_create", "api_deployments_estimate", "api_builds_create")
            for more in ({"auth_token": CANARY}, {"auth_token": f"{token}{CANARY}"}, {"auth_token": [CANARY]})
        ]
    if field == "signature":
        message = sign_in_message(nonce="abcdefgh12345678")
        permit = {"deadline": 1, "signature": f"0x{CANARY}"}
        deposit = {**json.loads(event("api_escrow_deposit")["body"]), "permit": permit}
        return [
            slipway.api("api_identity_verify", body={"message": message, "signature": f"{sign_text(message)}{CANARY}"}),
            slipway.api("api_identity_verify", body={"message": f"{message}{CANARY}", "signature": sign_text(message)}),
            slipway.api("api_escrow_deposit", token=token, body=deposit),
        ]
    if field == "enrolment_code":
        return [slipway.api("api_workers_exchange", body={"enrolment_code": code}) for code in (CANARY, CANARY * 20)]
    if field == "refresh_token":
        family = f"slr_{'0' * 32}.{CANARY}"
        return [
            slipway.api(name, body={"refresh_token": given})
            for name in ("api_identity_refresh", "api_identity_logout")
            for given in (CANARY, family, family * 20, [CANARY])
        ]
    if field == "sdl":
        sdl = json.loads(event("api_deployments_create_workload")["body"])["sdl"]
        hidden = sdl.replace("image: ", f"env: [PASSWORD={CANARY}]\n    image: ", 1)
        assert CANARY in hidden
        return [
            slipway.api(name, token=token, body={"sdl": text})
            for name in ("api_deployments_create", "api_deployments_estimate")
            for text in (hidden, f"{hidden}\n: {{", f"{hidden}\nunknown: 1\n")
        ]
    variables: list[Any] = [{"PASSWORD": CANARY}, {"bad name": CANARY}, {"PASSWORD": [CANARY]}]
    return [
        slipway.api(name, token=slipway.token(OPERATOR), body={**json.loads(event(name)["body"]), "env": env})
        for name in ("api_stacks_put_node", "api_stacks_put_api")
        for env in variables
    ]


@pytest.mark.parametrize("field", sorted(SECRET_FIELDS))
def test_what_a_request_keeps_secret_stays_out_of_logs_refusals_and_the_trail(
    slipway: Installation, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], field: str
) -> None:
    answers = _say(slipway, field)
    told = _told(slipway, caplog, capfd)
    assert "request" in told
    assert CANARY not in told
    for answer in answers:
        # What an operator gave a stack is told to operators again.
        assert answer.status < 400 or CANARY not in json.dumps(answer.body)


def test_what_is_handed_out_once_is_shown_nowhere_else(
    slipway: Installation, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    code = slipway.api("api_workers_enrol", token=slipway.token(), body={}).body["enrolment_code"]
    path: dict[str, str] = {"wallet": ALICE.address}
    worker = slipway.api("api_workers_exchange", body={"enrolment_code": code}, path=path).body["token"]
    told = _told(slipway, caplog, capfd)
    kept = json.dumps([slipway.items("workers"), slipway.items("control"), slipway.items("jobs")], default=repr)
    for secret in (code, worker):
        assert secret not in told
        assert secret not in kept
