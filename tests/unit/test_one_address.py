"""The optional distribution that puts everything under one domain, and the function that rewrites a stream's path."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from py_mini_racer import MiniRacer

from local.front_door import WEBSOCKET_STAGE
from local.source_template import cloudformation
from slipway.edge import SECRET_HEADER
from tests.support.functions import function_app
from tests.support.template import ROOT, functions, resources, template

VIEWER = "198.51.100.23"
BUILD = "6f0d9a52-30f5-4a3c-8d5e-0f2c7a1b9e11"
_IMPORT = 'import cf from "cloudfront";'
_CLOUDFRONT = "var chosen = {}; var cf = {selectRequestOriginById: function (id) { chosen.origin = id; }};\n"
_BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
_PAGE_PATH = re.compile(r'\{ path: "(/[^"]*)"')


def _distribution() -> dict[str, Any]:
    (found,) = resources("AWS::CloudFront::Distribution").values()
    configuration: dict[str, Any] = found["DistributionConfig"]
    return configuration


def _rewritten(
    uri: str,
    querystring: dict[str, Any] | None = None,
    by: str = "StreamPathFunction",
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return what a function makes of a request, with the origin that it chose, if any."""
    function = resources("AWS::CloudFront::Function")[by]
    request = {
        "method": method,
        "uri": uri,
        "querystring": querystring or {},
        "headers": {name: {"value": value} for name, value in (headers or {}).items()},
        "cookies": {},
    }
    engine = MiniRacer()
    try:
        # A module of CloudFront's, which stands alone in no engine.
        engine.eval(_CLOUDFRONT + function["FunctionCode"].removeprefix(_IMPORT))
        event = json.dumps({"version": "1.0", "viewer": {"ip": VIEWER}, "request": request})
        text = engine.eval(f"JSON.stringify(Object.assign({{}}, handler({event}), chosen))")
    finally:
        engine.close()
    assert isinstance(text, str)
    answer: dict[str, Any] = json.loads(text)
    return answer


def _origin(path: str) -> Any:
    """Where a path leads: to the first pattern that fits, else to the default."""
    for behaviour in _distribution()["CacheBehaviors"]:
        if fnmatch.fnmatchcase(path, behaviour["PathPattern"]):
            return behaviour["TargetOriginId"]
    return _distribution()["DefaultCacheBehavior"]["TargetOriginId"]


def test_it_is_made_only_when_it_is_asked_for() -> None:
    assert template()["Parameters"]["OneAddress"]["Default"] == "false"
    for name, resource in template()["Resources"].items():
        if resource["Type"].startswith("AWS::CloudFront::"):
            assert resource["Condition"] in ("HasOneAddress", "HasDashboardBucket", "HasPages"), name
    assert template()["Conditions"]["HasDashboardBucket"]["Fn::And"][0] == {"Condition": "HasOneAddress"}
    assert template()["Outputs"]["OneAddressUrl"]["Condition"] == "HasOneAddress"


def test_a_streams_path_becomes_the_stage_and_the_query() -> None:
    given = {"after": {"value": "3"}, "build_id": {"value": "x", "multiValue": [{"value": "x"}, {"value": "y"}]}}
    rewritten = _rewritten(f"/api/v1/builds/{BUILD}/stream", given)
    assert rewritten["uri"] == f"/{WEBSOCKET_STAGE}"
    assert rewritten["querystring"] == {"after": {"value": "3"}, "build_id": {"value": BUILD}}


@pytest.mark.parametrize(
    "uri", ["/api/v1/builds/a/b/stream", "/api/v1/builds//stream", "/v1", f"/x/api/v1/builds/{BUILD}/stream"]
)
def test_another_path_does_not_reach_the_streams(uri: str) -> None:
    assert _rewritten(uri)["statusCode"] == 404


def test_every_route_leads_to_the_api_and_streams_to_the_streams() -> None:
    routes = [
        event["Properties"]["Path"]
        for function in functions().values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "HttpApi" and "Path" in event["Properties"]
    ]
    assert routes
    for route in routes:
        assert _origin(route.replace("{", "").replace("}", "")) == "http-api", route
    assert _origin(f"/api/v1/builds/{BUILD}/stream") == "streams"
    assert _origin("/index.html") == {"Fn::If": ["HasDashboard", "dashboard", "http-api"]}


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("/", "/index.html"),
        ("/builds/new", "/index.html"),
        ("/assets/a-1.js", "/assets/a-1.js"),
        ("/robots.txt", "/robots.txt"),
    ],
)
def test_pages_are_one_file_of_the_bucket(uri: str, file: str) -> None:
    assert _rewritten(uri, by="PagePathFunction")["uri"] == file


def _pages() -> list[str]:
    """Return the dashboard's paths, with something for each parameter."""
    text = (ROOT / "web" / "src" / "pages" / "index.tsx").read_text()
    return [re.sub(r":[a-z]+", "x1", path) for path in _PAGE_PATH.findall(text)]


