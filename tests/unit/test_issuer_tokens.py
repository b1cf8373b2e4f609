"""Forty shapes of tokens as issuers make them, and what each makes of its bearer with the settings of the guide.

The claims are those that the issuers document for their access tokens (docs/authentication.md has the settings).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from slipway.errors import AuthenticationFailedError
from slipway.identity.access_tokens import IdentityKey, TokenVerifier
from slipway.identity.jwks import JwksClient
from slipway.settings import IdentitySettings, OidcSettings
from tests.support.keys import FakeKms
from tests.support.wallets import ALICE

NOW = int(time.time())
HOUR = 3600
OWN = IdentityKey(FakeKms(ec.SECP256R1()).client, "key")


@cache
def _key(algorithm: str, name: str = "") -> Any:
    if algorithm.startswith(("RS", "PS")):
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key({"ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}.get(algorithm, ec.SECP256R1()))


def _jwk(algorithm: str, **members: Any) -> dict[str, Any]:
    kinds = {"R": RSAAlgorithm, "P": RSAAlgorithm, "E": ECAlgorithm}
    kind: Any = OKPAlgorithm if algorithm == "EdDSA" else kinds[algorithm[0]]
    found = {**kind.to_jwk(_key(algorithm).public_key(), as_dict=True), "kid": "k1", "use": "sig", "alg": algorithm}
    return {name: value for name, value in {**found, **members}.items() if value is not None}


@dataclass(frozen=True)
class Issuer:
    """Settings as the guide has them, and the claims of an ordinary token."""

    settings: OidcSettings
    claims: dict[str, Any]


def _settings(issuer: str, audience: str, roles: str, algorithms: str = "RS256", **more: Any) -> OidcSettings:
    claims = {"wallet": "wallet", "roles": roles, "tier": "tier"}
    granted = {"roles": frozenset({"operator"}), "tiers": frozenset({"premium"}), **more}
    return OidcSettings(issuer, "https://keys.test/jwks", audience, tuple(algorithms.split(",")), claims, **granted)


AUTH0 = Issuer(
    _settings("https://acme.auth0.com/", "https://api.acme.test", "https://acme.test/roles"),
    {
        "iss": "https://acme.auth0.com/", "sub": "auth0|6", "azp": "client", "scope": "openid profile",
        "aud": ["https://api.acme.test", "https://acme.auth0.com/userinfo"], "permissions": ["read:all"],
        "https://acme.test/roles": ["operator", "editor"],
    },
)  # fmt: skip
CLERK = Issuer(
    _settings("https://acme.clerk.accounts.dev", "slipway", "public_metadata.roles"),
    {
        "iss": "https://acme.clerk.accounts.dev", "sub": "user_2", "aud": "slipway", "sid": "sess_1", "nbf": NOW - 10,
        "azp": "https://acme.test", "public_metadata": {"roles": ["operator"]}, "jti": "a1b2",
    },
)  # fmt: skip
SUPABASE = Issuer(
    _settings("https://p.supabase.co/auth/v1", "authenticated", "app_metadata.roles", "ES256"),
    {
        "iss": "https://p.supabase.co/auth/v1", "sub": "9b2c", "aud": "authenticated", "role": "authenticated",
        "aal": "aal1", "session_id": "s", "is_anonymous": False, "email": "a@acme.test", "user_metadata": {},
        "app_metadata": {"provider": "email", "roles": ["operator"]},
    },
)  # fmt: skip
COGNITO = Issuer(
    _settings(
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A", "none", "cognito:groups", clients=frozenset({"c1"})
    ),
    {
        "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A", "sub": "5f", "client_id": "c1",
        "token_use": "access", "scope": "openid", "username": "ann", "cognito:groups": ["operator"],
        "auth_time": NOW, "jti": "j", "origin_jti": "o", "version": 2,
    },
)  # fmt: skip
KEYCLOAK = Issuer(
    _settings("https://id.acme.test/realms/main", "slipway", "realm_access.roles", "RS256,PS256,EdDSA,ES384"),
    {
        "iss": "https://id.acme.test/realms/main", "sub": "f:1", "aud": ["slipway", "account"], "typ": "Bearer",
        "azp": "web", "realm_access": {"roles": ["operator", "offline_access"]}, "acr": "1",
        "resource_access": {"account": {"roles": ["view-profile"]}}, "preferred_username": "ann",
    },
)  # fmt: skip
OPERATOR, USER = frozenset({"operator", "user"}), frozenset({"user"})
REFUSED = None


@dataclass(frozen=True)
class Shape:
    """A token: what differs from its issuer's ordinary one, and the roles of its bearer, or that it is refused."""

    issuer: Issuer
    roles: frozenset[str] | None
    changes: dict[str, Any] = field(default_factory=dict)
    algorithm: str = ""
    header: dict[str, Any] = field(default_factory=dict)
    keys: Callable[[str], list[dict[str, Any]]] = lambda algorithm: [_jwk(algorithm)]
    other_key: bool = False


