"""What functions use of what their policies allow, as the functional tests and the stack's tests see it.

`SLIPWAY_RECORD_GRANTS=1 local/python -m pytest tests/functional` adds what it sees to grants.json, and so it does with
`tests/stack`.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from local.calls.leading_keys import leading_keys
from local.deploy import STACK
from tests.support.template import named_resources, statements

FILE = Path(__file__).with_name("grants.json")
Grants = dict[str, dict[str, list[str]]]
# Tables of several capabilities, whose statements name the beginnings of partition keys.
_SHARED = ("JobsTable", "ControlTable")
# What is recorded is judged afterwards (tests/unit/test_grants.py).
RECORDING = bool(os.environ.get("SLIPWAY_RECORD_GRANTS"))
_seen: set[tuple[str, str, str]] = set()
_WRITES = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{16}\b|(?<=@connections/).*")
# ARNs as `named_resources` spells them.
_CONNECTIONS = "arn:AWS::Partition}:execute-api:AWS::Region}:AWS::AccountId}:WebSocketApi}/v1/POST/@connections"
_EXECUTIONS = "arn:AWS::Partition}:states:AWS::Region}:AWS::AccountId}:execution"
_MODEL = "arn:AWS::Partition}:bedrock:AWS::Region}::foundation-model/BedrockModelId}"

# Services of which one action is called.
_FIXED = {
    "bedrock-runtime": ("bedrock:InvokeModel", _MODEL),
    "cloudwatch": ("cloudwatch:GetMetricData", "*"),
    "sesv2": ("ses:SendEmail", "arn:AWS::Partition}:ses:AWS::Region}:AWS::AccountId}:identity/any"),
}


def needed(
    service: str, operation: str, arguments: dict[str, Any], logical: Callable[[str], str]
) -> list[tuple[str, str]]:
    """Return the actions, each with its resource, that IAM asks for before AWS does a call.

    Args:
        service: As botocore names it.
        operation: Likewise.
        arguments: Of the call.
        logical: Tells the logical id of what a call names.

    Raises:
        ValueError: A call of which nothing is known here, so that none goes unjudged.
    """
    if service == "dynamodb":
        index = f"/index/{arguments['IndexName']}" if "IndexName" in arguments else ""
        # A stack's functions note the kinds of keys alone (`local.calls`).
        keys = arguments.get("leading_keys") or set(leading_keys(operation, arguments))
        return [
            (_WRITES.get(write, f"dynamodb:{write}"), _of_kind(f"{logical(table)}{index}", kind))
            for write, table, kind in keys
        ]
    if service == "s3":
        bucket = logical(arguments["Bucket"])
        # Without it, S3 tells nobody what is not there.
        listed = [("s3:ListBucket", bucket)] if operation == "GetObject" else []
        action = f"s3:{operation}{'Version' if arguments.get('VersionId') else ''}"
        return [(action, f"{bucket}/{arguments['Key']}"), *listed]
    if service == "apigatewaymanagementapi":
        return [("execute-api:ManageConnections", f"{_CONNECTIONS}/{arguments['ConnectionId']}")]
    if service in _FIXED:
        return [_FIXED[service]]
    if operation in ("StopExecution", "DescribeExecution"):
        *_, machine, execution = arguments["executionArn"].split(":")
        return [(f"states:{operation}", f"{_EXECUTIONS}:{logical(machine)}.Name}}:{execution}")]
    if service == "sqs":
        return [(f"sqs:{operation}", logical(arguments["QueueUrl"]))]
    named = {"kms": "KeyId", "stepfunctions": "stateMachineArn", "lambda": "FunctionName", "secretsmanager": "SecretId"}
    if service not in named:
        raise ValueError(f"What does {service} {operation} need?")
    prefix = {"stepfunctions": "states"}.get(service, service)
    action = {"Invoke": "InvokeFunction"}.get(operation, operation)
    return [(f"{prefix}:{action}", logical(arguments[named[service]]))]


def _of_kind(table: str, kind: str) -> str:
    """Return a shared table's resource with the kind of item: ``JobsTable BUILD#id``."""
    return f"{table} {kind}" if _is_shared(table) else table


