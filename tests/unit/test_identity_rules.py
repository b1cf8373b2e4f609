"""Roles of wallets and the claims of access tokens."""

from slipway.identity.rules import access_claims, caller_from_claims, wallet_roles
from tests.support.wallets import ALICE, BOB

WALLETS = {
    ALICE.address.lower(): {"roles": ["admin", "emperor"], "tier": "premium"},
    BOB.address.lower(): {},
}
NAMES = {"wallet": "wallet", "roles": "roles", "tier": "tier"}


def test_roles_come_from_the_configuration_and_unknown_ones_mean_nothing() -> None:
    assert wallet_roles(ALICE.address, WALLETS) == (["admin", "user"], "premium")
    assert wallet_roles(BOB.address, WALLETS) == (["user"], "standard")
    assert wallet_roles(ALICE.address, {}) == (["user"], "standard")


def test_an_access_token_says_who_for_how_long() -> None:
    claims = access_claims(ALICE.address, ["user"], "standard", issuer="i", audience="a", token_id="t", issued_at=1000)
    assert claims == {
        "iss": "i",
        "aud": "a",
        "sub": ALICE.address,
        "wallet": ALICE.address,
        "roles": ["user"],
        "tier": "standard",
        "jti": "t",
        "iat": 1000,
        "nbf": 1000,
        "exp": 1900,
    }


def test_claims_become_the_caller() -> None:
    caller = caller_from_claims({"sub": "s", "wallet": ALICE.address.lower(), "roles": ["operator", "x"]}, NAMES)
    assert caller.wallet == ALICE.address
    assert caller.roles == {"user", "operator"}
    assert caller.tier == "standard"
