"""How the built template is rewritten for the local engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.engine.adapter import adapt, write
from local.engine.cors import cors_configurations
from local.engine.http_api import UnsupportedTemplateError, api_id, pin_websocket_apis, replace_http_apis


def template(**changes: Any) -> dict[str, Any]:
    function = {
        "CodeUri": "Hello",
        "Layers": [{"Ref": "Heavy"}],
        "Events": {
            "Get": {
                "Type": "HttpApi",
                "Properties": {"ApiId": {"Ref": "Api"}, "Method": "get", "Path": "/hello/{name}"},
            },
            "Nightly": {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": "rate(1 day)"}},
        },
        **changes,
    }
    return {
        "Parameters": {"Origins": {"Type": "CommaDelimitedList", "Default": "https://a.test"}},
        "Globals": {"Function": {"Runtime": "python3.13", "Handler": "app.handler", "Layers": [{"Ref": "Light"}]}},
        "Resources": {
            "Api": {
                "Type": "AWS::Serverless::HttpApi",
                "Properties": {"CorsConfiguration": {"AllowOrigins": {"Ref": "Origins"}, "MaxAge": 600}},
            },
            "Light": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "Light"}},
            "Heavy": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "Heavy"}},
            "Hello": {"Type": "AWS::Serverless::Function", "Properties": function},
            "Machine": {
                "Type": "AWS::Serverless::StateMachine",
                "Properties": {"DefinitionUri": "../machines/one.asl.json"},
            },
        },
    }


def adapted(tmp_path: Path, source: dict[str, Any]) -> Any:
    (tmp_path / "build" / "Hello").mkdir(parents=True)
    (tmp_path / "build" / "Hello" / "app.py").write_text("", encoding="utf-8")
    layers = {"Light": Path("/layers/light v1"), "Heavy": Path("/layers/heavy")}
    return adapt(
        source,
        {"Origins": "https://b.test, https://c.test"},
        build=tmp_path / "build",
        layers=layers,
        target=tmp_path / "functions",
        log=tmp_path / "functions.log",
    )


def test_an_http_api_and_its_events_become_plain_resources(tmp_path: Path) -> None:
    result = adapted(tmp_path, template())
    resources = result.template["Resources"]
    assert resources["Api"]["Type"] == "AWS::ApiGatewayV2::Api"
    assert resources["Api"]["Properties"]["Tags"] == {"ms-custom-id": api_id("Api")}
    assert resources["ApiStage"]["Properties"]["StageName"] == "$default"
    assert resources["HelloIntegration"]["Properties"] == {
        "ApiId": {"Ref": "Api"},
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": {"Fn::GetAtt": ["Hello", "Arn"]},
        "PayloadFormatVersion": "2.0",
    }
    assert resources["HelloGetRoute"]["Properties"]["RouteKey"] == "GET /hello/{name}"
    assert resources["HelloGetRoute"]["Properties"]["Target"] == {"Fn::Sub": "integrations/${HelloIntegration}"}
    assert list(resources["Hello"]["Properties"]["Events"]) == ["Nightly"]


def test_an_api_id_is_eight_hexadecimal_digits_and_always_the_same() -> None:
    assert api_id("HttpApi") == api_id("HttpApi") != api_id("WebSocketApi")
    assert len(api_id("HttpApi")) == 8
    int(api_id("HttpApi"), 16)


def test_a_function_runs_under_the_runtime_client_with_its_own_layers(tmp_path: Path) -> None:
    source = template()
    result = adapted(tmp_path, source)
    function = result.template["Resources"]["Hello"]["Properties"]
    assert function["Runtime"] == "provided.al2023"
    assert "Layers" not in function
    assert "Runtime" not in result.template["Globals"]["Function"]
    assert "Light" not in result.template["Resources"]
    bootstrap = (Path(function["CodeUri"]) / "bootstrap").read_text(encoding="utf-8")
    # The function's own code first; of two layers the later one wins.
    assert "PYTHONPATH=\"$LAMBDA_TASK_ROOT\":/layers/heavy/python:'/layers/light v1/python'\n" in bootstrap
    assert "BIND_HOST" in bootstrap
    assert source == template(), "the built template is left as it is"


def test_cors_is_taken_out_and_resolved(tmp_path: Path) -> None:
    result = adapted(tmp_path, template())
    assert "CorsConfiguration" not in result.template["Resources"]["Api"]["Properties"]
    assert result.cors == {"Api": {"AllowOrigins": ["https://b.test", "https://c.test"], "MaxAge": 600}}
    assert cors_configurations(template(), {})["Api"]["AllowOrigins"] == ["https://a.test"]


def test_relative_definitions_still_lead_to_their_files(tmp_path: Path) -> None:
    result = adapted(tmp_path, template())
    definition = result.template["Resources"]["Machine"]["Properties"]["DefinitionUri"]
    assert definition == str((tmp_path / "machines" / "one.asl.json").resolve())


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"Layers": [{"Ref": "Light"}]}, "a layer twice"),
        ({"Layers": ["arn:aws:lambda:us-east-1:1:layer:other:1"]}, "only layers of this template"),
        ({"Runtime": "nodejs22.x"}, "only Python"),
        (
            {"Events": {"Get": {"Type": "HttpApi", "Properties": {"Path": "/", "Auth": {"Authorizer": "Mine"}}}}},
            "Hello.Get: no local counterpart of Auth",
        ),
    ],
)
def test_what_would_mean_something_else_here_is_refused(
    tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UnsupportedTemplateError, match=complaint):
        adapted(tmp_path, template(**changes))


def test_an_api_with_authorizers_is_refused() -> None:
    source = template()
    source["Resources"]["Api"]["Properties"]["Auth"] = {"DefaultAuthorizer": "Mine"}
    with pytest.raises(UnsupportedTemplateError, match="Auth"):
        replace_http_apis(source)


def test_websocket_apis_get_their_known_ids() -> None:
    api: dict[str, Any] = {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "WEBSOCKET"}}
    pin_websocket_apis({"Resources": {"WebSocketApi": api}})
    assert api["Properties"]["Tags"] == {"ms-custom-id": api_id("WebSocketApi")}


def test_shared_values_are_written_out(tmp_path: Path) -> None:
    shared = {"a": 1}
    write({"Resources": {"One": shared, "Two": shared}}, tmp_path / "template.yaml")
    text = (tmp_path / "template.yaml").read_text(encoding="utf-8")
    assert "&" not in text
    assert "*" not in text
