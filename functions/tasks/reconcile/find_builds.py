"""State FindBuilds: builds whose run should have ended, or have been looked at, by now."""

from typing import Any

from workflow import build_reconcile


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``BuildReconcile.find``."""
    return {"build_ids": build_reconcile().find()}
