"""Rules that template.yaml keeps: logs, least privilege, keys, and routes that exist."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

import pytest

from local.source_template import http_routes
from local.validate import REGIONS
from tests.support.authorization import ROUTES as ACCESS
from tests.support.grants import allowed
from tests.support.template import ROOT, functions, named_resources, resources, statements, template

FUNCTIONS = functions()
MACHINES = resources("AWS::Serverless::StateMachine")
DEPLOYER_KEYS = {name for name in resources("AWS::KMS::Key") if name.startswith("DeployerKey")}
WHO_MAY = {**FUNCTIONS, **MACHINES}


def _events(function: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        event["Properties"] for event in function.get("Events", {}).values() if "Path" in event.get("Properties", {})
    ]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_logs_to_a_group_of_its_own_with_an_end(name: str) -> None:
    group = FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]
    assert resources("AWS::Logs::LogGroup")[group]["RetentionInDays"]
    users = [other for other, entry in FUNCTIONS.items() if entry["LoggingConfig"]["LogGroup"] == {"Ref": group}]
    assert users == [name]


def test_every_folder_of_functions_is_deployed() -> None:
    deployed = {(ROOT / entry["CodeUri"]).resolve() for entry in FUNCTIONS.values()}
    assert deployed == {path.parent.resolve() for path in (ROOT / "functions").rglob("app.py")}


def test_what_runs_most_often_is_not_traced() -> None:
    assert template()["Globals"]["Function"]["Tracing"] == "Active"
    untraced = {name for name, entry in FUNCTIONS.items() if entry.get("Tracing") == "Disabled"}
    assert untraced == {"HeartbeatFunction", "ReconcileTasks", "UptimeFlushTasks"}
    assert {name for name, entry in MACHINES.items() if "Tracing" not in entry} == {"Reconcile", "UptimeFlush"}
    # API Gateway's HTTP APIs and WebSocket APIs trace nothing themselves.
    assert [name for name in resources("AWS::Serverless::HttpApi").values() if "Tracing" in json.dumps(name)] == []


def test_only_the_signer_may_sign_with_the_deployer_keys() -> None:
    assert len(DEPLOYER_KEYS) >= 1
    signers = {
        name
        for name in WHO_MAY
        for statement in statements(name)
        if any(action in ("kms:Sign", "kms:*", "*") for action in statement["Action"])
        and named_resources(statement) & DEPLOYER_KEYS
    }
    assert signers == {"SignerFunction"}


def test_only_identity_may_sign_tokens() -> None:
    signers = {
        name
        for name in WHO_MAY
        for statement in statements(name)
        if "kms:Sign" in statement["Action"] and "IdentityKey" in named_resources(statement)
    }
    assert signers == {"IdentityFunction"}


@pytest.mark.parametrize("name", ["IdentityKey", "ArtifactKey", *sorted(DEPLOYER_KEYS)])
def test_a_signing_key_denies_everyone_but_one_role_administrators_included(name: str) -> None:
    policy = resources("AWS::KMS::Key")[name]["KeyPolicy"]["Statement"]
    (signer,) = [entry for entry in policy if "kms:Sign" in entry["Action"] and entry["Effect"] == "Allow"]
    (denied,) = [entry for entry in policy if entry["Effect"] == "Deny"]
    assert (denied["Principal"], denied["Action"], denied["Resource"]) == ("*", ["kms:Sign", "kms:CreateGrant"], "*")
    assert denied["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": signer["Principal"]["AWS"]}}
    (others,) = [entry for entry in policy if entry not in (signer, denied)]
    allowed = others["Action"]
    for action in ("kms:Sign", "kms:CreateGrant", "kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateMac"):
        assert not any(fnmatch.fnmatchcase(action, pattern) for pattern in allowed), action
    # What administrators need: to look, to break the glass, to delete.
    assert {"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:Get*"} <= set(allowed)


def _who_may(action: str, resource: str) -> set[str]:
    return {
        name
        for name in WHO_MAY
        for statement in statements(name)
        if action in statement["Action"] and resource in named_resources(statement)
    }


def test_only_the_nodes_workflow_may_sign_and_write_endpoints() -> None:
    assert _who_may("kms:Sign", "ArtifactKey") == {"StackNodeTasks"}
    for endpoint in ("ArtifactBucket/*/endpoint.json", "ArtifactBucket/*/endpoint.json.sig"):
        assert _who_may("s3:PutObject", endpoint) == {"StackNodeTasks"}
        assert _who_may("s3:DeleteObject", endpoint) == {"StackNodeTasks", "ReconcileTasks"}
        assert _who_may("s3:DeleteObjectVersion", endpoint) == {"StackNodeTasks"}


def test_only_what_handles_sdls_may_read_them() -> None:
    handlers = {"DeploymentsFunction", "AkashDeployTasks", "StackNodeTasks", "StackApiTasks"}
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        assert _who_may(action, "SdlKey") == handlers


@pytest.mark.parametrize(
    ("key", "writers"),
    [
        ("builds/id/contract-0.json", {"ContractTasks"}),
        ("builds/id/source-0.sol", {"ContractTasks"}),
        ("production/endpoint.json", {"StackNodeTasks"}),
        ("production/endpoint.json.sig", {"StackNodeTasks"}),
        ("something/else.json", set()),
    ],
)
def test_each_prefix_of_the_bucket_has_one_writer(key: str, writers: set[str]) -> None:
    assert {name for name in FUNCTIONS if allowed(name, "s3:PutObject", f"ArtifactBucket/{key}")} == writers


def test_only_the_builds_workflow_may_write_the_builds_files_and_none_may_delete_them() -> None:
    assert _who_may("s3:PutObject", "ArtifactBucket/builds/*") == {"ContractTasks"}
    assert _who_may("s3:DeleteObject", "ArtifactBucket/builds/*") == set()


def test_only_what_writes_contracts_may_use_a_model_and_only_the_configured_one() -> None:
    policy = FUNCTIONS["ContractTasks"]["Policies"][0]["Statement"]
    given = [entry["Fn::If"] for entry in policy if "Fn::If" in entry]
    model = "arn:${AWS::Partition}:bedrock:${AWS::Region}::foundation-model/${BedrockModelId}"
    assert {condition: (entry["Action"], entry["Resource"]) for condition, entry, _ in given} == {
        "HasBedrockModel": (["bedrock:InvokeModel"], {"Fn::Sub": model}),
        "HasBedrockModelArns": (["bedrock:InvokeModel"], {"Ref": "BedrockModelArns"}),
    }
    assert all(otherwise == {"Ref": "AWS::NoValue"} for _, _, otherwise in given)
    others = {name for name in WHO_MAY for entry in statements(name) if "bedrock:InvokeModel" in entry["Action"]}
    assert others == {"ContractTasks"}


@pytest.mark.parametrize("name", resources("AWS::S3::Bucket"))
def test_buckets_are_versioned_encrypted_private_and_reached_over_tls(name: str) -> None:
    bucket = resources("AWS::S3::Bucket")[name]
    assert bucket["VersioningConfiguration"]["Status"] == "Enabled"
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    (policy,) = [
        entry["PolicyDocument"]
        for entry in resources("AWS::S3::BucketPolicy").values()
        if entry["Bucket"] == {"Ref": name}
    ]
    denied = [entry for entry in policy["Statement"] if entry["Effect"] == "Deny"]
    assert any(entry["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} for entry in denied)


# AWS's authorization reference names no resource type for these.
WITHOUT_RESOURCES = {"cloudwatch:GetMetricData", "dynamodb:ListStreams"}


@pytest.mark.parametrize("name", WHO_MAY)
def test_policies_name_actions_and_resources(name: str) -> None:
    for statement in statements(name):
        assert statement["Effect"] == "Allow"
        assert isinstance(statement["Action"], list)
        assert not [action for action in statement["Action"] if "*" in action]
        if any(resource == "*" for resource in named_resources(statement)):
            assert set(statement["Action"]) <= WITHOUT_RESOURCES or all(
                action.startswith("logs:") for action in statement["Action"]
            ), statement


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_use_no_managed_policies_and_may_not_scan(name: str) -> None:
    for policy in FUNCTIONS[name].get("Policies", []):
        assert isinstance(policy, dict)
        assert set(policy) == {"Statement"}
    actions = {action for statement in statements(name) for action in statement["Action"]}
    assert "dynamodb:Scan" not in actions


def test_the_signer_has_no_route() -> None:
    assert _events(FUNCTIONS["SignerFunction"]) == []


def test_keys_tables_and_buckets_outlive_the_stack() -> None:
    for kind in ("AWS::KMS::Key", "AWS::DynamoDB::Table", "AWS::S3::Bucket"):
        for name in resources(kind):
            entry = template()["Resources"][name]
            assert entry["DeletionPolicy"] == "RetainExceptOnCreate", name
            assert entry["UpdateReplacePolicy"] == "Retain", name


@pytest.mark.parametrize("name", resources("AWS::DynamoDB::Table"))
def test_tables_are_on_demand_recoverable_and_encrypted(name: str) -> None:
    table = resources("AWS::DynamoDB::Table")[name]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["SSESpecification"]["SSEEnabled"] is True


@pytest.mark.parametrize("name", ["JobsTable", "ControlTable"])
def test_tables_whose_items_end_expire_them(name: str) -> None:
    table = resources("AWS::DynamoDB::Table")[name]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_no_two_functions_take_the_same_route() -> None:
    routes = [
        (event["Method"], re.sub(r"{\w+}", "{}", event["Path"]))
        for entry in FUNCTIONS.values()
        for event in _events(entry)
    ]
    assert len(set(routes)) == len(routes)


WITHOUT_A_FRAMEWORK = {
    "DocumentsFunction": {("GET", "/openapi.json"), ("GET", "/docs"), ("GET", "/docs/{}")},
    "HealthFunction": {("GET", "/health")},
    "HeartbeatFunction": {("POST", "/heartbeat")},
}
ROUTE = re.compile(r'@app\.(get|post|put|patch|delete)\(\s*"([^"]+)"')


@pytest.mark.parametrize("name", [name for name, entry in FUNCTIONS.items() if _events(entry)])
def test_the_routes_of_a_function_are_those_of_its_code(name: str) -> None:
    code = (ROOT / FUNCTIONS[name]["CodeUri"] / "app.py").read_text()
    written = {(method.upper(), re.sub(r"{\w+}", "{}", path)) for method, path in ROUTE.findall(code)}
    declared = {(event["Method"], re.sub(r"{\w+}", "{}", event["Path"])) for event in _events(FUNCTIONS[name])}
    assert declared == WITHOUT_A_FRAMEWORK.get(name, written)


@pytest.mark.parametrize("name", ["Chains", "EdgeSecret"])
def test_secrets_in_parameters_are_not_echoed(name: str) -> None:
    assert template()["Parameters"][name]["NoEcho"] is True


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_environment_holds_a_secret_and_where_one_is_stands_where_it_is_read(name: str) -> None:
    shared = template()["Globals"]["Function"]["Environment"]["Variables"]
    own = FUNCTIONS[name].get("Environment", {}).get("Variables", {})
    held = json.dumps({**shared, **own})
    for secret in ("Chains", "WalletRoles", "EdgeSecret"):
        assert f'{{"Ref": "{secret}"}}' not in held
    assert not [variable for variable in shared if variable.endswith("_SECRET_ARN")]
    known = {variable for variable, value in own.items() if variable.endswith("_SECRET_ARN") and value != ""}
    read = {
        variable
        for variable in known
        if allowed(name, "secretsmanager:GetSecretValue", min(named_resources({"Resource": own[variable]})))
    }
    # Whether there is a key decides whether there are stacks; the key itself it may not read.
    assert known - read == ({"AKASH_API_KEY_SECRET_ARN"} if name == "StacksFunction" else set())


def test_throttles_name_routes_and_strangers_share_little() -> None:
    api = template()["Resources"]["HttpApi"]["Properties"]
    settings, usual = api["RouteSettings"], api["DefaultRouteSettings"]["ThrottlingRateLimit"]
    declared = {f"{route.method} {route.path}" for route in http_routes()} | {"$default"}
    assert set(settings) <= declared
    limited = {key for key, entry in settings.items() if entry["ThrottlingRateLimit"] < usual}
    open_to_all = {key for key, entry in ACCESS.items() if entry.who == "anyone"}
    # What pages of anybody read.
    public = {
        "GET /.well-known/jwks.json", "GET /api/providers", "GET /workers/{wallet}/badge.svg",
        "GET /workers/{wallet}/status", "GET /api/tokens/{address}", "GET /api/tokens/{address}/abi",
        "GET /api/tokens/{address}/metadata",
    }  # fmt: skip
    assert open_to_all - limited == public
    assert "$default" in limited
    assert settings["POST /heartbeat"]["ThrottlingRateLimit"] > usual


@pytest.mark.parametrize(("function", "parameter"), [
    ("HeartbeatFunction", "HeartbeatConcurrency"), ("SignerFunction", "SignerConcurrency"),
])  # fmt: skip
def test_what_others_must_not_starve_may_keep_a_concurrency_of_its_own(function: str, parameter: str) -> None:
    condition, kept, otherwise = FUNCTIONS[function]["ReservedConcurrentExecutions"]["Fn::If"]
    assert (kept, otherwise) == ({"Ref": parameter}, {"Ref": "AWS::NoValue"})
    assert template()["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, 0]}]}
    # A new account has ten in all, of which none can be kept.
    assert template()["Parameters"][parameter]["Default"] == 0


def test_the_private_network_is_off_unless_somebody_says_so() -> None:
    assert template()["Parameters"]["AllowPrivateNetwork"]["Default"] == "false"


def test_no_route_ends_in_a_slash() -> None:
    """HTTP APIs take none; see `slipway.forwarding`."""
    assert [route.path for route in http_routes() if route.path.endswith("/")] == []


def test_the_documents_name_the_regions_that_the_template_is_checked_for() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    assert set(re.findall(r"\b[a-z]{2}-[a-z]+-[0-9]\b", text)) == set(REGIONS)
