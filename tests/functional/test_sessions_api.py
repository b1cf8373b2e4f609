"""Sessions, API keys, links and blocked wallets through the functions."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slipway.configuration import known_wallets
from slipway.errors import AuthenticationFailedError
from slipway.identity import revocation, sessions
from slipway.identity.api_keys import MAX_KEYS
from slipway.identity.scopes import SCOPES
from slipway.identity.sessions import SessionItem
from tests.support.installation import Answer, Installation
from tests.support.lost_answers import lose_an_answer
from tests.support.wallets import ADMIN, ALICE, BOB, OPERATOR, sign_in_message, sign_text

REASON = {"reason": "stolen"}
PROJECT = {"name": "a", "github": "octocat/shop"}


@pytest.fixture(autouse=True)
def _fresh_process() -> None:
    revocation._good_at.clear()


def _sign_in(slipway: Installation, account: Any = ALICE) -> Answer:
    nonce = slipway.api("api_identity_nonce").body["nonce"]
    message = sign_in_message(account.address, nonce=nonce)
    answer = slipway.api("api_identity_verify", body={"message": message, "signature": sign_text(message, account)})
    assert answer.status == 200
    return answer


def _refresh(slipway: Installation, token: str, **headers: str) -> Answer:
    return slipway.api("api_identity_refresh", body={"refresh_token": token}, headers=headers)


def _list(slipway: Installation, token: str) -> Answer:
    return slipway.api("api_deployments_list", token=token)


def test_a_session_is_renewed_by_tokens_that_are_good_once(slipway: Installation) -> None:
    first = _sign_in(slipway).body
    assert first["refresh_expires_in"] == 30 * 86400
    second = _refresh(slipway, first["refresh_token"])
    assert second.status == 200
    assert set(second.body) == set(first)
    assert second.body["refresh_token"] != first["refresh_token"]
    assert _list(slipway, second.body["access_token"]).status == 200
    third = _refresh(slipway, second.body["refresh_token"])
    assert third.status == 200


def test_a_token_that_is_used_twice_ends_its_session(slipway: Installation) -> None:
    first = _sign_in(slipway).body
    other = _sign_in(slipway).body
    second = _refresh(slipway, first["refresh_token"]).body
    again = _refresh(slipway, first["refresh_token"])
    assert (again.status, again.code) == (401, "AUTH_FAILED")
    assert _refresh(slipway, second["refresh_token"]).status == 401
    revocation._good_at.clear()
    assert _list(slipway, second["access_token"]).status == 401
    assert _list(slipway, other["access_token"]).status == 200


def test_of_two_who_use_a_token_at_once_one_gets_the_next(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second reads the session before the first writes it."""
    first = _sign_in(slipway).body["refresh_token"]
    judge, won = revocation.require_not_blocked, []

    def overtaken(wallet: str, generation: int | None = None) -> int:
        monkeypatch.setattr(revocation, "require_not_blocked", judge)
        won.append(sessions.renew(first, None))
        return judge(wallet, generation)

    monkeypatch.setattr(revocation, "require_not_blocked", overtaken)
    with pytest.raises(AuthenticationFailedError, match="used before"):
        sessions.renew(first, None)
    with pytest.raises(AuthenticationFailedError, match="has ended"):
        sessions.renew(won[0].refresh_token, None)


