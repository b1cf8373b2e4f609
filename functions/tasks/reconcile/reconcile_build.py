"""State ReconcileBuild: make sure that somebody works on the build's run, or that it has ended."""

from typing import Any

from workflow import build_reconcile


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``BuildReconcile.reconcile_build``."""
    return {"done": build_reconcile().reconcile_build(event["build_id"])}
