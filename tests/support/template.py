"""Reads template.yaml as the tests need it: resources, tables, and what each function's policy allows."""

from __future__ import annotations

from typing import Any

from local.paths import ROOT as ROOT
from local.source_template import source_template

TABLE_VARIABLES = {
    "JOBS_TABLE": "JobsTable",
    "CONTROL_TABLE": "ControlTable",
    "WORKERS_TABLE": "WorkersTable",
    "PROJECTS_TABLE": "ProjectsTable",
}


def template() -> dict[str, Any]:
    """Return the template; to be read, not changed."""
    return source_template()


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Properties of the resources of one type, by logical id."""
    return {
        name: entry.get("Properties", {}) for name, entry in template()["Resources"].items() if entry["Type"] == kind
    }


def functions() -> dict[str, dict[str, Any]]:
    """Properties of the Lambda functions, by logical id."""
    return resources("AWS::Serverless::Function")


def asynchronous_functions() -> list[str]:
    """Functions that others may invoke. Functions don't wait for each other, so that is always asynchronous; but for a
    request that the caller waits for, which is handed on."""
    invoked = {
        name
        for caller in functions()
        if caller != "DocumentsFunction"
        for statement in statements(caller)
        if "lambda:InvokeFunction" in statement["Action"]
        for name in named_resources(statement)
    }
    return sorted(invoked | {name for name, entry in functions().items() if "EventInvokeConfig" in entry})


def table_definition(logical_id: str) -> dict[str, Any]:
    """Arguments of ``create_table`` for a table of the template."""
    wanted = {"BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"}
    return {key: value for key, value in resources("AWS::DynamoDB::Table")[logical_id].items() if key in wanted}


def statements(logical_id: str) -> list[dict[str, Any]]:
    """Return the policy statements of a function or state machine; of a conditional one, the branch that is there.

    With those of keys whose own policies name its role, and of policies beside the role.
    """
    role = {"AWS": {"Fn::GetAtt": f"{logical_id}Role.Arn"}}
    found: list[dict[str, Any]] = [
        {"Effect": entry["Effect"], "Action": entry["Action"], "Resource": {"Fn::GetAtt": f"{key}.Arn"}}
        for key, properties in resources("AWS::KMS::Key").items()
        for entry in properties["KeyPolicy"]["Statement"]
        if entry["Effect"] == "Allow" and entry["Principal"] == role
    ]
    beside = [
        entry["PolicyDocument"]
        for entry in resources("AWS::IAM::Policy").values()
        if {"Ref": f"{logical_id}Role"} in entry["Roles"]
    ]
    for policy in [*(template()["Resources"][logical_id]["Properties"].get("Policies") or []), *beside]:
        for statement in policy["Statement"]:
            found.append(statement["Fn::If"][1] if "Fn::If" in statement else statement)
    return found


def named_resources(statement: dict[str, Any]) -> set[str]:
    """Logical ids (``X``), index paths (``X/index/name``) or the text of the resources of a statement."""
    given = statement["Resource"]
    return {_named(entry) for entry in (given if isinstance(given, list) else [given])}


def _named(resource: Any) -> str:
    if isinstance(resource, str):
        return resource
    if "Ref" in resource:
        return str(resource["Ref"])
    if "Fn::If" in resource:
        # What the template makes itself where nobody names another.
        return _named(resource["Fn::If"][1])
    if "Fn::GetAtt" in resource:
        return str(resource["Fn::GetAtt"]).removesuffix(".Arn")
    return str(resource["Fn::Sub"]).replace("${", "").replace(".Arn}", "")


def allows(logical_id: str, action: str, resource: str) -> bool:
    """Whether a function's policy allows an action on a resource that is named as in ``named_resources``."""
    return any(
        statement["Effect"] == "Allow" and action in statement["Action"] and resource in named_resources(statement)
        for statement in statements(logical_id)
    )
