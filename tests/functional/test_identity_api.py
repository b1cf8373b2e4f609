"""Sign-in through the identity function."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest

from slipway.errors import AuthenticationFailedError
from slipway.identity.store import issue_nonce, use_nonce
from tests.support.clock import ManualClock
from tests.support.installation import Answer, Installation
from tests.support.wallets import ALICE, BOB, sign_in_message, sign_text


def _nonce(slipway: Installation) -> str:
    answer = slipway.api("api_identity_nonce")
    assert answer.status == 200
    return str(answer.body["nonce"])


def _sign_in(slipway: Installation, message: str, signature: str | None = None) -> Answer:
    return slipway.api("api_identity_verify", body={"message": message, "signature": signature or sign_text(message)})


def test_a_wallet_signs_in_and_gets_a_token_that_the_published_keys_verify(slipway: Installation) -> None:
    answer = _sign_in(slipway, sign_in_message(nonce=_nonce(slipway)))
    assert answer.status == 200
    assert (answer.body["token_type"], answer.body["expires_in"]) == ("Bearer", 900)
    keys = slipway.api("api_identity_jwks")
    assert "max-age" in keys.headers["cache-control"]
    token = answer.body["access_token"]
    key = jwt.PyJWKSet.from_dict(keys.body)[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key.key, algorithms=["ES256"], audience="slipway", issuer="https://slipway.test")
    assert (claims["sub"], claims["wallet"], claims["roles"], claims["tier"]) == (
        ALICE.address,
        ALICE.address,
        ["user"],
        "standard",
    )
    assert claims["jti"]
    assert claims["exp"] - time.time() == pytest.approx(900, abs=10)


def test_a_message_that_was_used_is_refused(slipway: Installation) -> None:
    message = sign_in_message(nonce=_nonce(slipway))
    assert _sign_in(slipway, message).status == 200
    again = _sign_in(slipway, message)
    assert (again.status, again.code) == (401, "AUTH_FAILED")


def test_a_nonce_that_was_never_handed_out_is_refused(slipway: Installation) -> None:
    assert _sign_in(slipway, sign_in_message(nonce="abcdefgh12345678")).status == 401


def test_a_refused_message_does_not_use_its_nonce_up(slipway: Installation) -> None:
    nonce = _nonce(slipway)
    message = sign_in_message(nonce=nonce)
    assert _sign_in(slipway, message, sign_text(message, BOB)).status == 401
    assert _sign_in(slipway, sign_in_message(nonce=nonce, domain="evil.test")).status == 401
    assert _sign_in(slipway, message).status == 200


def test_a_nonce_is_good_for_five_minutes(slipway: Installation) -> None:
    clock = ManualClock()
    early, late = issue_nonce(clock), issue_nonce(clock)
    clock.seconds += 290
    use_nonce(early, clock)
    clock.seconds += 11
    with pytest.raises(AuthenticationFailedError):
        use_nonce(late, clock)


def test_of_many_at_once_one_uses_the_nonce(slipway: Installation) -> None:
    nonce = issue_nonce()

    def attempt(_: int) -> bool:
        try:
            use_nonce(nonce)
        except AuthenticationFailedError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(16))) == 1


def test_nonces_differ_and_are_long(slipway: Installation) -> None:
    nonces = {issue_nonce() for _ in range(50)}
    assert len(nonces) == 50
    assert all(len(nonce) >= 22 and nonce.isalnum() for nonce in nonces)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message"),
        ({"message": "x"}, "signature"),
        ({"message": "x", "signature": "0x123"}, "signature"),
        ({"message": "x", "signature": "0x" + "11" * 4097}, "signature"),
        ({"message": "x", "signature": "0x" + "zz" * 65}, "signature"),
        ({"message": "x", "signature": "0x" + "11" * 65 + "\n"}, "signature"),
        ({"message": "x" * 4097, "signature": "0x" + "11" * 65}, "message"),
        ({"message": 7, "signature": "0x" + "11" * 65}, "message"),
        ({"message": "x", "signature": "0x" + "11" * 65, "wallet": ALICE.address}, "wallet"),
    ],
)
def test_a_body_of_another_shape_is_refused_with_the_field(slipway: Installation, body: Any, field: str) -> None:
    answer = slipway.api("api_identity_verify", body=body)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert field in {entry["field"] for entry in answer.body["error"]["details"]["fields"]}


def test_a_refused_sign_in_leaves_an_audit_event(slipway: Installation) -> None:
    answer = _sign_in(slipway, sign_in_message(nonce="abcdefgh12345678"))
    (entry,) = slipway.audit()
    assert entry["outcome"] == "AUTH_FAILED"
    assert entry["action"] == "POST /api/auth/verify"
    assert entry["source_ip"] == "203.0.113.7"
    assert entry["request_id"] == answer.body["request_id"]


def test_configured_wallets_get_their_roles(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WALLET_ROLES", f'{{"{ALICE.address}": {{"roles": ["admin"], "tier": "partner"}}}}')
    answer = _sign_in(slipway, sign_in_message(nonce=_nonce(slipway)))
    claims = jwt.decode(answer.body["access_token"], options={"verify_signature": False})
    assert (claims["roles"], claims["tier"]) == (["admin", "user"], "partner")
