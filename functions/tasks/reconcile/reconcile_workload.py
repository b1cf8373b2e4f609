"""State ReconcileWorkload: make sure that somebody works on the workload, or that it has its lease."""

from typing import Any

from workflow import akash_reconcile


def run(event: dict[str, Any]) -> dict[str, Any]:
    """See ``AkashReconcile.reconcile_job``."""
    return {"done": akash_reconcile().reconcile_job(event["deployment_id"])}
