"""The policies of every function and machine, as a linter of IAM reads them and as an evaluator of IAM decides.

The linter (parliament) knows AWS's actions, the resources that each takes, and condition keys. The evaluator is moto's.
"""

from __future__ import annotations

import json
import re
from typing import Any

import parliament
import pytest
from moto.iam.access_control import IAMPolicy, PermissionResult

from tests.support.grants import recorded
from tests.support.template import functions, resources, statements, template

ACCOUNT = "123456789012"
REGION = "us-east-1"
_AT = f"{REGION}:{ACCOUNT}"
# What an ARN is, by the resource's type; of a parameter, by what its name ends with.
_ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{_AT}:table/{{}}",
    "AWS::KMS::Key": f"arn:aws:kms:{_AT}:key/{{}}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{_AT}:{{}}",
    "AWS::SecretsManager::Secret": f"arn:aws:secretsmanager:{_AT}:secret:{{}}-abcdef",
    "AWS::Serverless::Function": f"arn:aws:lambda:{_AT}:function:{{}}",
    "AWS::Serverless::StateMachine": f"arn:aws:states:{_AT}:stateMachine:{{}}",
    "SecretArn": f"arn:aws:secretsmanager:{_AT}:secret:{{}}-abcdef",
    "ModelArns": "arn:aws:bedrock:us-east-1::foundation-model/model",
    "Sender": "alerts@slipway.test",
}
_VALUES = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "BedrockModelId": "model",
    "WebSocketApi": "abcdefghij",
}
MACHINES = sorted(resources("AWS::Serverless::StateMachine"))
# The linter wants every type of resource that an action takes; one is meant here.
_ONE_OF_SEVERAL = ("bedrock:InvokeModel", "states:DescribeExecution")


def _arn(name: str) -> str:
    """Return the ARN of a logical id or parameter."""
    if name in template()["Resources"]:
        return _ARNS[template()["Resources"][name]["Type"]].format(name)
    return next(arn for ending, arn in _ARNS.items() if name.endswith(ending)).format(name)


def _value(name: str) -> str:
    if name in _VALUES:
        return _VALUES[name]
    logical, _, attribute = name.partition(".")
    if attribute == "StreamArn":
        return f"{_arn(logical)}/stream/label"
    return logical if attribute == "Name" else _arn(logical)


def _concrete(given: Any) -> Any:
    """Return a statement without the template's functions."""
    if isinstance(given, list):
        return [_concrete(entry) for entry in given]
    if not isinstance(given, dict):
        return given
    if "Ref" in given:
        return _value(given["Ref"])
    if "Fn::GetAtt" in given:
        return _value(given["Fn::GetAtt"])
    if "Fn::If" in given:
        return _concrete(given["Fn::If"][1])
    if "Fn::Sub" in given:
        return re.sub(r"\$\{([^}]+)\}", lambda found: _value(found[1]), given["Fn::Sub"])
    return {key: _concrete(value) for key, value in given.items()}


def policy(logical_id: str) -> dict[str, Any]:
    """Return the policy of a function or machine, as IAM gets it."""
    return {"Version": "2012-10-17", "Statement": _concrete(statements(logical_id))}


def _judge(function: str) -> IAMPolicy:
    return IAMPolicy({"policy_document": json.dumps(policy(function))})


def _seen(resource: str) -> str:
    """Return the ARN of a resource as grants.json spells it."""
    if resource == "*":
        return resource
    if resource.startswith("arn:"):
        # The template's spelling without its braces' first half.
        return re.sub(r"(AWS::\w+|\w+(\.Name)?)\}", lambda found: _value(found[1]), resource)
    # The evaluator knows no conditions: kinds of keys are judged by tests/unit/test_grants.py.
    logical, slash, rest = resource.partition(" ")[0].partition("/")
    return _arn(logical) + slash + rest


@pytest.mark.parametrize("logical_id", [*sorted(functions()), *MACHINES])
def test_the_linter_of_policies_finds_nothing(logical_id: str) -> None:
    if not statements(logical_id):
        return
    found = [
        f"{finding.issue} {finding.detail}"
        for finding in parliament.analyze_policy_string(json.dumps(policy(logical_id))).findings
        if not (finding.issue == "RESOURCE_MISMATCH" and all(e["action"] in _ONE_OF_SEVERAL for e in finding.detail))
    ]
    assert found == []


@pytest.mark.parametrize("function", sorted(recorded()))
def test_what_is_used_is_permitted_by_an_evaluator_of_policies(function: str) -> None:
    judge = _judge(function)
    refused = [
        (action, resource)
        for action, found in recorded()[function].items()
        for resource in found
        if judge.is_action_permitted(action, _seen(resource)) != PermissionResult.PERMITTED
    ]
    assert refused == []


def test_the_evaluator_refuses_what_a_function_may_not() -> None:
    """It can refuse: other tables, other keys, other actions."""
    judge = _judge("HeartbeatFunction")
    for action, resource in (
        ("dynamodb:UpdateItem", "JobsTable"),
        ("dynamodb:Scan", "WorkersTable"),
        ("kms:Sign", "DeployerKeyA"),
        ("secretsmanager:GetSecretValue", "AkashApiKeySecretArn"),
    ):
        assert judge.is_action_permitted(action, _seen(resource)) != PermissionResult.PERMITTED, action