def _shape(issuer: Issuer, roles: frozenset[str] | None, **parts: Any) -> Shape:
    known = {name: parts.pop(name) for name in ("algorithm", "header", "keys", "other_key") if name in parts}
    return Shape(issuer, roles, parts.pop("changes", {}) | parts, **known)


SHAPES: dict[str, Shape] = {
    "Auth0: ordinary, for two audiences": _shape(AUTH0, OPERATOR),
    "Auth0: without roles": _shape(AUTH0, USER, changes={"https://acme.test/roles": None}),
    "Auth0: one audience as text": _shape(AUTH0, OPERATOR, aud="https://api.acme.test"),
    "Auth0: an ID token, for the client": _shape(AUTH0, REFUSED, aud="client", nonce="n"),
    "Auth0: issuer without its slash": _shape(AUTH0, REFUSED, iss="https://acme.auth0.com"),
    "Auth0: another tenant": _shape(AUTH0, REFUSED, iss="https://evil.auth0.com/"),
    "Auth0: a machine's token": _shape(AUTH0, USER, sub="c@clients", gty="client-credentials",
                                       changes={"https://acme.test/roles": []}),
    "Auth0: the key has a certificate too": _shape(
        AUTH0, OPERATOR, keys=lambda a: [_jwk(a, x5t="abc", x5c=["MIIB"])]),
    "Auth0: HS256, as old applications have": _shape(AUTH0, REFUSED, algorithm="HS256"),
    "Clerk: ordinary, by a template": _shape(CLERK, OPERATOR),
    "Clerk: a session's token without audience": _shape(CLERK, REFUSED, aud=None),
    "Clerk: metadata that is empty": _shape(CLERK, USER, public_metadata={}),
    "Clerk: metadata that is null": _shape(CLERK, USER, public_metadata={"roles": None}),
    "Clerk: a role as text": _shape(CLERK, OPERATOR, public_metadata={"roles": "operator"}),
    "Clerk: lives for an hour": _shape(CLERK, OPERATOR, iat=NOW, exp=NOW + 3600),
    "Clerk: a clock three seconds ahead": _shape(CLERK, OPERATOR, iat=NOW + 3, nbf=NOW + 3),
    "Clerk: a clock an hour ahead": _shape(CLERK, REFUSED, nbf=NOW + 3600),
    "Supabase: ordinary": _shape(SUPABASE, OPERATOR),
    "Supabase: no roles in its metadata": _shape(SUPABASE, USER, app_metadata={"provider": "github"}),
    "Supabase: someone who has not signed in": _shape(SUPABASE, REFUSED, aud="anon", role="anon"),
    "Supabase: roles that the user wrote": _shape(
        SUPABASE, USER, app_metadata={}, user_metadata={"roles": ["operator"]}),
    "Supabase: the service's key": _shape(SUPABASE, REFUSED, role="service_role", aud=None, sub=None),
    "Supabase: HS256 by the shared secret": _shape(SUPABASE, REFUSED, algorithm="HS256"),
    "Cognito: ordinary, without audience": _shape(COGNITO, OPERATOR),
    "Cognito: another client": _shape(COGNITO, REFUSED, client_id="c2"),
    "Cognito: an ID token of the client": _shape(COGNITO, REFUSED, aud="c1", client_id=None, token_use="id"),
    "Cognito: no groups": _shape(COGNITO, USER, changes={"cognito:groups": None}),
    "Cognito: a group that grants what it may not": _shape(COGNITO, USER, changes={"cognito:groups": ["admin"]}),
    "Cognito: another pool": _shape(COGNITO, REFUSED, iss="https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_B"),
    "Cognito: two keys, the second signs": _shape(
        COGNITO, OPERATOR, keys=lambda a: [{**_jwk("ES256"), "kid": "k0"}, _jwk(a)]),
    "Keycloak: ordinary": _shape(KEYCLOAK, OPERATOR),
    "Keycloak: PS256": _shape(KEYCLOAK, OPERATOR, algorithm="PS256"),
    "Keycloak: EdDSA": _shape(KEYCLOAK, OPERATOR, algorithm="EdDSA"),
    "Keycloak: ES384": _shape(KEYCLOAK, OPERATOR, algorithm="ES384"),
    "Keycloak: ES512, which is not configured": _shape(KEYCLOAK, REFUSED, algorithm="ES512"),
    "Keycloak: beside a key for encryption": _shape(
        KEYCLOAK, OPERATOR, keys=lambda a: [{**_jwk("RS256", use="enc", kid="e1", alg="RSA-OAEP")}, _jwk(a)]),
    "Keycloak: the key for encryption signs": _shape(
        KEYCLOAK, REFUSED, header={"kid": "e1"}, keys=lambda a: [_jwk(a, use="enc", kid="e1"), _jwk("ES384")]),
    "Keycloak: for the account alone": _shape(KEYCLOAK, REFUSED, aud="account"),
    "Keycloak: expired": _shape(KEYCLOAK, REFUSED, iat=NOW - HOUR, exp=NOW - 60),
    "any: one key without an id": _shape(AUTH0, OPERATOR, keys=lambda a: [_jwk(a, kid=None)]),
    "any: a token without a key's id": _shape(CLERK, OPERATOR, header={"kid": None}),
    "any: no key's id, and two keys": _shape(
        CLERK, REFUSED, header={"kid": None}, keys=lambda a: [_jwk(a), {**_jwk("ES256"), "kid": "k2"}]),
    "any: a key that says where to find itself": _shape(
        AUTH0, REFUSED, other_key=True, header={"jku": "https://evil.test/jwks", "x5u": "https://evil.test/c"}),
    "any: a key within the token": _shape(
        AUTH0, REFUSED, other_key=True, header={"jwk": {"kty": "oct", "k": "AA"}, "kid": "k1"}),
    "any: an extension that has to be understood": _shape(
        AUTH0, REFUSED, header={"crit": ["b64"], "b64": False}),
}  # fmt: skip


