"""Limits that an administrator changes at run time, for a tier or a wallet, and limits of all that is recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slipway.identity import revocation
from tests.support.installation import Answer, Installation
from tests.support.wallets import ADMIN, ALICE, BOB

DEFAULTS = {"standard": {"hour": 5, "day": 20}, "premium": {"hour": 50, "day": 200}}


@pytest.fixture(autouse=True)
def _tiers(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCH_LIMITS", json.dumps(DEFAULTS))
    slipway.forget()
    revocation._good_at.clear()


def _shown(slipway: Installation) -> dict[str, Any]:
    answer = slipway.api("api_admin_limits", token=slipway.token(ADMIN))
    assert answer.status == 200, answer.body
    return dict(answer.body)


def _change(slipway: Installation, **limits: Any) -> Answer:
    return slipway.api("api_admin_change_limits", token=slipway.token(ADMIN), body=limits)


def _enrol(slipway: Installation, account: Any = ALICE) -> Answer:
    return slipway.api("api_workers_enrol", token=slipway.token(account))


def test_the_limits_of_every_tier_are_shown(slipway: Installation) -> None:
    found = _shown(slipway)
    assert set(found["tiers"]) == {"premium", "standard"}
    assert found["tiers"]["premium"]["launches"] == {"hour": 50, "day": 200}
    assert set(found["tiers"]["standard"]) == {
        "launches", "workloads", "builds", "previews", "enrolments", "projects", "payments", "webhooks", "keys",
        "webhook_tests",
        "build_hashes",
    }  # fmt: skip
    assert found["tiers"]["standard"]["builds"] == {"hour": 30, "day": 200, "open": 5}
    assert found["wallets"] == {}


def test_a_wallets_limit_goes_before_its_tiers_and_that_before_the_templates(slipway: Installation) -> None:
    slipway.model()
    assert _change(slipway, tiers={"standard": {"launches": {"hour": 7}}}).status == 200
    assert slipway.launch().headers["ratelimit-limit"] == "7"
    changed = _change(slipway, wallets={ALICE.address: {"enrolments": {"hour": 2}}})
    assert changed.body["wallets"] == {ALICE.address: {"enrolments": {"hour": 2}}}
    assert changed.body["tiers"]["standard"]["launches"] == {"hour": 7, "day": 20}
    assert [_enrol(slipway).status for _ in range(3)] == [201, 201, 429]
    assert [_enrol(slipway, BOB).status for _ in range(3)] == [201, 201, 201]
    assert _change(slipway, wallets={ALICE.address: {"enrolments": {"hour": 4}}}).status == 200
    assert [_enrol(slipway).status for _ in range(3)] == [201, 201, 429]
    assert _change(slipway, wallets={ALICE.address: {"enrolments": None}}, tiers={"standard": None}).status == 200
    assert _enrol(slipway).headers["ratelimit-limit"] == "20"
    assert _shown(slipway)["wallets"] == {}
    assert _shown(slipway)["tiers"]["standard"]["launches"] == DEFAULTS["standard"]


def test_a_limit_holds_for_what_may_be_open_as_well(slipway: Installation) -> None:
    assert _change(slipway, wallets={ALICE.address: {"builds": {"open": 1}}}).status == 200
    body = {"prompt": "An ERC-20 token named Tide with symbol TIDE", "chains": [31337]}
    first, second = (slipway.api("api_builds_create", token=slipway.token(), body=body) for _ in range(2))
    assert (first.status, second.status, second.code) == (200, 429, "RATE_LIMIT_EXCEEDED")
    assert second.body["error"]["details"] == {"open": 1}


def test_changes_are_audited(slipway: Installation) -> None:
    _change(slipway, tiers={"standard": {"keys": {"hour": 3}}})
    event = slipway.audit()[-1]
    assert (event["action"], event["outcome"], event["wallet"]) == ("PUT /api/admin/limits", "accepted", ADMIN.address)
    assert json.loads(event["message"]) == {"tiers": {"standard": {"keys": {"hour": 3}}}}


@pytest.mark.parametrize(
    "change",
    [
        {"tiers": {"standard": {"tokens": {"hour": 1}}}},
        {"tiers": {"standard": {"launches": {"minute": 1}}}},
        {"tiers": {"standard": {"launches": {"hour": 0}}}},
        {"tiers": {"standard": {"launches": {"hour": "many"}}}},
        {"tiers": {"standard": {"launches": {"hour": 100_001}}}},
        {"tiers": {"a b": {"launches": {"hour": 1}}}},
        {"wallets": {"0x12": {"launches": {"hour": 1}}}},
        {"limits": {}},
        [],
    ],
)
def test_what_is_no_limit_is_refused(slipway: Installation, change: Any) -> None:
    answer = slipway.api("api_admin_change_limits", token=slipway.token(ADMIN), body=change)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert _shown(slipway)["wallets"] == {}


def test_everything_that_is_recorded_has_a_limit_of_the_wallet(slipway: Installation) -> None:
    names = ("projects", "payments", "webhooks", "keys")
    _change(slipway, wallets={ALICE.address: {name: {"hour": 2} for name in names}})

    def project(number: int, account: Any = ALICE) -> Answer:
        body = {"name": f"shop-{number}-{account.address[:6]}", "github": "octocat/shop"}
        return slipway.api("api_projects_create", token=slipway.token(account), body=body)

    def key(number: int, account: Any = ALICE) -> Answer:
        body = {"name": f"ci {number}", "scopes": ["builds:read"]}
        return slipway.api("api_identity_make_key", token=slipway.token(account), body=body)

    def of_event(name: str) -> Any:
        return lambda _, account=ALICE: slipway.api(name, token=slipway.token(account))

    makers = [project, key, of_event("api_payments_create"), of_event("api_webhooks_make")]
    for make in makers:
        assert [make(number).status for number in range(3)] == [201, 201, 429]
        assert make(9, BOB).status == 201


def test_a_webhook_is_tested_within_the_limit(slipway: Installation) -> None:
    made = slipway.api("api_webhooks_make", token=slipway.token())
    assert made.status == 201
    _change(slipway, wallets={ALICE.address: {"webhook_tests": {"hour": 2}}})
    path = {"id": made.body["id"]}
    tests = [slipway.api("api_webhooks_test", token=slipway.token(), path=path).status for _ in range(3)]
    assert tests == [202, 202, 429]
