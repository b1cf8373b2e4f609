"""Reads template.yaml as it is written, CloudFormation's short forms included."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from local.paths import ROOT, TEMPLATE


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: ``!Ref A`` becomes ``{"Ref": "A"}``."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 (there is no fourth kind of node)
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


_Loader.add_multi_constructor("!", _intrinsic)


def cloudformation(path: Path) -> dict[str, Any]:
    """Read a template of CloudFormation."""
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a SafeLoader)
    return loaded


@cache
def source_template() -> dict[str, Any]:
    """Read the template; not to be changed."""
    return cloudformation(TEMPLATE)


@dataclass(frozen=True, order=True)
class HttpRoute:
    """A route of the HTTP API, and the folder of the function that answers it."""

    path: str
    method: str
    folder: Path

    @property
    def key(self) -> str:
        """API Gateway's name of it, as in ``GET /health``."""
        return f"{self.method} {self.path}"


def http_routes() -> list[HttpRoute]:
    """Return every route of the HTTP API, by path and method."""
    found = []
    for resource in source_template()["Resources"].values():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties = resource["Properties"]
        for event in properties.get("Events", {}).values():
            settings = event.get("Properties", {})
            # Without a path it is ``$default``, which takes what no route does.
            if event["Type"] == "HttpApi" and "Path" in settings:
                found.append(HttpRoute(settings["Path"], settings["Method"], ROOT / properties["CodeUri"]))
    return sorted(found)
