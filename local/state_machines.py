"""Reads the state machines as CloudFormation hands them to Step Functions.

A definition is a text with placeholders (``${Name}``): CloudFormation puts the values of ``DefinitionSubstitutions`` in
and parses the result, so a value may be a whole part of the definition, and several machines may share one file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from local.paths import ROOT
from local.source_template import source_template


@dataclass(frozen=True)
class StateMachine:
    """A state machine of the template.

    Attributes:
        path: Its definition's file.
        substitutions: What replaces the file's placeholders; those that only AWS knows, such as ARNs, are objects.
    """

    path: Path
    substitutions: dict[str, Any]

    @property
    def text(self) -> str:
        """The definition with every value in it that the template names."""
        text = self.path.read_text(encoding="utf-8")
        for name, value in self.substitutions.items():
            if isinstance(value, str):
                text = text.replace(f"${{{name}}}", value)
        return text

    @property
    def definition(self) -> dict[str, Any]:
        """The definition; ARNs are still placeholders."""
        parsed: dict[str, Any] = json.loads(self.text)
        return parsed


@cache
def state_machines() -> dict[str, StateMachine]:
    """Return every state machine of the template by its name in snake case, such as ``token_deploy``."""
    found = {}
    for logical_id, resource in source_template()["Resources"].items():
        if resource["Type"] == "AWS::Serverless::StateMachine":
            properties = resource["Properties"]
            name = re.sub(r"(?<!^)(?=[A-Z])", "_", logical_id).lower()
            found[name] = StateMachine(ROOT / properties["DefinitionUri"], properties["DefinitionSubstitutions"])
    return found
