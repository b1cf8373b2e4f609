"""Runs in a function's process, around its real handler, in stacks that were started with SLIPWAY_CALLS.

Each kind of call is one line of that file: ``[function, service, operation, what it is about]``, the last with names of
resources only, never with contents. A process notes a kind once.

Imports the standard library only, besides what the function itself brings.
"""

import importlib
import json
import os
from typing import Any

_FILE = os.environ.get("SLIPWAY_CALLS", "/dev/null")
_HANDLER = os.environ.get("SLIPWAY_REAL_HANDLER", "app.handler")
_FUNCTION = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
_NAMES = (
    "TableName",
    "IndexName",
    "KeyId",
    "Bucket",
    "Key",
    "VersionId",
    "QueueUrl",
    "stateMachineArn",
    "executionArn",
    "FunctionName",
    "SecretId",
    "ConnectionId",
    "modelId",
)
_noted: set[str] = set()
# Beside this file in a function's code.
_leading_keys = importlib.import_module("leading_keys").leading_keys


def _about(service: str, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    about = {name: arguments[name] for name in _NAMES if isinstance(arguments.get(name), str)}
    if service == "dynamodb":
        about["leading_keys"] = sorted(set(_leading_keys(operation, arguments)))
    return about


def note(service: str, operation: str, arguments: dict[str, Any]) -> None:
    """Write a call down, unless this process has noted one like it."""
    line = json.dumps([_FUNCTION, service, operation, _about(service, operation, arguments)], sort_keys=True) + "\n"
    if line in _noted:
        return
    _noted.add(line)
    # One write to a file that is only appended to: lines of several processes stay whole.
    with open(_FILE, "ab", buffering=0) as file:  # noqa: PTH123 (pathlib is slow to import)
        file.write(line.encode())


def _note_all() -> None:
    try:
        from botocore.client import BaseClient
    except ImportError:  # a function without AWS's SDK
        return
    client: Any = BaseClient  # its types do not show this method
    make_call = client._make_api_call

    def noted(self: Any, operation: str, arguments: dict[str, Any]) -> Any:
        note(self.meta.service_model.service_name, operation, arguments)
        return make_call(self, operation, arguments)

    client._make_api_call = noted


_module, _, _name = _HANDLER.rpartition(".")
handler = getattr(importlib.import_module(_module), _name)
_note_all()
