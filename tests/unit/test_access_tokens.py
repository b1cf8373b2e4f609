"""Which tokens are believed: Slipway's own, an external issuer's, and none of the many that only look like them."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from slipway.errors import AuthenticationFailedError, UpstreamUnavailableError
from slipway.identity.access_tokens import IdentityKey, TokenVerifier
from slipway.identity.jwks import JwksClient
from slipway.identity.rules import access_claims
from slipway.settings import IdentitySettings, OidcSettings
from tests.support.keys import FakeKms
from tests.support.wallets import ALICE

ISSUER, AUDIENCE = "https://slipway.test", "slipway"
OIDC_ISSUER = "https://vercel.test"
KMS = FakeKms(ec.SECP256R1(), int("11" * 32, 16))
OIDC_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OIDC = OidcSettings(
    issuer=OIDC_ISSUER,
    jwks_url="https://vercel.test/keys",
    audience="slipway-frontend",
    algorithms=("RS256",),
    claims={"wallet": "eth_address", "roles": "permissions", "tier": "plan"},
    roles=frozenset({"admin"}),
    tiers=frozenset({"premium"}),
)
OIDC_JWK = {**RSAAlgorithm.to_jwk(OIDC_KEY.public_key(), as_dict=True), "kid": "one", "use": "sig", "alg": "RS256"}


def _settings(oidc: OidcSettings | None = OIDC) -> IdentitySettings:
    return IdentitySettings(key_id="key", issuer=ISSUER, audience=AUDIENCE, sign_in_domains=(), oidc=oidc)


@pytest.fixture(autouse=True)
def _private_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_PRIVATE_NETWORK", "true")


@pytest.fixture
def key() -> IdentityKey:
    return IdentityKey(KMS.client, "key")


@pytest.fixture
def verifier(key: IdentityKey) -> TokenVerifier:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"keys": [OIDC_JWK]}))
    return TokenVerifier(_settings(), key, JwksClient(OIDC.jwks_url, httpx.Client(transport=transport)))


def _claims(**changes: Any) -> dict[str, Any]:
    """Good claims of Slipway's own; a change to None leaves the claim out."""
    claims = access_claims(
        ALICE.address,
        ["admin", "user"],
        "premium",
        issuer=ISSUER,
        audience=AUDIENCE,
        token_id="token-1",
        issued_at=int(time.time()),
    )
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def _oidc_claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": OIDC_ISSUER,
        "aud": "slipway-frontend",
        "sub": "user-7",
        "exp": now + 60,
        "iat": now,
        "eth_address": ALICE.address.lower(),
        "permissions": "admin unknown-role",
        "plan": "premium",
    }
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def _oidc_token(claims: dict[str, Any] | None = None, key: Any = OIDC_KEY, kid: str | None = "one") -> str:
    headers = {"kid": kid} if kid else {}
    return jwt.encode(claims or _oidc_claims(), key, algorithm="RS256", headers=headers)


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{_part(header)}.{_part(claims)}."


def _hs256(claims: dict[str, Any], secret: bytes) -> str:
    """Made by hand: PyJWT refuses to use a public key as a secret."""
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_own_token(verifier: TokenVerifier, key: IdentityKey) -> None:
    caller = verifier.verify(key.sign(_claims()))
    assert (caller.subject, caller.wallet, caller.tier, caller.token_id) == (
        ALICE.address,
        ALICE.address,
        "premium",
        "token-1",
    )
    assert caller.roles == {"admin", "user"}


def test_own_token_is_one_that_others_verify_by_the_published_key(key: IdentityKey) -> None:
    published = jwt.PyJWKSet.from_dict({"keys": [key.jwk]})
    token = key.sign(_claims())
    found = published[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, found.key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)
    assert claims["wallet"] == ALICE.address
    assert claims["exp"] - claims["iat"] == 900
    assert "d" not in key.jwk