def test_the_page_of_an_address_bar_is_the_dashboards_whatever_its_path() -> None:
    pages = _pages()
    assert {"/", "/deployments/x1", "/workers", "/workers/x1", "/builds/new"} <= set(pages)
    shared = [path for path in pages if _origin(path) == "http-api"]
    assert shared == ["/deployments/x1", "/workers", "/workers/x1"]
    for path in shared:
        found = _rewritten(path, by="SharedPathFunction", headers={"accept": _BROWSER})
        assert (found["uri"], found["origin"]) == ("/index.html", "dashboard"), path


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {}),
        ("GET", {"accept": "*/*"}),
        ("GET", {"accept": "application/json"}),
        ("GET", {"accept": _BROWSER, "authorization": "Bearer x"}),
        ("DELETE", {"accept": _BROWSER}),
        ("OPTIONS", {"accept": _BROWSER}),
    ],
)
def test_programs_get_the_api_on_the_paths_of_pages(method: str, headers: dict[str, str]) -> None:
    for path in ("/deployments/x1", "/workers", "/workers/x1"):
        found = _rewritten(path, by="SharedPathFunction", method=method, headers=headers)
        assert found["uri"] == path
        assert "origin" not in found


def test_no_other_route_of_the_api_is_a_page() -> None:
    """Public pages and images of the API are opened in browsers as well."""
    for path in json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]:
        concrete = re.sub(r"\{[^}]+\}", "x1", path)
        if concrete not in _pages():
            assert "origin" not in _rewritten(concrete, by="SharedPathFunction", headers={"accept": _BROWSER}), path


def test_paths_that_pages_share_are_distinguished() -> None:
    for behaviour in _distribution()["CacheBehaviors"]:
        if behaviour["PathPattern"] in ("/deployments*", "/workers*"):
            assert "SharedPathFunction" in json.dumps(behaviour["FunctionAssociations"])


def test_only_the_distribution_reads_the_bucket() -> None:
    policy = resources("AWS::S3::BucketPolicy")["DashboardBucketPolicy"]["PolicyDocument"]["Statement"]
    (allowed,) = [entry for entry in policy if entry["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert "OneAddressDistribution" in json.dumps(allowed["Condition"])


def test_nothing_is_cached_and_hosts_keep_their_names() -> None:
    behaviours = [_distribution()["DefaultCacheBehavior"], *_distribution()["CacheBehaviors"]]
    assert {behaviour["CachePolicyId"] for behaviour in behaviours} == {"4135ea2d-6df8-44a3-9df3-4b5a84be39ad"}
    assert {behaviour["OriginRequestPolicyId"] for behaviour in behaviours} == {"b689b0a8-53d0-40ab-baf2-68738e2966ac"}
    assert all("https" in behaviour["ViewerProtocolPolicy"] for behaviour in behaviours)


@pytest.mark.parametrize(
    ("function", "uri"),
    [
        ("ViewerFunction", "/api/x"),
        ("SharedPathFunction", "/workers"),
        ("StreamPathFunction", f"/api/v1/builds/{BUILD}/stream"),
    ],
)
def test_the_viewers_address_is_what_cloudfront_saw(function: str, uri: str) -> None:
    rewritten = _rewritten(uri, by=function, headers={"x-slipway-viewer": "203.0.113.1"})
    assert rewritten["headers"]["x-slipway-viewer"] == {"value": VIEWER}


def test_every_way_to_an_api_names_the_viewer_and_sends_the_secret() -> None:
    for behaviour in _distribution()["CacheBehaviors"]:
        associations = behaviour["FunctionAssociations"]
        found = associations["Fn::If"][1:] if "Fn::If" in associations else [associations]
        for (association,) in found:
            assert association["EventType"] == "viewer-request"
            name = association["FunctionARN"]["Fn::GetAtt"].partition(".")[0]
            code = resources("AWS::CloudFront::Function")[name]["FunctionCode"]
            assert 'request.headers["x-slipway-viewer"] = {value: event.viewer.ip};' in code, behaviour["PathPattern"]
    default = _distribution()["DefaultCacheBehavior"]["FunctionAssociations"]["Fn::If"]
    assert "ViewerFunction" in json.dumps(default[2])
    for origin in _distribution()["Origins"][:2]:
        assert origin["OriginCustomHeaders"] == {
            "Fn::If": [
                "HasEdgeSecret",
                [{"HeaderName": SECRET_HEADER, "HeaderValue": {"Ref": "EdgeSecret"}}],
                {"Ref": "AWS::NoValue"},
            ]
        }


def test_it_takes_a_web_acl() -> None:
    assert _distribution()["WebACLId"] == {"Fn::If": ["HasWebAcl", {"Ref": "WebAclArn"}, {"Ref": "AWS::NoValue"}]}


def test_the_example_acl_counts_addresses_at_the_edge() -> None:
    acl = cloudformation(ROOT / "examples" / "edge" / "web_acl.yaml")
    properties = acl["Resources"]["WebAcl"]["Properties"]
    assert properties["Scope"] == "CLOUDFRONT"
    assert properties["DefaultAction"] == {"Allow": {}}
    rates = {
        rule["Name"]: rule["Statement"]["RateBasedStatement"]
        for rule in properties["Rules"]
        if "RateBasedStatement" in rule["Statement"]
    }
    assert {name: rate["AggregateKeyType"] for name, rate in rates.items()} == dict.fromkeys(rates, "IP")
    limits = {name: acl["Parameters"][rate["Limit"]["Ref"]]["Default"] for name, rate in rates.items()}
    # Of five minutes. The API has a lower one for nonces, which it refuses in its own words.
    assert 5 * function_app("api/identity").MAX_NONCES <= limits["SignIns"] < limits["Everything"]
    priorities = [rule["Priority"] for rule in properties["Rules"]]
    assert len(priorities) == len(set(priorities))