def _token(shape: Shape) -> str:
    ordinary = {"iat": NOW, "exp": NOW + HOUR, **shape.issuer.claims}
    claims = {name: value for name, value in {**ordinary, **shape.changes}.items() if value is not None}
    algorithm = shape.algorithm or shape.issuer.settings.algorithms[0]
    key: Any = "a secret that both sides share, long enough" if algorithm == "HS256" else _key(algorithm)
    if shape.other_key:
        key = _key(algorithm, "another")
    header = {name: value for name, value in {"kid": "k1", **shape.header}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers=header)


@pytest.fixture(autouse=True)
def _private_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_PRIVATE_NETWORK", "true")


def _verifier(shape: Shape) -> TokenVerifier:
    settings = shape.issuer.settings
    signing = shape.algorithm if shape.algorithm not in ("", "HS256") else settings.algorithms[0]
    published = json.dumps({"keys": shape.keys(signing)})
    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, text=published)))
    whole = IdentitySettings("key", "https://slipway.test", "slipway", (), settings)
    return TokenVerifier(whole, OWN, JwksClient(settings.jwks_url, client))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_token_makes_of_its_bearer_what_the_guide_says(shape: Shape) -> None:
    verifier, token = _verifier(shape), _token(shape)
    if shape.roles is REFUSED:
        with pytest.raises(AuthenticationFailedError):
            verifier.verify(token)
        return
    caller = verifier.verify(token)
    assert (caller.roles, caller.tier, caller.wallet) == (shape.roles, "standard", None)
    assert caller.subject == {**shape.issuer.claims, **shape.changes}["sub"]
    assert caller.issuer == shape.issuer.settings.issuer


def test_there_are_forty_of_them_and_a_wallet_claim_is_read_from_each_issuer() -> None:
    assert len(SHAPES) >= 40
    for issuer in (AUTH0, CLERK, SUPABASE, COGNITO, KEYCLOAK):
        shape = Shape(issuer, OPERATOR, {"wallet": ALICE.address.lower(), "tier": "premium"})
        caller = _verifier(shape).verify(_token(shape))
        assert (caller.wallet, caller.tier) == (ALICE.address, "premium")
