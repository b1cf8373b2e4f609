"""What the template hands to the functions."""

import json
from collections.abc import Iterator

import pytest

from slipway import configuration, settings
from slipway.configuration import chain_settings, known_wallets
from slipway.settings import deployer_key_ids, identity_settings, tier_limit


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    for cached in (chain_settings, known_wallets, settings.identity_settings, settings.tier_limit):
        cached.cache_clear()
    yield
    for cached in (chain_settings, known_wallets, settings.identity_settings, settings.tier_limit):
        cached.cache_clear()


def test_the_chain_of_tokens() -> None:
    chain = chain_settings().token_chain
    assert (chain.chain_id, chain.name, chain.confirmations) == (31337, "anvil", 2)


def test_a_chain_that_is_not_configured_is_a_mistake_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_CHAIN_ID", "5")
    with pytest.raises(KeyError):
        _ = chain_settings().token_chain


def test_chains_and_wallets_that_an_environment_does_not_hold_are_read_from_their_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chains = [
        {
            "chain_id": number,
            "name": f"chain {number}",
            "rpc_urls": ["https://rpc.test/" + "k" * 64],
            "max_fee_per_gas": 1,
        }
        for number in range(1, 51)
    ]
    wallets = {f"0x{number:040X}": {"roles": ["operator"]} for number in range(1000)}
    texts = {"arn:chains": json.dumps(chains), "arn:wallets": json.dumps(wallets)}
    assert min(map(len, texts.values())) > 4096
    monkeypatch.setattr(configuration, "secret_text", texts.__getitem__)
    for variable, arn in (("CHAINS", "arn:chains"), ("WALLET_ROLES", "arn:wallets")):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv(f"{variable}_SECRET_ARN", arn)
    monkeypatch.setenv("TOKEN_CHAIN_ID", "50")
    assert (len(chain_settings().chains), chain_settings().token_chain.name) == (50, "chain 50")
    assert len(known_wallets()) == 1000


def test_identity_without_an_external_issuer() -> None:
    found = identity_settings()
    assert found.oidc is None
    assert found.sign_in_domains == ("slipway.test", "dashboard.test:3000")


def test_identity_with_an_external_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "OIDC_ISSUER": "https://issuer.test/",
        "OIDC_AUDIENCE": "a",
        "OIDC_ALGORITHMS": "RS256, ES256,",
        "OIDC_CLAIMS": '{"wallet": "w", "roles": "r", "tier": "t"}',
        "WALLET_ROLES": '{"0xAbC": {"roles": ["admin"]}}',
    }.items():
        monkeypatch.setenv(name, value)
    found = identity_settings()
    assert found.oidc is not None
    assert found.oidc.jwks_url == "https://issuer.test/.well-known/jwks.json"
    assert found.oidc.algorithms == ("RS256", "ES256")
    assert known_wallets() == {"0xabc": {"roles": ["admin"]}}
    settings.identity_settings.cache_clear()
    monkeypatch.setenv("OIDC_JWKS_URL", "https://keys.test/jwks")
    found = identity_settings()
    assert found.oidc is not None
    assert found.oidc.jwks_url == "https://keys.test/jwks"


@pytest.mark.parametrize("algorithms", ["HS256", "RS256,HS512", "none", ""])
def test_algorithms_that_anyone_could_forge_are_a_mistake_at_once(
    monkeypatch: pytest.MonkeyPatch, algorithms: str
) -> None:
    for name, value in {
        "OIDC_ISSUER": "https://issuer.test/",
        "OIDC_AUDIENCE": "a",
        "OIDC_ALGORITHMS": algorithms,
        "OIDC_CLAIMS": '{"wallet": "w", "roles": "r", "tier": "t"}',
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="OIDC_ALGORITHMS"):
        identity_settings()


def test_limits_by_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tier_limit("launches", "standard") == {"hour": 5, "day": 20}
    tier_limit.cache_clear()
    monkeypatch.setenv("LAUNCH_LIMITS", '{"standard": {"hour": 1, "day": 2}, "premium": {"hour": 3, "day": 4}}')
    assert tier_limit("launches", "premium") == {"hour": 3, "day": 4}
    assert tier_limit("launches", "unheard of") == {"hour": 1, "day": 2}


def test_deployer_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOYER_KEY_IDS", "a, b,,c")
    assert deployer_key_ids() == ("a", "b", "c")