def test_a_renewal_whose_answer_the_table_lost_is_no_second_use(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _sign_in(slipway).body
    calls = lose_an_answer(monkeypatch, "UpdateItem")
    second = _refresh(slipway, first["refresh_token"])
    assert (second.status, len(calls)) == (200, 2)
    assert _refresh(slipway, second.body["refresh_token"]).status == 200
    assert _refresh(slipway, second.body["refresh_token"]).status == 401


def test_only_hashes_are_stored(slipway: Installation) -> None:
    token = _sign_in(slipway).body["refresh_token"]
    family, secret = token.removeprefix("slr_").split(".")
    stored = SessionItem.get(f"SESSION#{family}", "SESSION").attribute_values
    assert secret not in str(stored)


def test_a_refresh_token_belongs_to_the_client_that_signed_in(slipway: Installation) -> None:
    first = _sign_in(slipway).body["refresh_token"]
    assert _refresh(slipway, first, origin="https://evil.test").status == 401
    assert _refresh(slipway, first, origin="https://slipway.test").status == 200


@pytest.mark.parametrize("token", ["x", "slr_", "slr_." + "a" * 43, "slr_" + "0" * 32 + "." + "a" * 43])
def test_what_is_no_refresh_token_is_refused(slipway: Installation, token: str) -> None:
    assert _refresh(slipway, token).status == 401
    answer = slipway.api("api_identity_logout", body={"refresh_token": token, "everywhere": True})
    assert answer.status == 401


def test_log_out_ends_one_session_at_once_for_writes_and_within_a_minute_for_reads(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = _sign_in(slipway).body, _sign_in(slipway).body
    assert _list(slipway, first["access_token"]).status == 200
    answer = slipway.api("api_identity_logout", body={"refresh_token": first["refresh_token"]})
    assert answer.body == {"ended": "session"}
    assert slipway.api("api_identity_make_key", body=_key_request(), token=first["access_token"]).status == 401
    later = time.monotonic() + 60
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert _list(slipway, first["access_token"]).status == 401
    assert _refresh(slipway, first["refresh_token"]).status == 401
    assert _list(slipway, other["access_token"]).status == 200
    assert slipway.api("api_identity_logout", body={"refresh_token": first["refresh_token"]}).status == 200


def test_log_out_everywhere_ends_every_session_of_the_wallet(slipway: Installation) -> None:
    first, other, bob = _sign_in(slipway).body, _sign_in(slipway).body, _sign_in(slipway, BOB).body
    answer = slipway.api("api_identity_logout", body={"refresh_token": first["refresh_token"], "everywhere": True})
    assert answer.body == {"ended": "everywhere"}
    revocation._good_at.clear()
    for ended in (first, other):
        assert _list(slipway, ended["access_token"]).status == 401
        assert _refresh(slipway, ended["refresh_token"]).status == 401
    assert _list(slipway, bob["access_token"]).status == 200
    assert _list(slipway, _sign_in(slipway).body["access_token"]).status == 200


# ── API keys ────────────────────────────────────────────────────────────────────────────────────


def _key_request(*scopes: str, **more: Any) -> dict[str, Any]:
    return {"name": "ci", "scopes": list(scopes or ["deployments:read"]), **more}


def _make_key(slipway: Installation, *scopes: str, account: Any = ALICE, **more: Any) -> Answer:
    return slipway.api("api_identity_make_key", body=_key_request(*scopes, **more), token=slipway.token(account))


def test_a_key_does_what_its_scopes_say_and_no_more(slipway: Installation) -> None:
    made = _make_key(slipway, "deployments:read")
    assert made.status == 201
    key = made.body["key"]
    assert key.startswith("slk_")
    assert _list(slipway, key).status == 200
    refused = slipway.api("api_deployments_create", body={"model_id": "x"}, token=key)
    assert (refused.status, refused.code) == (403, "FORBIDDEN")
    assert "deployments:write" in refused.body["error"]["message"]
    assert slipway.api("api_projects_list", token=key).status == 403
    assert slipway.api("api_identity_make_key", body=_key_request(), token=key).status == 403
    assert slipway.api("api_identity_keys", token=key).status == 403


def test_a_key_acts_as_its_wallet(slipway: Installation) -> None:
    key = _make_key(slipway, "projects:*").body["key"]
    created = slipway.api("api_projects_create", body={"name": "by-key", "github": "octocat/shop"}, token=key)
    assert created.status == 201
    listed = slipway.api("api_projects_detail", token=slipway.token(ALICE), path={"name": "by-key"})
    assert listed.body["creator"] == ALICE.address


def test_keys_are_listed_without_themselves_and_deleted(slipway: Installation) -> None:
    made = _make_key(slipway, "builds:*", "deployments:read").body
    (listed,) = slipway.api("api_identity_keys", token=slipway.token(ALICE)).body["keys"]
    assert listed == {name: value for name, value in made.items() if name != "key"}
    _list(slipway, made["key"])
    (listed,) = slipway.api("api_identity_keys", token=slipway.token(ALICE)).body["keys"]
    assert listed["last_used_at"]
    assert slipway.api("api_identity_keys", token=slipway.token(BOB)).body["keys"] == []
    for account, status in ((BOB, 404), (ALICE, 204), (ALICE, 404)):
        answer = slipway.api("api_identity_delete_key", token=slipway.token(account), path={"key_id": made["id"]})
        assert answer.status == status
    assert _list(slipway, made["key"]).status == 401


def test_a_key_expires(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
    key = _make_key(slipway, expires_at=soon).body["key"]
    assert _list(slipway, key).status == 200
    later = int(time.time()) + 31
    monkeypatch.setattr("slipway.identity.api_keys.epoch_seconds", lambda: later)
    assert _list(slipway, key).status == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (_key_request("everything"), "scopes.0"),
        ({"name": "ci", "scopes": []}, "scopes"),
        ({"name": "", "scopes": ["builds:*"]}, "name"),
        (_key_request(expires_at="2020-01-01T00:00:00Z"), "expires_at"),
        (_key_request(expires_at="tomorrow"), "expires_at"),
        (_key_request(role="admin"), "role"),
    ],
)
def test_a_key_that_can_not_be_made_is_refused_by_field(
    slipway: Installation, body: dict[str, Any], field: str
) -> None:
    answer = slipway.api("api_identity_make_key", body=body, token=slipway.token(ALICE))
    assert answer.status == 400
    assert answer.body["error"]["details"]["fields"][0]["field"] == field


def test_scopes_of_a_role_need_the_role(slipway: Installation) -> None:
    for scope in SCOPES:
        expected = 403 if scope.startswith(("admin:", "stacks:")) else 201
        assert _make_key(slipway, scope).status == expected
    assert _make_key(slipway, "admin:read", account=ADMIN).status == 201


def test_a_key_has_the_roles_that_its_wallet_has_at_the_time(
    slipway: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = _make_key(slipway, "admin:read", account=ADMIN).body["key"]
    assert slipway.api("api_admin_audit", token=key).status == 403
    monkeypatch.setenv("WALLET_ROLES", json.dumps({ADMIN.address: {"roles": ["admin"]}}))
    known_wallets.cache_clear()
    assert slipway.api("api_admin_audit", token=key).status == 200
    assert slipway.api("api_admin_pause", body=REASON, token=key, path={"service": "tokens"}).status == 403


def test_a_wallet_has_at_most_fifty_keys(slipway: Installation) -> None:
    for _ in range(MAX_KEYS):
        last = _make_key(slipway).body["id"]
    assert _make_key(slipway).status == 409
    assert _make_key(slipway, account=BOB).status == 201
    slipway.api("api_identity_delete_key", token=slipway.token(ALICE), path={"key_id": last})
    assert _make_key(slipway).status == 201


@pytest.mark.parametrize(
    "change", [lambda key: key[:-2] + "AA", lambda key: key[:30], lambda key: "slk_", lambda _: "slk_é"]
)
def test_what_is_no_key_is_refused(slipway: Installation, change: Any) -> None:
    key = _make_key(slipway).body["key"]
    assert _list(slipway, change(key)).status == 401


@pytest.mark.parametrize(
    "name",
    [
        "api_builds_list",
        "api_escrow_status",
        "api_logs_stream",
        "api_stacks_node",
        "api_tokens_mint",
        "api_webhooks_list",
        "api_workers_list",
    ],
)
def test_a_key_is_taken_by_every_function(slipway: Installation, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("WALLET_ROLES", json.dumps({OPERATOR.address: {"roles": ["operator"]}}))
    known_wallets.cache_clear()
    areas = ("builds", "deployments", "escrow", "stacks", "tokens", "webhooks", "workers")
    scopes = [f"{area}:*" for area in areas]
    key = _make_key(slipway, *scopes, account=OPERATOR).body["key"]
    assert slipway.api(name, token=key).status not in (401, 403)
    (listed,) = slipway.api("api_identity_keys", token=slipway.token(OPERATOR)).body["keys"]
    assert listed["last_used_at"]


def test_limits_count_a_wallet_not_its_keys(slipway: Installation) -> None:
    keys = [_make_key(slipway, "builds:*").body["key"] for _ in range(2)]
    callers = {slipway.api("api_builds_list", token=key).status for key in keys}
    assert callers == {200}


# ── Blocked wallets ─────────────────────────────────────────────────────────────────────────────


def _admin(slipway: Installation, state: str, wallet: str = ALICE.address, **more: Any) -> Answer:
    return slipway.api(f"api_admin_{state}", token=slipway.token(ADMIN), path={"wallet": wallet}, **more)


def test_a_blocked_wallet_is_refused_at_once_and_served_again_when_unblocked(slipway: Installation) -> None:
    session = _sign_in(slipway).body
    key = _make_key(slipway, "projects:*").body["key"]
    blocked = _admin(slipway, "block", body=REASON)
    assert (blocked.status, blocked.body["blocked"], blocked.body["reason"]) == (200, True, "stolen")
    for credentials in (session["access_token"], key):
        answer = slipway.api("api_projects_create", body=PROJECT, token=credentials)
        assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert _refresh(slipway, session["refresh_token"]).status == 403
    assert _admin(slipway, "unblock", body=REASON).body["blocked"] is False
    assert slipway.api("api_projects_create", body=PROJECT, token=key).status == 201


def test_an_administrator_ends_the_sessions_of_a_wallet(slipway: Installation) -> None:
    session = _sign_in(slipway).body
    assert _admin(slipway, "end_sessions").status == 200
    assert slipway.api("api_projects_create", body=PROJECT, token=session["access_token"]).status == 401
    assert _refresh(slipway, session["refresh_token"]).status == 401
    assert _admin(slipway, "wallet").body == {
        "wallet": ALICE.address,
        "blocked": False,
        "reason": None,
        "changed_by": None,
        "changed_at": None,
    }


def test_only_administrators_block(slipway: Installation) -> None:
    for state in ("block", "unblock", "end_sessions", "wallet"):
        body = REASON if state.endswith("block") else None
        answer = slipway.api(f"api_admin_{state}", token=slipway.token(BOB), path={"wallet": ALICE.address}, body=body)
        assert answer.status == 403
