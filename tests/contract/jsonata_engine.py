"""Evaluates expressions with the local engine's implementation; input and output as in jsonata.cjs."""

import json
import sys
from typing import Any

from jsonata import Jsonata


def evaluate(text: str, bindings: dict[str, Any]) -> dict[str, Any]:
    expression = Jsonata(text)
    for name, value in bindings.items():
        expression.assign(name, value)
    try:
        value = expression.evaluate(None)
    except Exception as error:
        return {"error": getattr(error, "error", None) or str(error)}
    return {"missing": True} if value is None else {"value": list(value) if isinstance(value, list) else value}


json.dump([evaluate(*entry) for entry in json.load(sys.stdin)], sys.stdout)
