"""Alarms and the dashboard read what the functions write: the same namespace, names and dimensions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from slipway.observability import record
from tests.support.template import ROOT, resources, template

OWN = "Slipway/${StageName}"


def _written() -> str:
    return "\n".join(path.read_text() for path in sorted((ROOT / "layers" / "slipway" / "slipway").rglob("*.py")))


def _dashboard() -> str:
    (found,) = resources("AWS::CloudWatch::Dashboard").values()
    return str(found["DashboardBody"]["Fn::Sub"])


def _own_metrics() -> Iterator[tuple[str, list[str]]]:
    """Name and dimensions of each metric of ours that somebody reads."""
    for alarm in resources("AWS::CloudWatch::Alarm").values():
        if alarm["Namespace"] == {"Fn::Sub": OWN}:
            yield alarm["MetricName"], [entry["Name"] for entry in alarm["Dimensions"]]
    body = json.loads(_dashboard())
    for widget in body["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            if isinstance(metric[0], str) and metric[0] == OWN:
                yield metric[1], [name for name in metric[2:-1:2] if isinstance(name, str)]
            elif isinstance(metric[0], dict) and OWN in metric[0]["expression"]:
                dimensions, name = re.findall(r'\{"[^"]+",([\w,]+)\} MetricName="(\w+)"', metric[0]["expression"])[0]
                yield name, dimensions.split(",")


def test_no_namespace_is_anothers() -> None:
    for alarm in resources("AWS::CloudWatch::Alarm").values():
        namespace: Any = alarm["Namespace"]
        assert namespace == {"Fn::Sub": OWN} or namespace.startswith("AWS/"), alarm
    assert "Slipway" not in _dashboard().replace(OWN, "")
    assert len(list(_own_metrics())) > 20


def test_each_metric_is_written_somewhere() -> None:
    text = _written()
    for name, _ in _own_metrics():
        assert f'"{name}"' in text, name


def test_a_metric_has_the_service_besides_its_own_dimensions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = template()["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", service)
    record("Launches", outcome="completed")
    (written,) = json.loads(capsys.readouterr().out)["_aws"]["CloudWatchMetrics"]
    assert sorted(written["Dimensions"][0]) == ["outcome", "service"]
    for _, dimensions in _own_metrics():
        assert "service" in dimensions


def test_the_documents_count_the_alarms() -> None:
    text = (ROOT / "docs" / "cost-model.md").read_text()
    assert f" {len(resources('AWS::CloudWatch::Alarm'))} alarms" in text
