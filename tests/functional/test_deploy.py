"""A deployment against moto's CloudFormation: change sets are judged before they are executed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from deploy import contracts
from deploy.contracts import Contracts
from deploy.run import DeployError, Deployment
from deploy.secrets import put_secret
from deploy.settings import Settings, parse
from deploy.stack import Change, Stack, StackError, package_bucket
from local.paths import ROOT
from slipway.chain.administration import InstallError

REGION = "eu-central-1"
ADDRESS = "https://api.test"


def _template(**more: Any) -> str:
    parameters = {
        name: {"Type": "String", "Default": ""}
        for name in ("StageName", "Architecture", "TokenChainId", "DashboardHosting", "AllowedOrigins", "SignInDomains",
                     "PublicUrl", "TokenIssuer", "ChainsSecretArn", "WalletRolesSecretArn", "ConfigurationDigest")
    }  # fmt: skip
    table = {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        },
    }
    resources = {"Table": table, "Topic": {"Type": "AWS::SNS::Topic"}, **more}
    return json.dumps({"Parameters": parameters, "Resources": resources})


class Tools:
    """What would be done on this machine."""

    def __init__(self, directory: Path) -> None:
        self.built = directory / "template.yaml"
        self.text = _template()
        self.passes = True
        self.published: list[dict[str, str]] = []

    def build(self, settings: Settings) -> Path:
        self.built.write_text(self.text, encoding="utf-8")
        return self.built

    def package(self, template: Path, bucket: str) -> Path:
        assert bucket.endswith(REGION)
        return template

    def publish_dashboard(self, settings: Settings, outputs: dict[str, str]) -> list[str]:
        self.published.append(outputs)
        return []

    def smoke(self, settings: Settings, outputs: dict[str, str]) -> bool:
        return self.passes


class MotoStack(Stack):
    """moto makes no outputs of a stack that a change set created."""

    def outputs(self) -> dict[str, str]:
        found = self._describe()
        if found is None or found["StackStatus"] == "REVIEW_IN_PROGRESS":
            return {}
        given = {entry["ParameterKey"]: entry["ParameterValue"] for entry in found["Parameters"]}
        own = {"ApiUrl": ADDRESS, "ControlTableName": "control", "DeployerKeyIds": "a,b"}
        return {**own, "Domains": given.get("SignInDomains", "")}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Deployment, Tools, list[str]]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setattr(contracts, "read", lambda *_: Contracts(None, None, None, ("0x1", "0x2")))
    with mock_aws():
        session: Any = boto3.Session(region_name=REGION)

        def clients(service: str) -> Any:
            return session.client(service)

        example = (ROOT / "deploy" / "example.toml").read_text(encoding="utf-8")
        settings = parse("production", example, {"INFURA_KEY": "secret-key"})
        tools, said = Tools(tmp_path), list[str]()
        stack = MotoStack(session.client("cloudformation"), settings.stack, sleep=lambda _: None)
        yield (
            Deployment(settings, clients, tools, tmp_path / "state", stack, said.append),
            tools,
            said,
        )


def test_a_first_deployment_learns_its_address_in_a_second_pass(
    world: tuple[Deployment, Tools, list[str]],
) -> None:
    deployment, tools, said = world
    outputs = deployment.deploy()
    assert outputs["Domains"] == "app.example.com,api.test"
    assert tools.published == [outputs]
    assert sum("Second pass" in line for line in said) == 1
    text = "\n".join(said)
    assert "secret-key" not in text
    assert "python -m slipway.chain.install" in text, "what is left to do by hand"
    chains = deployment.clients("secretsmanager").get_secret_value(SecretId="slipway/production/chains")
    assert "secret-key" in json.loads(chains["SecretString"])[0]["rpc_urls"][0]
    said.clear()
    deployment.left.clear()
    deployment.deploy()
    assert "Second pass" not in "\n".join(said), "a later one knows the address at once"


def test_a_plan_changes_nothing(world: tuple[Deployment, Tools, list[str]]) -> None:
    deployment, _, said = world
    assert deployment.plan()
    assert any("Add" in line and "Table" in line for line in said)
    assert deployment.stack.outputs() == {}
    with pytest.raises(ClientError):
        deployment.clients("secretsmanager").describe_secret(SecretId="slipway/production/chains")
    deployment.deploy()
    assert deployment.plan()


def test_a_table_is_not_removed_silently(world: tuple[Deployment, Tools, list[str]]) -> None:
    deployment, tools, _ = world
    deployment.deploy()
    tools.text = _template().replace('"Table"', '"Tables"')
    assert not deployment.plan()
    with pytest.raises(DeployError, match="ALLOW=Table"):
        deployment.deploy()
    assert [entry[0] for entry in deployment.stack.resources()] == ["Table", "Topic"]
    deployment.deploy(frozenset({"Table"}))
    assert "Tables" in [entry[0] for entry in deployment.stack.resources()]


def test_destroying_says_what_stays_and_wants_to_be_asked_twice(world: tuple[Deployment, Tools, list[str]]) -> None:
    deployment, _, said = world
    with pytest.raises(DeployError, match="no stack"):
        deployment.destroy(confirmed=True)
    deployment.deploy()
    said.clear()
    deployment.destroy(confirmed=False)
    assert any("AWS::DynamoDB::Table" in line for line in said)
    assert deployment.stack.outputs()
    deployment.destroy(confirmed=True)
    assert deployment.stack.outputs() == {}


def test_contracts_that_stop_are_resumed(
    world: tuple[Deployment, Tools, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment, _, said = world
    deployment.settings = deployment.settings.model_copy(update={"administrator_key": "0x" + "1" * 64})
    calls: list[dict[str, Any]] = []

    def install(*_: Any, **given: Any) -> Any:
        calls.append(given)
        if len(calls) == 1:
            raise InstallError("the node went away", {"model_registry": "0xregistry", "token_manager": None})
        return Contracts("0xregistry", "0xmanager", None, ())

    monkeypatch.setattr("slipway.chain.install.install", install)
    monkeypatch.setattr("slipway.chain.store.save_contracts", lambda *_: None)
    with pytest.raises(DeployError, match="Run it again to resume"):
        deployment.deploy()
    deployment.deploy()
    assert calls[1]["model_registry"] == "0xregistry"
    assert "Contracts: registry 0xregistry, manager 0xmanager" in said
    assert not (deployment.state / "production.json").exists()


def test_checks_that_fail_are_left_to_do(world: tuple[Deployment, Tools, list[str]]) -> None:
    deployment, tools, _ = world
    tools.passes = False
    deployment.deploy()
    assert any("make smoke" in line for line in deployment.left)


class Refusing:
    """CloudFormation that answers as it is told."""

    def __init__(self, status: str, reason: str = "") -> None:
        self.status, self.reason = status, reason
        self.deleted: list[str] = []

    def describe_stacks(self, **_: Any) -> Any:
        return {"Stacks": [{"StackStatus": self.status}]}

    def create_change_set(self, **_: Any) -> Any:
        return {"Id": "arn"}

    def describe_change_set(self, **_: Any) -> Any:
        return {"Status": "FAILED", "StatusReason": self.reason}

    def delete_change_set(self, **given: Any) -> None:
        self.deleted.append(given["ChangeSetName"])


def _propose(client: Refusing) -> Any:
    return Stack(client, "s", sleep=lambda _: None).propose("https://t", {}, {})


def test_nothing_to_change_is_no_failure() -> None:
    client = Refusing("UPDATE_COMPLETE", "The submitted information didn't contain changes.")
    assert _propose(client).changes == ()
    assert client.deleted == ["arn"]


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        ("UPDATE_IN_PROGRESS", "", "wait until that is over"),
        ("ROLLBACK_COMPLETE", "", "its first deployment failed"),
        ("UPDATE_COMPLETE", "Template error: nonsense", "Template error: nonsense"),
    ],
)
def test_what_cloudformation_refuses_is_said(status: str, reason: str, said: str) -> None:
    with pytest.raises(StackError, match=said):
        _propose(Refusing(status, reason))


def test_a_wait_has_an_end() -> None:
    class Silent(Refusing):
        def describe_change_set(self, **_: Any) -> Any:
            return {"Status": "CREATE_PENDING"}

    now = [0.0]
    stack = Stack(Silent("UPDATE_COMPLETE"), "s", sleep=lambda s: now.__setitem__(0, now[0] + s), clock=lambda: now[0])
    with pytest.raises(StackError, match="took more than 600 s"):
        stack.propose("https://t", {}, {})
    assert 600 < now[0] < 610


@pytest.mark.parametrize(
    ("change", "dangerous"),
    [
        (Change("Modify", "A", "AWS::DynamoDB::Table", "True"), True),
        (Change("Modify", "A", "AWS::KMS::Key", "Conditional"), True),
        (Change("Remove", "A", "AWS::S3::Bucket", "False"), True),
        (Change("Modify", "A", "AWS::DynamoDB::Table", "False"), False),
        (Change("Modify", "A", "AWS::Lambda::Function", "True"), False),
        (Change("Add", "A", "AWS::KMS::Key", "False"), False),
    ],
)
def test_what_is_dangerous(change: Change, dangerous: bool) -> None:
    assert change.is_dangerous is dangerous


@mock_aws
def test_a_secret_has_a_new_version_only_if_it_has_another_value() -> None:
    client = boto3.client("secretsmanager", region_name=REGION)
    arn = put_secret(client, "slipway/x", "one", {"a": "b"})
    assert put_secret(client, "slipway/x", "one", {}) == arn
    assert len(client.list_secret_version_ids(SecretId="slipway/x")["Versions"]) == 1
    assert put_secret(client, "slipway/x", "two", {}) == arn
    assert client.get_secret_value(SecretId="slipway/x")["SecretString"] == "two"


@mock_aws
def test_the_bucket_of_packages_is_private_and_made_once() -> None:
    client = boto3.client("s3", region_name=REGION)
    name = package_bucket(client, "123456789012", REGION)
    assert package_bucket(client, "123456789012", REGION) == name
    assert all(client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
