"""Rewrites the built template for the local engine: the one place where the gaps' covers come together."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.engine.cors import cors_configurations
from local.engine.http_api import Template, pin_websocket_apis, replace_http_apis
from local.engine.runtime import run_with_aws_runtime_client


@dataclass(frozen=True)
class Adapted:
    """What is deployed, and what is set by hand afterwards.

    Attributes:
        template: Deployed into the engine.
        cors: CORS settings of each HTTP API by logical id.
    """

    template: Template
    cors: dict[str, dict[str, Any]]


def adapt(
    template: Template,
    parameters: dict[str, str],
    *,
    build: Path,
    layers: dict[str, Path],
    target: Path,
    log: Path,
) -> Adapted:
    """Adapt the template to what the engine understands.

    Args:
        template: As `sam build` wrote it; left as it is.
        parameters: Values that override the parameters' defaults.
        build: Where its relative paths start.
        layers: Directory of each layer by logical id.
        target: Where the functions' code with its bootstrap is put.
        log: What the functions print is appended to it.
    """
    adapted = copy.deepcopy(template)
    cors = cors_configurations(adapted, parameters)
    replace_http_apis(adapted)
    pin_websocket_apis(adapted)
    run_with_aws_runtime_client(adapted, build, layers, target, log)
    _resolve_definitions(adapted, build)
    return Adapted(adapted, cors)


def _resolve_definitions(template: Template, build: Path) -> None:
    """Make the state machines' relative paths absolute, for the template moves to another directory."""
    for resource in template["Resources"].values():
        definition = resource.get("Properties", {}).get("DefinitionUri")
        if resource["Type"] == "AWS::Serverless::StateMachine" and isinstance(definition, str):
            resource["Properties"]["DefinitionUri"] = str((build / definition).resolve())


class _PlainDumper(yaml.SafeDumper):
    """Writes shared values out in full: SAM's parser does not take YAML anchors that cross its own tags."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def write(template: Template, path: Path) -> None:
    """Write a template."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.dump(template, Dumper=_PlainDumper, sort_keys=False, width=1000), encoding="utf-8")
