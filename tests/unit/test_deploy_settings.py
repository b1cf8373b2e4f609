"""deploy/<name>.toml: all that is wrong is reported at once, before anything is sent."""

from __future__ import annotations

import json

import httpx
import pytest

from deploy.checks import reachability
from deploy.parameters import installation_parameters
from deploy.settings import Settings, SettingsError, parse
from local.paths import ROOT
from tests.support.template import template

EXAMPLE = (ROOT / "deploy" / "example.toml").read_text(encoding="utf-8")
ENVIRONMENT = {"INFURA_KEY": "k123"}
KEY = "0x" + "ab" * 32


def _problems(text: str, environment: dict[str, str] | None = None, name: str = "production") -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse(name, text, ENVIRONMENT if environment is None else environment)
    return refused.value.problems


def _example() -> Settings:
    return parse("production", EXAMPLE, ENVIRONMENT)


def test_the_example_is_a_file_that_works() -> None:
    settings = _example()
    assert settings.stack == "slipway-production"
    assert settings.chains[0]["rpc_urls"][0] == "https://sepolia.infura.io/v3/k123"
    assert settings.parameters["TokenChainId"] == "11155111"
    assert settings.parameters["Architecture"] == "arm64"
    assert set(settings.parameters) <= set(template()["Parameters"])


def test_each_line_of_the_example_that_is_commented_out_works_too() -> None:
    shown = [line.removeprefix("# ") if " = " in line else line for line in EXAMPLE.splitlines()]
    environment = {**ENVIRONMENT, "AKASH_CONSOLE_API_KEY": "a", "MLFLOW_TOKEN": "", "EXPLORER_KEYS": "{}"}
    settings = parse("production", "\n".join(shown), {**environment, "ADMINISTRATOR_PRIVATE_KEY": KEY})
    assert settings.secret_values == {"akash_api_key": "a", "explorer_keys": "{}"}, "an empty one stays as it is"
    assert settings.administrator_key == KEY
    assert json.loads(settings.parameters["AkashBudget"])["deposit"] == 100


def test_no_secret_is_shown() -> None:
    text = EXAMPLE.replace("# administrator", "administrator")
    shown = repr(parse("p", text, {**ENVIRONMENT, "ADMINISTRATOR_PRIVATE_KEY": KEY}))
    assert "k123" not in shown
    assert KEY not in shown


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('region = "eu-central-1"', 'region = "Frankfurt"'), "region: "),
        (('architecture = "arm64"', 'architecture = "riscv"'), "architecture: "),
        (('max_fee_per_gas = "200000000000"', ""), "chains[0]: chain 11155111: max_fee_per_gas is missing"),
        (("block_seconds = 12", "blok_seconds = 12"), "chains[0]: chain 11155111: unknown fields: blok_seconds"),
        (("https://ethereum", "http://ethereum"), "chains[0].rpc_urls: each is an https address"),
        (('SignInDomains = "app.example.com"', 'SignInDomain = "x"'), "parameters.SignInDomain: the template has no"),
        (('SignInDomains = "app.example.com"', 'Chains = "[]"'), "parameters.Chains: the file has a section"),
        (('SignInDomains = "app.example.com"', 'LogLevel = "LOUD"'), "parameters.LogLevel: one of DEBUG"),
        (('SignInDomains = "app.example.com"', 'LaunchLimits = "{5}"'), "parameters.LaunchLimits: not JSON"),
        (('SignInDomains = "app.example.com"', "LaunchLimits = [5]"), "parameters.LaunchLimits: another kind of JSON"),
        (('SignInDomains = "app.example.com"', 'PublicUrl = "http://x.example"'), "parameters.PublicUrl: must fit"),
        (('SignInDomains = "app.example.com"', 'AkashLookSeconds = "soon"'), "parameters.AkashLookSeconds: a number"),
        (("[wallets]", '[wallets]\n"0x70997970c51812dc3A010C7d01b50e0d17dc79C8" = {}'), "checksum"),
        (("[wallets]", '[wallets]\n"0x70997970C51812dc3A010C7d01b50e0d17dc79C8" = {roles = ["king"]}'), "roles[0]: "),
        (('fund = "0.05"', 'fund = "-1"'), "contracts.fund: "),
        (('publish = "print"', 'publish = "ftp"'), "dashboard.publish: "),
        (("[tags]", "[tgas]"), "tgas: Extra inputs"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(change: tuple[str, str], problem: str) -> None:
    assert change[0] in EXAMPLE
    (found,) = _problems(EXAMPLE.replace(*change))
    assert problem in found


def test_all_mistakes_come_together() -> None:
    text = EXAMPLE.replace("max_fee_per_gas", "max_fee").replace('SignInDomains = "app.example.com"', 'Nonsense = "x"')
    assert len(_problems(text, {})) == 3, "and the variable that the environment lacks"


@pytest.mark.parametrize("name", ["Production", "a_b", "x" * 21, "", "../x"])
def test_a_name_names_a_stage(name: str) -> None:
    assert _problems(EXAMPLE, name=name)


def test_what_the_environment_lacks_is_named() -> None:
    assert _problems(EXAMPLE, {}) == ["the environment has no INFURA_KEY"]
    text = EXAMPLE.replace("# administrator", "administrator")
    assert _problems(text) == ["contracts.administrator: the environment has no ADMINISTRATOR_PRIVATE_KEY"]
    (problem,) = _problems(text, {**ENVIRONMENT, "ADMINISTRATOR_PRIVATE_KEY": "hunter2"})
    assert "no private key" in problem
    assert "hunter2" not in problem


def test_an_installation_learns_its_own_address_and_keeps_what_the_file_says() -> None:
    settings = _example()
    first = installation_parameters(settings, {}, {"ChainsSecretArn": "arn:c"})
    assert not {"PublicUrl", "TokenIssuer"} & set(first)
    second = installation_parameters(settings, {"ApiUrl": "https://a.execute-api.test"}, {"ChainsSecretArn": "arn:c"})
    assert second["PublicUrl"] == second["TokenIssuer"] == "https://a.execute-api.test"
    assert second["SignInDomains"] == "app.example.com,a.execute-api.test"
    assert second["ChainsSecretArn"] == "arn:c"
    one = {"ApiUrl": "https://a.execute-api.test", "OneAddressUrl": "https://d.cloudfront.test"}
    third = installation_parameters(settings, one, {})
    assert third["PublicUrl"] == "https://d.cloudfront.test"
    assert third["StreamUrl"] == "wss://d.cloudfront.test"
    assert third["AllowedOrigins"] == "https://app.example.com,https://d.cloudfront.test"


def test_addresses_are_asked_what_they_are() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "sepolia.infura.io":
            return httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, "result": hex(1)})
        if request.method == "POST":
            return httpx.Response(200, text="<html>")
        return httpx.Response(503)

    text = EXAMPLE.replace("[parameters]", '[parameters]\nOidcIssuer = "https://login.test"\n', 1)
    settings = parse("production", text, ENVIRONMENT)
    found = reachability(settings, httpx.Client(transport=httpx.MockTransport(answer)))
    assert sorted(found) == [
        "chains: sepolia, ethereum-sepolia-rpc.publicnode.com: does not answer eth_chainId (JSONDecodeError)",
        "chains: sepolia, sepolia.infura.io: is chain 1, not 11155111",
        "parameters.OidcIssuer: login.test answers 503",
    ]
    assert "k123" not in "".join(found)
