"""The events of events/: one for each route and each task, as the template and the state machines would send them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.functions import event, function_app
from tests.support.template import ROOT, functions

EVENTS = {path.stem: event(path.stem) for path in sorted((ROOT / "events").glob("*.json"))}
API = {name: entry for name, entry in EVENTS.items() if "routeKey" in entry}


def _anonymous(route: str) -> str:
    return re.sub(r"{\w+}", "{}", route)


def test_every_route_has_an_event() -> None:
    routes = {
        _anonymous(f"{entry['Properties']['Method']} {entry['Properties']['Path']}")
        for function in functions().values()
        for entry in function.get("Events", {}).values()
        if entry["Type"] == "HttpApi" and "Path" in entry["Properties"]
    }
    assert {_anonymous(entry["routeKey"]) for entry in API.values()} == routes


@pytest.mark.parametrize("name", API)
def test_an_event_of_the_api_agrees_with_itself(name: str) -> None:
    given: dict[str, Any] = API[name]
    method, route = given["routeKey"].split(" ")
    context = given["requestContext"]
    assert given["version"] == "2.0"
    assert context["routeKey"] == given["routeKey"]
    assert (context["http"]["method"], context["http"]["path"]) == (method, given["rawPath"])
    parameters = given.get("pathParameters", {})
    assert re.sub(r"{(\w+)}", lambda found: parameters[found.group(1)], route) == given["rawPath"]
    if "body" in given:
        json.loads(given["body"])


@pytest.mark.parametrize("workflow", [path.name for path in sorted((ROOT / "functions" / "tasks").iterdir())])
def test_every_task_has_an_event(workflow: str) -> None:
    given = {name: entry for name, entry in EVENTS.items() if name.startswith(f"{workflow}_")}
    states = getattr(function_app(f"tasks/{workflow}"), "STATES", None)
    if states is None:
        # A hub is asked for work, and told of a task that failed.
        assert set(given) == {f"{workflow}_work", f"{workflow}_give_up"}
        assert {"error", "cause"} <= set(given[f"{workflow}_give_up"]) - set(given[f"{workflow}_work"])
        return
    assert {entry["state"] for entry in given.values()} == set(states)


def test_every_operation_of_the_signer_has_an_event() -> None:
    given = {entry["operation"] for name, entry in EVENTS.items() if name.startswith("signer_")}
    assert given == set(function_app("signer").OPERATIONS)


def test_every_kind_of_event_of_a_stream_is_there() -> None:
    kinds = {
        entry["requestContext"]["eventType"]
        for entry in EVENTS.values()
        if "eventType" in entry.get("requestContext", {})
    }
    assert kinds == set(function_app("streams/connections").ROUTES)
    assert "Records" in EVENTS["stream_builds"]
    assert set(EVENTS["stream_replay"]) == {"build_id", "connection_id"}
