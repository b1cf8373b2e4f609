"""Gap 1: a SAM `HttpApi` deploys with no routes.

SAM turns an `HttpApi` and the functions' events into one API whose routes stand in an OpenAPI document (`Body`), and
the engine does not read that document. So the built template gets the same API in plain resources: Api, Stage, and an
Integration and Routes for each function. They keep the API's logical id, so `!Ref HttpApi` means what it meant.

The ids are known ahead (`ms-custom-id`), because the front door is started before the template is deployed.
"""

from __future__ import annotations

import hashlib
from typing import Any

Template = dict[str, Any]
_ID_TAG = "ms-custom-id"


class UnsupportedTemplateError(ValueError):
    """The template uses something that would silently mean something else in the local engine."""


def api_id(logical_id: str) -> str:
    """Return the id that an API has in every local stack: 8 hexadecimal digits."""
    return hashlib.sha256(f"slipway/{logical_id}".encode()).hexdigest()[:8]


def replace_http_apis(template: Template) -> None:
    """Turn every `AWS::Serverless::HttpApi`, and the events that name one, into plain resources, in place.

    Raises:
        UnsupportedTemplateError: An API or event has a setting that is not carried over.
    """
    resources: Template = template["Resources"]
    for logical_id, resource in list(resources.items()):
        if resource["Type"] == "AWS::Serverless::HttpApi":
            resources.update(_plain_api(logical_id, resource.get("Properties", {})))
        elif resource["Type"] == "AWS::Serverless::Function":
            resources.update(_plain_routes(logical_id, resource["Properties"]))


def pin_websocket_apis(template: Template) -> None:
    """Give the template's WebSocket APIs, which are plain resources already, their known ids."""
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::ApiGatewayV2::Api" and properties.get("ProtocolType") == "WEBSOCKET":
            properties.setdefault("Tags", {})[_ID_TAG] = api_id(logical_id)


def _plain_api(logical_id: str, properties: Template) -> Template:
    # Carried over by `cors`, or nothing to the engine: it keeps no access logs and throttles nothing.
    ignored = {
        "CorsConfiguration",
        "AccessLogSettings",
        "DefaultRouteSettings",
        "Description",
        "Name",
        "RouteSettings",
        "Tags",
    }
    if unknown := set(properties) - ignored:
        raise UnsupportedTemplateError(f"{logical_id}: no local counterpart of {', '.join(sorted(unknown))}")
    return {
        logical_id: {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": logical_id,
                "ProtocolType": "HTTP",
                "Tags": {_ID_TAG: api_id(logical_id)},
            },
        },
        f"{logical_id}Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {"ApiId": {"Ref": logical_id}, "StageName": "$default", "AutoDeploy": True},
        },
    }


def _plain_routes(function: str, properties: Template) -> Template:
    events: Template = properties.get("Events", {})
    added: Template = {}
    for name, event in list(events.items()):
        if event["Type"] != "HttpApi":
            continue
        settings: Template = event.get("Properties", {})
        if unknown := set(settings) - {"ApiId", "Method", "Path", "PayloadFormatVersion", "TimeoutInMillis"}:
            # An authorizer above all: leaving it out would open the route here and hide that it is untested.
            raise UnsupportedTemplateError(f"{function}.{name}: no local counterpart of {', '.join(sorted(unknown))}")
        del events[name]
        api = settings.get("ApiId", {"Ref": "ServerlessHttpApi"})
        integration = f"{function}Integration"
        added[integration] = _integration(function, api)
        added[f"{function}{name}Route"] = {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": api,
                "RouteKey": _route_key(settings),
                "Target": {"Fn::Sub": f"integrations/${{{integration}}}"},
            },
        }
    if not events:
        properties.pop("Events", None)
    return added


def _integration(function: str, api: Any) -> Template:
    return {
        "Type": "AWS::ApiGatewayV2::Integration",
        "Properties": {
            "ApiId": api,
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": {"Fn::GetAtt": [function, "Arn"]},
            "PayloadFormatVersion": "2.0",
        },
    }


def _route_key(settings: Template) -> str:
    if "Path" not in settings:
        return "$default"
    method = str(settings.get("Method", "ANY")).upper()
    return f"{'ANY' if method == 'X-AMAZON-APIGATEWAY-ANY-METHOD' else method} {settings['Path']}"