def test_the_public_key_is_fetched_once_for_many_tokens() -> None:
    kms = FakeKms(ec.SECP256R1())
    key = IdentityKey(kms.client, "key")
    verifier = TokenVerifier(_settings(None), key)
    for _ in range(3):
        verifier.verify(key.sign(_claims()))
    assert kms.public_key_calls == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": int(time.time()) - 1}, "expired"),
        ({"nbf": int(time.time()) + 3600}, "not valid yet"),
        ({"iat": int(time.time()) + 3600}, "not valid yet"),
        ({"aud": "another"}, "audience"),
        ({"aud": ["another", "more"]}, "audience"),
        ({"aud": []}, "aud"),
        ({"iss": "https://evil.test"}, "issuer"),
        ({"iss": "https://slipway.test/"}, "issuer"),
        ({"iss": ["https://slipway.test"]}, "issuer|malformed"),
        ({"exp": None}, "exp"),
        ({"aud": None}, "aud"),
        ({"iss": None}, "issuer"),
        ({"sub": None}, "sub"),
        ({"exp": "never"}, "malformed"),
        ({"exp": True, "nbf": None}, "expired|malformed"),
        ({"sub": 7}, "malformed|shape"),
        ({"wallet": "0x1"}, "wallet"),
        ({"wallet": 7}, "wallet"),
        ({"roles": {"admin": True}}, "shape"),
        ({"roles": 7}, "shape"),
    ],
    # Without the moments, so that a test has one name in every process.
    ids=lambda value: "-".join(value) if isinstance(value, dict) else str(value),
)
def test_own_token_with_wrong_claims_is_refused(
    verifier: TokenVerifier, key: IdentityKey, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(AuthenticationFailedError, match=reason):
        verifier.verify(key.sign(_claims(**changes)))


def _tampered(token: str, **changes: Any) -> str:
    header, claims, signature = token.split(".")
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return f"{header}.{_part({**decoded, **changes})}.{signature}"


def test_forged_tokens_are_refused(verifier: TokenVerifier, key: IdentityKey) -> None:
    good = key.sign(_claims())
    public = KMS.key.public_key()
    stranger = IdentityKey(FakeKms(ec.SECP256R1()).client, "key")
    forged = {
        "alg none": _unsigned({"alg": "none", "typ": "JWT"}, _claims()),
        "alg None": _unsigned({"alg": "None"}, _claims()),
        "no alg": _unsigned({"typ": "JWT"}, _claims()),
        "HS256 with the public key in PEM": _hs256(
            _claims(), public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        ),
        "HS256 with the public key in DER": _hs256(
            _claims(), public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ),
        "HS256 with the point": _hs256(_claims(), public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)),
        "HS256 with nothing": _hs256(_claims(), b""),
        "another key": stranger.sign(_claims()),
        "the external issuer's key": jwt.encode(_claims(), OIDC_KEY, algorithm="RS256", headers={"kid": "one"}),
        "own key for the external issuer": key.sign(_oidc_claims()),
        "HS256 with the external issuer's key": _hs256(
            _oidc_claims(), OIDC_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        ),
        "roles changed": _tampered(good, roles=["admin", "operator"]),
        "signature cut off": good.rpartition(".")[0] + ".",
        "signature of zeros": good.rpartition(".")[0] + "." + _part("x") + "A" * 80,
        "one part": good.partition(".")[0],
        "four parts": good + ".x",
    }
    believed = []
    for name, token in forged.items():
        try:
            verifier.verify(token)
            believed.append(name)
        except AuthenticationFailedError:
            continue
    assert believed == []


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "..",
        "a.b.c",
        "ey.ey.ey",
        "x" * 8193,
        "ключ.ключ.ключ",
        "\ud800.a.b",
        f"{_part([])}.{_part([])}.x",
        f"{_part({'alg': 'ES256'})}.{_part('text')}.x",
        f"{_part({'alg': 'ES256', 'crit': ['exp']})}.{_part({})}.x",
        f"{_part({'alg': 7})}.{_part({})}.x",
        f"{_part({'alg': 'ES256', 'kid': 7})}.{_part({'iss': OIDC_ISSUER})}.x",
        _part({"alg": "ES256"}) + "." + base64.urlsafe_b64encode(b"[" * 5000).decode().rstrip("=") + ".x",
    ],
    ids=lambda token: ascii(token[:20]),
)
def test_garbage_is_refused(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(AuthenticationFailedError):
        verifier.verify(token)


def test_an_oversized_token_is_refused_unread(verifier: TokenVerifier, key: IdentityKey) -> None:
    assert verifier.verify(key.sign(_claims(note="x" * 4000)))
    with pytest.raises(AuthenticationFailedError):
        verifier.verify(key.sign(_claims(note="x" * 8192)))


def test_external_token_with_claim_names_of_its_own(verifier: TokenVerifier) -> None:
    caller = verifier.verify(_oidc_token())
    assert caller.subject == "user-7"
    assert caller.wallet == ALICE.address
    assert caller.roles == {"admin", "user"}
    assert (caller.tier, caller.token_id) == ("premium", None)


def test_a_token_without_a_key_id_is_verified_by_the_only_key(verifier: TokenVerifier) -> None:
    assert verifier.verify(_oidc_token(kid=None)).subject == "user-7"
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(AuthenticationFailedError):
        verifier.verify(_oidc_token(kid=None, key=stranger))


def _verifier(key: IdentityKey, **changes: Any) -> TokenVerifier:
    oidc = replace(OIDC, **changes)
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"keys": [OIDC_JWK]}))
    return TokenVerifier(_settings(oidc), key, JwksClient(oidc.jwks_url, httpx.Client(transport=transport)))


