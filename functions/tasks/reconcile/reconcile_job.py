"""State ReconcileJob: make sure that somebody works on the launch."""

from typing import Any

from workflow import token_reconcile


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``TokenReconcile.reconcile_job``."""
    return {"done": token_reconcile().reconcile_job(event["deployment_id"])}
