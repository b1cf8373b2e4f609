"""Tokens of an external issuer: a wallet that they name counts once that wallet has signed for their user."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from slipway.identity import service as identity
from slipway.identity.jwks import JwksClient
from tests.support.installation import Answer, Installation
from tests.support.template import template
from tests.support.wallets import ADMIN, ALICE, BOB, sign_in_message, sign_text

ISSUER = "https://issuer.test/"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(autouse=True)
def _issuer(slipway: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configure an external issuer that may grant nothing."""
    monkeypatch.setenv("OIDC_ISSUER", ISSUER)
    monkeypatch.setenv("OIDC_AUDIENCE", "slipway")
    for name in ("OidcAlgorithms", "OidcClaims", "OidcGrants"):
        variable = re.sub(r"(?<!^)([A-Z])", r"_\1", name).upper()
        monkeypatch.setenv(variable, str(template()["Parameters"][name]["Default"]))
    published = {"keys": [{**RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k1"}]}
    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, text=json.dumps(published))))
    monkeypatch.setattr(identity, "JwksClient", lambda url, _: JwksClient(url, client))
    slipway.forget()


def _token(user: str = "u1", **claims: Any) -> str:
    now = int(time.time())
    ordinary = {"iss": ISSUER, "sub": user, "aud": "slipway", "iat": now, "exp": now + 300}
    return jwt.encode({**ordinary, **claims}, KEY, algorithm="RS256", headers={"kid": "k1"})


def _link(slipway: Installation, token: str, account: Any = ALICE, signer: Any = None) -> Answer:
    nonce = slipway.api("api_identity_nonce").body["nonce"]
    message = sign_in_message(nonce=nonce, address=account.address)
    body = {"message": message, "signature": sign_text(message, signer or account)}
    return slipway.api("api_identity_link", token=token, body=body)


def _lists(slipway: Installation, token: str) -> int:
    """Return what a route answers that needs a wallet: 403 to who has none."""
    return slipway.api("api_deployments_list", token=token).status


def test_a_claimed_wallet_counts_only_when_it_has_signed_for_this_user(slipway: Installation) -> None:
    claiming = _token(wallet=ALICE.address)
    assert _lists(slipway, claiming) == 403
    answer = _link(slipway, claiming)
    assert (answer.status, answer.body["wallet"]) == (200, ALICE.address)
    assert _lists(slipway, claiming) == 200
    # Another user of the issuer, and another wallet of this one.
    assert _lists(slipway, _token("u2", wallet=ALICE.address)) == 403
    assert _lists(slipway, _token(wallet=BOB.address)) == 403
    # A user without a claim has the wallet that was linked last.
    assert _lists(slipway, _token()) == 200
    assert _lists(slipway, _token("u2")) == 403


def test_only_the_wallet_itself_links_itself(slipway: Installation) -> None:
    claiming = _token(wallet=ALICE.address)
    assert _link(slipway, claiming, ALICE, signer=BOB).status == 401
    assert _lists(slipway, claiming) == 403
    own = _link(slipway, slipway.token(BOB), BOB)
    assert (own.status, own.code) == (401, "AUTH_FAILED")


def test_a_linked_wallet_that_is_blocked_is_refused(slipway: Installation) -> None:
    token = _token(wallet=ALICE.address)
    _link(slipway, token)
    assert slipway.launch("unknown", token=token).status == 404
    path: dict[str, str] = {"wallet": ALICE.address}
    blocked = slipway.api("api_admin_block", token=slipway.token(ADMIN), path=path, body={"reason": "misuse"})
    assert blocked.status == 200
    refused = slipway.launch("unknown", token=token)
    assert (refused.status, refused.code) == (403, "FORBIDDEN")