def test_an_issuer_grants_nothing_unless_the_operator_says_so(key: IdentityKey) -> None:
    caller = _verifier(key, roles=frozenset(), tiers=frozenset()).verify(_oidc_token())
    assert (set(caller.roles), caller.tier, caller.issuer) == ({"user"}, "standard", OIDC_ISSUER)
    caller = _verifier(key, roles=frozenset({"operator"}), tiers=frozenset({"gold"})).verify(_oidc_token())
    assert (set(caller.roles), caller.tier) == ({"user"}, "standard")


@pytest.mark.parametrize("roles", [None, "null", [], ""])
def test_null_or_absent_roles_are_none(verifier: TokenVerifier, roles: Any) -> None:
    claims = _oidc_claims(permissions=roles)
    if roles == "null":
        claims["permissions"] = None
    assert verifier.verify(_oidc_token(claims)).roles == {"user"}


def test_dotted_names_lead_into_nested_claims(key: IdentityKey) -> None:
    """As Keycloak nests them (``realm_access.roles``); a claim whose own name has dots comes first, as Auth0's do."""
    verifier = _verifier(key, claims={**OIDC.claims, "roles": "realm_access.roles", "tier": "https://x.test/tier"})
    claims = _oidc_claims(realm_access={"roles": ["admin"]}, **{"https://x.test/tier": "premium"})
    caller = verifier.verify(_oidc_token(claims))
    assert (set(caller.roles), caller.tier) == ({"admin", "user"}, "premium")
    for nested in ("text", ["admin"], {"roles": None}, {}):
        assert verifier.verify(_oidc_token(_oidc_claims(realm_access=nested))).roles == {"user"}


@pytest.mark.parametrize("name", ["azp", "client_id"])
def test_tokens_without_an_audience_by_their_client(key: IdentityKey, name: str) -> None:
    verifier = _verifier(key, clients=frozenset({"app-1"}))
    assert verifier.verify(_oidc_token(_oidc_claims(aud=None, **{name: "app-1"}))).subject == "user-7"
    for claims in (
        _oidc_claims(aud=None, **{name: "app-2"}),
        _oidc_claims(aud=None),
        _oidc_claims(aud="another", **{name: "app-1"}),
        _oidc_claims(aud=None, **{name: ["app-1"]}),
    ):
        with pytest.raises(AuthenticationFailedError):
            verifier.verify(_oidc_token(claims))
    with pytest.raises(AuthenticationFailedError):
        _verifier(key).verify(_oidc_token(_oidc_claims(aud=None, **{name: "app-1"})))


def test_an_issuers_clock_may_differ_by_five_seconds(verifier: TokenVerifier) -> None:
    now = int(time.time())
    assert verifier.verify(_oidc_token(_oidc_claims(exp=now - 2, nbf=now + 3)))
    for changes in ({"exp": now - 10}, {"nbf": now + 60}):
        with pytest.raises(AuthenticationFailedError):
            verifier.verify(_oidc_token(_oidc_claims(**changes)))


def test_external_token_without_a_wallet_is_a_plain_user(verifier: TokenVerifier) -> None:
    caller = verifier.verify(_oidc_token(_oidc_claims(eth_address=None, permissions=None, plan=None)))
    assert caller.roles == {"user"}
    assert caller.tier == "standard"
    assert caller.wallet is None


@pytest.mark.parametrize(
    "token",
    [
        _oidc_token(_oidc_claims(aud=AUDIENCE)),
        _oidc_token(_oidc_claims(exp=1)),
        _oidc_token(_oidc_claims(exp=None)),
        _oidc_token(_oidc_claims(aud=None)),
        _oidc_token(_oidc_claims(sub=None)),
        _oidc_token(kid="two"),
        _oidc_token(key=rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        _oidc_token(_oidc_claims(iss=ISSUER)),
        jwt.encode(_oidc_claims(), OIDC_KEY, algorithm="RS512", headers={"kid": "one"}),
        _unsigned({"alg": "none", "kid": "one"}, _oidc_claims()),
    ],
    ids=[
        "our audience",
        "expired",
        "no exp",
        "no aud",
        "no sub",
        "unknown key",
        "another key",
        "names us as issuer",
        "an algorithm that is not allowed",
        "none",
    ],
)
def test_external_tokens_that_are_not_quite_right_are_refused(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(AuthenticationFailedError):
        verifier.verify(token)


def test_external_tokens_are_refused_where_no_issuer_is_configured(key: IdentityKey) -> None:
    with pytest.raises(AuthenticationFailedError, match="not trusted"):
        TokenVerifier(_settings(None), key).verify(_oidc_token())


def test_own_tokens_do_not_need_the_external_issuer(key: IdentityKey) -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("down")

    client = httpx.Client(transport=httpx.MockTransport(down))
    verifier = TokenVerifier(_settings(), key, JwksClient(OIDC.jwks_url, client))
    assert verifier.verify(key.sign(_claims())).wallet == ALICE.address
    with pytest.raises(UpstreamUnavailableError):
        verifier.verify(_oidc_token())
