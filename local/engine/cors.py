"""Gap 3: CORS given through CloudFormation answers every preflight with 403.

The engine stores the template's `CorsConfiguration` with CloudFormation's capital letters and looks for API Gateway's
small ones. Set through the service's own `UpdateApi` it works, so it is left out of the deployed template and set then.
"""

from __future__ import annotations

from typing import Any

from local.engine.http_api import Template


def cors_configurations(template: Template, parameters: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the CORS settings of each `AWS::Serverless::HttpApi` by logical id, with references to parameters
    resolved."""
    return {
        logical_id: {
            name: _resolved(value, template.get("Parameters", {}), parameters)
            for name, value in resource["Properties"]["CorsConfiguration"].items()
        }
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::HttpApi" and "CorsConfiguration" in resource.get("Properties", {})
    }


def _resolved(value: Any, declared: Template, parameters: dict[str, str]) -> Any:
    if not isinstance(value, dict):
        return value
    declaration = declared[value["Ref"]]
    text = parameters.get(value["Ref"], str(declaration.get("Default", "")))
    if declaration["Type"] == "CommaDelimitedList":
        return [part.strip() for part in text.split(",")]
    return text


def set_cors(client: Any, api_id: str, configuration: dict[str, Any]) -> None:
    """Apply one API's CORS settings."""
    client.update_api(ApiId=api_id, CorsConfiguration=configuration)
