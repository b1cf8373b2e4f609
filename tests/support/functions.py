"""Loads the functions' apps as Lambda does, and the events that they are given."""

from __future__ import annotations

import importlib.util
import json
import sys
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from tests.support.template import ROOT

CONTEXT = SimpleNamespace(
    aws_request_id="11111111-2222-4333-8444-555555555555",
    function_name="test",
    get_remaining_time_in_millis=lambda: 75_000,
)


def load_app(folder: Path) -> ModuleType:
    """Return a function's app, its neighbours importable by their bare names; each call gives a module of its own."""
    own = {entry.stem for entry in folder.glob("*.py")}
    kept = {name: sys.modules.pop(name) for name in own if name in sys.modules}
    sys.path.insert(0, str(folder))
    try:
        specification = importlib.util.spec_from_file_location("app", folder / "app.py")
        assert specification
        assert specification.loader
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(folder))
        for name in own:
            sys.modules.pop(name, None)
        sys.modules.update(kept)


@cache
def function_app(path: str) -> ModuleType:
    """Return the app under ``functions/<path>``, loaded once."""
    return load_app(ROOT / "functions" / path)


def event(name: str) -> dict[str, Any]:
    """Return a copy of an event of ``events/``."""
    found: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return found
