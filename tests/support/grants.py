"""What functions used of what their policies allow, as the functional tests saw it.

`SLIPWAY_RECORD_GRANTS=1 local/python -m pytest tests/functional` adds what it sees to grants.json.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

FILE = Path(__file__).with_name("grants.json")
Grants = dict[str, dict[str, list[str]]]
_seen: set[tuple[str, str, str]] = set()


def saw(function: str, action: str, resource: str) -> None:
    """Note that a function used an action on a resource."""
    _seen.add((function, action, resource))


def recorded() -> Grants:
    """Resources by function and action."""
    found: Grants = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return found


def write() -> None:
    """Add what was seen to the record, if somebody asked for that."""
    if not _seen or not os.environ.get("SLIPWAY_RECORD_GRANTS"):
        return
    whole = _seen | {
        (function, action, resource)
        for function, actions in recorded().items()
        for action, resources in actions.items()
        for resource in resources
    }
    grants: Grants = {}
    for function, action, resource in sorted(whole):
        grants.setdefault(function, {}).setdefault(action, []).append(resource)
    FILE.write_text(json.dumps(grants, indent=1) + "\n", encoding="utf-8")