@dataclass(frozen=True)
class Grant:
    """A statement of a function's policy.

    Attributes:
        actions: What it allows.
        resources: On what, as patterns; of shared tables, with each beginning of a partition key that it names.
        name: Its Sid: of a statement that several functions have, because they share the code that uses it.
    """

    actions: frozenset[str]
    resources: frozenset[str]
    name: str | None

    @property
    def is_of_keys(self) -> bool:
        """Whether it is about a shared table."""
        return any(_is_shared(resource) for resource in self.resources)

    def covers(self, action: str, resource: str) -> bool:
        """Whether it lets a function do this."""
        return action in self.actions and any(fnmatch.fnmatchcase(resource, pattern) for pattern in self.resources)


def _is_shared(resource: str) -> bool:
    return resource.partition(" ")[0].partition("/")[0] in _SHARED


def _patterns(statement: dict[str, Any]) -> frozenset[str]:
    conditions = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
    # Without a condition it names no kind, and so covers none.
    kinds = conditions.get("dynamodb:LeadingKeys", [""])
    return frozenset(_of_kind(resource, kind) for resource in named_resources(statement) for kind in kinds)


@cache
def grants(function: str) -> tuple[Grant, ...]:
    """Return the statements of a function's policy."""
    return tuple(
        Grant(frozenset(statement["Action"]), _patterns(statement), statement.get("Sid"))
        for statement in statements(function)
    )


def allowed(function: str, action: str, resource: str) -> bool:
    """Whether a function's policy lets it do this."""
    return any(grant.covers(action, resource) for grant in grants(function))


def check_calls(calls: Path, cloudformation: Any) -> None:
    """Hold what a stack's functions called (`local.calls`) to their policies.

    Args:
        calls: The file of calls.
        cloudformation: A client of the engine, which tells which resource is which.

    Raises:
        AssertionError: Some function did what it may not.
    """
    names = dict(_names(cloudformation))

    def logical(physical: str) -> str:
        short = (physical, physical.rpartition(":")[2], physical.rpartition("/")[2])
        # What is no resource of the stack may nobody use.
        return next((names[name] for name in short if name in names), physical)

    used = set()
    for line in calls.read_text(encoding="utf-8").splitlines():
        function, service, operation, arguments = json.loads(line)
        used |= {(logical(function), *need) for need in needed(service, operation, arguments, logical)}
    for use in used:
        saw(*use)
    assert used, "nothing was noted"
    write()
    refused = [use for use in sorted(used) if not allowed(*use)]
    assert RECORDING or not refused, refused


def _names(cloudformation: Any) -> Iterator[tuple[str, str]]:
    """Physical and logical ids of a stack's resources, and values and names of its parameters."""
    for entry in cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Parameters"]:
        yield entry["ParameterValue"], entry["ParameterKey"]
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK):
        for entry in page["StackResourceSummaries"]:
            yield entry["PhysicalResourceId"], entry["LogicalResourceId"]
            yield entry["PhysicalResourceId"].rpartition(":")[2], entry["LogicalResourceId"]


def saw(function: str, action: str, resource: str) -> None:
    """Note that a function used an action on a resource, whose id does not matter."""
    _seen.add((function, action, _ID.sub("id", resource)))


def recorded() -> Grants:
    """Resources by function and action."""
    found: Grants = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return found


def write() -> None:
    """Add what was seen to the record, if somebody asked for that."""
    if not (_seen and RECORDING):
        return
    whole = _seen | {
        (function, action, resource)
        for function, actions in recorded().items()
        for action, resources in actions.items()
        for resource in resources
    }
    grants: Grants = {}
    for function, action, resource in sorted(whole):
        grants.setdefault(function, {}).setdefault(action, []).append(resource)
    FILE.write_text(json.dumps(grants, indent=1) + "\n", encoding="utf-8")
